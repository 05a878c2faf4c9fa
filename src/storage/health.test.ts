import { readdirSync, statfsSync } from 'node:fs'
import { DatabaseSync } from 'node:sqlite'
import pino from 'pino'
import { describe, expect, it } from 'vitest'
import { HealthService } from '../health/probes.ts'
import { createMetrics } from '../observability/metrics.ts'
import { defaultLimitBytes, DiskSpace } from './disk-space.ts'
import { diskFileSystem, type FileSystem } from './file-system.ts'
import { consensusCheck, storageCheck } from './health.ts'
import { Lease } from './lease.ts'
import { openTestData, type TestData } from './testing.ts'

const metrics = createMetrics({ routePaths: [], version: '1', onCollectError: () => {} })

function checkOf({ paths, database }: TestData, fileSystem: FileSystem = diskFileSystem, limitBytes = 0) {
  const diskSpace = new DiskSpace(paths.root, limitBytes)
  return storageCheck({ paths, fileSystem, database, diskSpace, metrics })
}

const signal = (): AbortSignal => AbortSignal.timeout(2_000)

function failing(operation: 'create' | 'write' | 'sync', code: string): FileSystem {
  const fail = async (): Promise<never> => {
    throw Object.assign(new Error(code), { code })
  }
  if (operation === 'create') return { ...diskFileSystem, create: fail }
  return {
    ...diskFileSystem,
    async create(path, mode) {
      const file = await diskFileSystem.create(path, mode)
      return {
        write: (b, p) => file.write(b, p),
        sync: () => file.sync(),
        close: () => file.close(),
        [operation]: fail,
      }
    },
  }
}

describe('the storage check', () => {
  it('is up where files and database take and give back, and leaves nothing behind', async () => {
    await using data = await openTestData()
    expect(await checkOf(data).check(signal())).toEqual({ status: 'up', latency_ms: expect.any(Number) })
    expect(readdirSync(data.paths.quarantine)).toEqual([])
  })

  it.each([
    { operation: 'create', code: 'EROFS' },
    { operation: 'write', code: 'ENOSPC' },
    { operation: 'sync', code: 'EIO' },
  ] as const)('fails when a file cannot be $operation-ed, and leaves nothing behind', async ({ operation, code }) => {
    await using data = await openTestData()
    await expect(checkOf(data, failing(operation, code)).check(signal())).rejects.toMatchObject({ code })
    expect(readdirSync(data.paths.quarantine)).toEqual([])
  })

  it('notices a disk that forgets', async () => {
    await using data = await openTestData()
    const forgetful: FileSystem = {
      ...diskFileSystem,
      async create(path, mode) {
        const file = await diskFileSystem.create(path, mode)
        return { write: async () => {}, sync: () => file.sync(), close: () => file.close() }
      },
    }
    await expect(checkOf(data, forgetful).check(signal())).rejects.toThrow(/read back/)
  })

  it('is down with one byte less than the limit, and up with just enough', async () => {
    await using data = await openTestData()
    const { bavail, bsize } = statfsSync(data.paths.root)
    // Others write to this file system meanwhile: the limits are far on either side.
    const margin = 256 * 2 ** 20
    expect((await checkOf(data, diskFileSystem, bavail * bsize - margin).check(signal())).status).toBe('up')
    expect((await checkOf(data, diskFileSystem, bavail * bsize + margin).check(signal())).status).toBe('down')
  })

  it('falls while another connection holds the database’s lock, and rises after', async () => {
    await using data = await openTestData()
    const conditions = { started: () => true, draining: () => false, shedding: () => false, maintenance: () => false }
    const logger = pino({ level: 'silent' })
    const health = new HealthService(
      { checks: [checkOf(data)], conditions, metrics, logger },
      // Far more than it takes where nobody holds the lock, also while other tests keep the machine busy.
      { cacheMs: 0, timeoutMs: 3_000 },
    )
    expect((await health.readiness()).status).toBe('ready')
    const other = new DatabaseSync(data.paths.database)
    other.exec('BEGIN EXCLUSIVE')
    expect(await health.readiness()).toMatchObject({ status: 'not_ready', checks: { storage: { status: 'down' } } })
    other.exec('ROLLBACK')
    other.close()
    await expect.poll(async () => (await health.readiness()).status, { timeout: 8_000 }).toBe('ready')
  })
})

describe('the default limit of free space', () => {
  const MB = 2 ** 20
  it.each([
    { name: 'a small disk keeps 16 MiB', totalBytes: 100 * MB, limitBytes: 16 * MB },
    { name: 'at 1,600 MiB both rules agree', totalBytes: 1_600 * MB, limitBytes: 16 * MB },
    { name: 'a middling one keeps a hundredth', totalBytes: 50_000 * MB, limitBytes: 500 * MB },
    { name: 'a large one keeps 1 GiB', totalBytes: 10_000_000 * MB, limitBytes: 1024 * MB },
  ])('$name', ({ totalBytes, limitBytes }) => {
    expect(defaultLimitBytes(totalBytes)).toBe(limitBytes)
  })
})

describe('the consensus check', () => {
  it('says leader while the lease is held, and not after somebody else took it', async () => {
    await using data = await openTestData()
    const lease = new Lease(data.database, () => {})
    const check = consensusCheck(lease)
    expect(await check.check(signal())).toEqual({ status: 'down', leader: false })
    await lease.start()
    expect(await check.check(signal())).toEqual({ status: 'up', leader: true })
    const rival = new Lease(data.database, () => {})
    await rival.start()
    expect(await lease.renew()).toBe(false)
    expect(await check.check(signal())).toEqual({ status: 'down', leader: false })
    expect(await consensusCheck(rival).check(signal())).toEqual({ status: 'up', leader: true })
    for (const one of [lease, rival]) one.stop()
  })
})

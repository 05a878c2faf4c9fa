/** How `guts start` begins and ends: what it writes, and with which code it goes. */
import { execFileSync } from 'node:child_process'
import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { connect } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { ALLOCATOR_SETTINGS } from '../src/allocator.ts'
import { guts, ROOT } from './support/command-line.ts'
import { NodeProcess } from './support/node-process.ts'
import { coverReadOnly, MOUNT_REFUSAL, unmount } from './support/tmpfs.ts'

const jsonLines = (text: string): Record<string, unknown>[] =>
  text
    .split('\n')
    .filter((line) => line !== '')
    .map((line) => JSON.parse(line) as Record<string, unknown>)

async function takesConnections(port: number): Promise<boolean> {
  const socket = connect(port, '127.0.0.1')
  return new Promise((resolve) => {
    socket.once('connect', () => resolve(true))
    socket.once('error', () => resolve(false))
  }).then((taken) => {
    socket.destroy()
    return taken as boolean
  })
}

describe('what guts start writes', () => {
  it('is one JSON line for each mistake of the configuration, and nothing else', async () => {
    const { exitCode, stdout, stderr } = await guts(['start', '--log-level', 'loud'], {
      GUTS_RATE_LIMT: '5',
      GUTS_PRIVATE_KEY: 'too short to be a key',
    })
    expect(exitCode).toBe(78)
    const lines = jsonLines(stdout + stderr)
    expect(lines.map(({ setting, origin }) => `${String(setting)} ${String(origin)}`).sort()).toEqual([
      'GUTS_PRIVATE_KEY environment',
      'GUTS_RATE_LIMT environment',
      'log_level flag',
    ])
    for (const line of lines) {
      expect(line).toMatchObject({ level: 'error', request_id: expect.any(String), trace_id: expect.any(String) })
    }
    expect(stdout + stderr).not.toContain('too short')
  })

  it('is JSON also for wrong use', async () => {
    const { exitCode, stdout, stderr } = await guts(['start', '--nope'])
    expect(exitCode).toBe(2)
    expect(jsonLines(stdout + stderr)).toEqual([expect.objectContaining({ msg: "unknown option '--nope'" })])
  })

  it('is JSON also for warnings of the runtime, for libraries that debug, and for what nobody caught', async () => {
    const planted = `process.on('SIGUSR2', () => process.emitWarning('a planted warning'))
      process.on('SIGUSR1', () => { throw new Error('a planted error') })`
    await using node = await NodeProcess.start({
      environment: {
        NODE_OPTIONS: `--import data:text/javascript,${encodeURIComponent(planted)}`,
        GUTS_LOG_LEVEL: 'trace',
      },
    })
    node.signal('SIGUSR2')
    const warning = { level: 'warn', err: expect.objectContaining({ message: 'a planted warning' }) as unknown }
    await expect.poll(() => node.lines()).toContainEqual(expect.objectContaining(warning))
    node.signal('SIGUSR1')
    expect(await node.ended()).toBe(1)
    const error = { level: 'error', err: expect.objectContaining({ message: 'a planted error' }) as unknown }
    expect(node.lines()).toContainEqual(expect.objectContaining(error))
    expect(node.lines().at(-1)).toMatchObject({ msg: 'Stopped' })
    expect(node.stderr).toBe('')
  })

  it('has the ids of the boot, the same for all of its lines', async () => {
    await using node = await NodeProcess.start()
    const boot = node.lines().filter(({ operation }) => operation === 'boot')
    expect(boot.map(({ msg }) => msg)).toEqual(['Starting', 'Started'])
    expect(new Set(boot.map(({ request_id }) => request_id)).size).toBe(1)
  })
})

describe('a start that cannot be', () => {
  it.each(['GUTS_API_ADDR', 'GUTS_METRICS_ADDR', 'GUTS_P2P_ADDR'])(
    'says so: the port of %s is taken',
    async (variable) => {
      await using other = await NodeProcess.start()
      await using node = await NodeProcess.start({
        environment: { [variable]: `127.0.0.1:${other.ports.api}` },
        waitFor: 'nothing',
      })
      expect(await node.ended()).toBe(1)
      const errors = node.lines().filter(({ level }) => level === 'error')
      expect(errors).toEqual([
        expect.objectContaining({
          msg: `Cannot listen on 127.0.0.1:${other.ports.api} (${variable}): another process listens there`,
        }),
      ])
      for (const port of Object.values(node.ports)) expect(await takesConnections(port)).toBe(false)
    },
  )

  it('says so: the data directory is in use, also after the other node was killed and came back', async () => {
    await using other = await NodeProcess.start()
    const { dataDirectory } = other
    await using second = await NodeProcess.start({ dataDirectory, waitFor: 'nothing' })
    expect(await second.ended()).toBe(1)
    expect(second.lines().at(-1)?.['msg']).toMatch(/Another node is running on the data directory/)
    expect((await other.readiness())?.status).toBe(200)
    await other.kill()
    // The kernel has dropped the lock with the process.
    await using third = await NodeProcess.start({ dataDirectory })
    expect(await third.stop()).toBe(0)
  })

  it('says so: the data directory is a file', async () => {
    const directory = mkdtempSync(join(tmpdir(), 'guts-start-'))
    writeFileSync(join(directory, 'file'), '')
    await using node = await NodeProcess.start({ dataDirectory: join(directory, 'file'), waitFor: 'nothing' })
    expect(await node.ended()).toBe(1)
    expect(node.lines().at(-1)?.['msg']).toMatch(/cannot be used \(GUTS_DATA_DIR\): (EEXIST|ENOTDIR)/)
    rmSync(directory, { recursive: true })
  })

  it.skipIf(MOUNT_REFUSAL !== undefined)(`says so: it cannot be written (${MOUNT_REFUSAL ?? 'mounted'})`, async () => {
    const directory = mkdtempSync(join(tmpdir(), 'guts-start-'))
    coverReadOnly(directory)
    try {
      await using node = await NodeProcess.start({ dataDirectory: directory, waitFor: 'nothing' })
      expect(await node.ended()).toBe(1)
      expect(node.lines().at(-1)?.['msg']).toMatch(/cannot be used \(GUTS_DATA_DIR\): E/)
    } finally {
      unmount(directory)
      rmSync(directory, { recursive: true })
    }
  })
})

describe('a signal while starting', () => {
  it.each(['SIGTERM', 'SIGINT'] as const)('%s ends it in order', async (signal) => {
    await using node = await NodeProcess.start({ waitFor: 'nothing' })
    await expect.poll(() => node.stdout, { timeout: 20_000, interval: 1 }).toContain('Starting')
    node.signal(signal)
    expect(await node.ended()).toBe(0)
    expect(node.lines().at(-1)).toMatchObject({ msg: 'Stopped' })
  })
})

describe('what a crash left', () => {
  it('is gone after the next start: half-received packs, half-deleted repositories', async () => {
    await using node = await NodeProcess.start()
    await node.kill()
    for (const folder of ['quarantine', 'trash']) writeFileSync(join(node.dataDirectory, folder, 'left'), 'half a pack')
    await using again = await NodeProcess.start({ dataDirectory: node.dataDirectory })
    for (const folder of ['quarantine', 'trash']) {
      expect(readdirSync(join(again.dataDirectory, folder)).filter((name) => name === 'left')).toEqual([])
    }
    await again.stop()
  })
})

describe('the built package', () => {
  it('serves from dist as it does from src', async () => {
    const dist = mkdtempSync(join(ROOT, 'dist-'))
    try {
      execFileSync(join(ROOT, 'node_modules/.bin/tsc'), ['-p', 'tsconfig.build.json', '--outDir', dist], { cwd: ROOT })
      await using node = await NodeProcess.start({ script: join(dist, 'src/main.js') })
      const { token } = await node.createUser('alice')
      const body = JSON.stringify({ name: 'site' })
      expect((await node.api('/api/repos', token, { method: 'POST', body })).status).toBe(201)
      expect(await node.stop()).toBe(0)
    } finally {
      rmSync(dist, { recursive: true })
    }
  })
})

describe.runIf(process.platform === 'linux')('the allocator', () => {
  const untold = Object.fromEntries(Object.keys(ALLOCATOR_SETTINGS).map((name) => [name, undefined]))

  it.each<{ who: string; environment: Record<string, string>; expected: Record<string, string> }>([
    { who: 'by itself', environment: {}, expected: ALLOCATOR_SETTINGS },
    { who: 'as it was told', environment: { MALLOC_ARENA_MAX: '7' }, expected: { MALLOC_ARENA_MAX: '7' } },
  ])('gives memory back $who, in the process that was started', async ({ environment, expected }) => {
    await using node = await NodeProcess.start({ environment: { ...untold, ...environment } })
    const began = readFileSync(`/proc/${node.pid}/environ`, 'latin1').split('\0')
    const settings = began.filter((entry) => entry.startsWith('MALLOC_')).map((entry) => entry.split('='))
    expect(Object.fromEntries(settings)).toEqual(expected)
  })
})

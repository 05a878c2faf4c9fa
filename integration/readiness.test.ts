/** Readiness falls when what it vouches for is really taken away, and rises when it is back (I11). */
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { closeSync, openSync, rmSync, writeFileSync, writeSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { cleanEnvironment } from './support/command-line.ts'
import { HeldRequest } from './support/held-request.ts'
import { NodeProcess } from './support/node-process.ts'
import { coverReadOnly, MOUNT_REFUSAL, Tmpfs, unmount } from './support/tmpfs.ts'

const MB = 2 ** 20
const PATIENCE = { timeout: 20_000, interval: 50 }

/** Waits until readiness is as told, with these parts in its body. */
async function untilReadiness(node: NodeProcess, status: 200 | 503, body: object): Promise<void> {
  await expect.poll(() => node.readiness(), PATIENCE).toMatchObject({ status, body })
  // The API listener tells the same, and the process lives.
  const outside = await fetch(`${node.origin}/health/ready`)
  expect(outside.status).toBe(status)
  expect((await fetch(`${node.internalOrigin}/health/live`)).status).toBe(200)
}

const create = (node: NodeProcess, token: string, name: string): Promise<Response> =>
  node.api('/api/repos', token, { method: 'POST', body: JSON.stringify({ name }) })

/** Changes are refused in the one way, and reading goes on. */
async function expectReadOnly(node: NodeProcess, token: string): Promise<void> {
  const refused = await create(node, token, 'refused')
  expect(refused.status).toBe(503)
  expect(await refused.json()).toMatchObject({ error: 'unavailable' })
  expect(Number(refused.headers.get('retry-after'))).toBeGreaterThanOrEqual(1)
  expect((await node.api('/api/repos/alice/before', token)).status).toBe(200)
  expect((await node.api('/api/repos/alice/refused', token)).status).toBe(404)
}

async function expectWritable(node: NodeProcess, token: string, name: string): Promise<void> {
  await expect.poll(async () => (await create(node, token, name)).status, PATIENCE).toBe(201)
}

async function withRepository(node: NodeProcess): Promise<string> {
  const { token } = await node.createUser('alice')
  expect((await create(node, token, 'before')).status).toBe(201)
  return token
}

/** The node writes meanwhile: how much there is room for, only the disk can tell. */
function fillUp(filler: string): void {
  const descriptor = openSync(filler, 'w')
  try {
    for (const piece = Buffer.alloc(4_096); ;) writeSync(descriptor, piece)
  } catch (error) {
    expect(error).toMatchObject({ code: 'ENOSPC' })
  } finally {
    closeSync(descriptor)
  }
}

describe.skipIf(MOUNT_REFUSAL !== undefined)(`on a file system of its own (${MOUNT_REFUSAL ?? 'mounted'})`, () => {
  it('falls below the free space that is demanded, and rises above', async () => {
    using disk = new Tmpfs(128)
    await using node = await NodeProcess.start({ dataDirectory: disk.path, environment: { GUTS_MIN_FREE_MB: '64' } })
    const token = await withRepository(node)
    const filler = join(disk.path, 'filler')
    writeFileSync(filler, Buffer.alloc(80 * MB))
    await untilReadiness(node, 503, { status: 'not_ready', checks: { storage: { status: 'down' } } })
    await expect.poll(() => node.metric('guts_ready'), PATIENCE).toBe(0)
    expect(await node.metric('guts_health_check_up{check="storage"}')).toBe(0)
    await expectReadOnly(node, token)
    rmSync(filler)
    await untilReadiness(node, 200, { status: 'ready', checks: { storage: { status: 'up' } } })
    await expectWritable(node, token, 'after')
    await node.stop()
  })

  it('falls on a disk without a byte left, whatever is demanded', async () => {
    using disk = new Tmpfs(64)
    await using node = await NodeProcess.start({ dataDirectory: disk.path })
    const token = await withRepository(node)
    const filler = join(disk.path, 'filler')
    fillUp(filler)
    await untilReadiness(node, 503, { checks: { storage: { status: 'down' } } })
    await expectReadOnly(node, token)
    rmSync(filler)
    await untilReadiness(node, 200, { checks: { storage: { status: 'up' } } })
    await expectWritable(node, token, 'after')
    await node.stop()
  })

  it('falls when the data directory cannot be written', async () => {
    await using node = await NodeProcess.start()
    const token = await withRepository(node)
    const covered = join(node.dataDirectory, 'quarantine')
    coverReadOnly(covered)
    try {
      await untilReadiness(node, 503, { checks: { storage: { status: 'down' } } })
      await expectReadOnly(node, token)
    } finally {
      unmount(covered)
    }
    await untilReadiness(node, 200, { checks: { storage: { status: 'up' } } })
    await expectWritable(node, token, 'after')
  })
})

describe('the database', () => {
  it('held by another process makes readiness fall, until it lets go', async () => {
    await using node = await NodeProcess.start()
    const token = await withRepository(node)
    const script = `const db = new (require('node:sqlite').DatabaseSync)(process.argv[1]);
      db.exec('BEGIN EXCLUSIVE'); console.log('held'); setInterval(() => {}, 1000)`
    const holder = spawn(process.execPath, ['-e', script, join(node.dataDirectory, 'guts.db')], {
      env: cleanEnvironment(),
      stdio: ['ignore', 'pipe', 'inherit'],
    })
    try {
      await once(holder.stdout, 'data')
      await untilReadiness(node, 503, { checks: { storage: { status: 'down' } } })
      await expectReadOnly(node, token)
    } finally {
      holder.kill('SIGKILL')
    }
    await untilReadiness(node, 200, { checks: { storage: { status: 'up' } } })
    await expectWritable(node, token, 'after')
  })
})

describe('maintenance', () => {
  it('refuses changes and not reading within two seconds, until it is off', async () => {
    await using node = await NodeProcess.start()
    const token = await withRepository(node)
    expect((await node.guts('maintenance', 'on')).exitCode).toBe(0)
    const reasons = async (): Promise<unknown> => (await node.readiness())?.body['reasons']
    await expect.poll(reasons, { timeout: 2_000, interval: 20 }).toEqual(['maintenance'])
    await untilReadiness(node, 503, { status: 'not_ready', reasons: ['maintenance'] })
    await expectReadOnly(node, token)
    expect(JSON.parse((await node.guts('maintenance', 'status', '--json')).stdout)).toMatchObject({ maintenance: 'on' })
    expect((await node.guts('maintenance', 'off')).exitCode).toBe(0)
    await expect.poll(reasons, { timeout: 2_000, interval: 20 }).toBeUndefined()
    await untilReadiness(node, 200, { status: 'ready' })
    await expectWritable(node, token, 'after')
  })

  it('outlives the process', async () => {
    await using node = await NodeProcess.start()
    await node.guts('maintenance', 'on')
    await node.stop()
    await using again = await NodeProcess.start({ dataDirectory: node.dataDirectory, waitFor: 'live' })
    await expect.poll(() => again.readiness(), PATIENCE).toMatchObject({ body: { reasons: ['maintenance'] } })
    await again.stop()
  })
})

describe('SIGTERM', () => {
  it('makes readiness fall at once, lets the request at hand finish, and takes nothing new', async () => {
    await using node = await NodeProcess.start()
    const { token } = await node.createUser('alice')
    using held = await HeldRequest.begin(node.ports.api, '/api/repos', token, { name: 'last' })
    node.signal('SIGTERM')
    await expect.poll(() => node.readiness(), PATIENCE).toMatchObject({ status: 503, body: { reasons: ['draining'] } })
    await expect(fetch(`${node.origin}/health/live`)).rejects.toThrow(/fetch failed/)
    expect(node.running).toBe(true)
    expect(await held.finish()).toMatch(/HTTP\/1\.1 201 Created\r\n.*"name":"last"/s)
    expect(await node.ended()).toBe(0)
    expect(node.lines().at(-1)).toMatchObject({ msg: 'Stopped', operation: 'stop' })
    await using again = await NodeProcess.start({ dataDirectory: node.dataDirectory })
    expect((await again.api('/api/repos/alice/last', token)).status).toBe(200)
  })

  it('cuts off at the deadline what does not finish', async () => {
    await using node = await NodeProcess.start({ environment: { GUTS_DRAIN_TIMEOUT: '1' } })
    const { token } = await node.createUser('alice')
    using held = await HeldRequest.begin(node.ports.api, '/api/repos', token, { name: 'never' })
    expect(await node.stop()).toBe(0)
    expect(await held.closed()).not.toContain('201')
    expect(node.lines()).toContainEqual(expect.objectContaining({ msg: 'Connections were cut off', connections: 1 }))
  })

  it('twice ends at once', async () => {
    await using node = await NodeProcess.start({ environment: { GUTS_DRAIN_TIMEOUT: '3600' } })
    const { token } = await node.createUser('alice')
    using _held = await HeldRequest.begin(node.ports.api, '/api/repos', token, { name: 'never' })
    node.signal('SIGTERM')
    await expect.poll(() => node.readiness(), PATIENCE).toMatchObject({ status: 503 })
    expect(await node.stop()).toBe(1)
    expect(node.lines().at(-1)).toMatchObject({ msg: 'A second signal ends the process at once' })
  })
})

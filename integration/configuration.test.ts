/**
 * Each variable changes what a node does (DESIGN §4.2). Here: listeners, identity, logs, data, HTTP. Peers and git have
 * files of their own; the limits of each value are tested in src/config/limits.test.ts.
 */
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { connect } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { FIELDS } from '../src/config/fields.ts'
import { HeldRequest } from './support/held-request.ts'
import { NodeProcess } from './support/node-process.ts'

const FILES = ['configuration.test.ts', 'configuration-git.test.ts', 'configuration-peers.test.ts', 'readiness.test.ts']
const start = (environment: Record<string, string | undefined>): Promise<NodeProcess> =>
  NodeProcess.start({ environment })

it('every variable has a test of its effect', () => {
  const text = FILES.map((file) => readFileSync(join(import.meta.dirname, file), 'utf8')).join('\n')
  const untested = FIELDS.filter(({ env }) => !new RegExp(`\\b${env}\\b[^_]`).test(text))
  expect(untested.map(({ env }) => env)).toEqual([])
})

describe('listeners', () => {
  it('GUTS_API_ADDR, GUTS_METRICS_ADDR and GUTS_P2P_ADDR are where the node listens', async () => {
    await using node = await start({ GUTS_LOG_LEVEL: 'info' })
    const { api, internal, p2p } = node.ports
    expect((await fetch(`http://127.0.0.1:${api}/openapi.json`)).status).toBe(200)
    expect((await fetch(`http://127.0.0.1:${api}/metrics`)).status).toBe(404)
    expect((await fetch(`http://127.0.0.1:${internal}/metrics`)).status).toBe(200)
    expect((await fetch(`http://127.0.0.1:${internal}/api/repos`)).status).toBe(404)
    // Two libp2p hosts begin by telling each other what they speak.
    const socket = connect(p2p, '127.0.0.1')
    socket.write('\u0013/multistream/1.0.0\n')
    let greeting = ''
    socket.setEncoding('utf8').on('data', (text: string) => (greeting += text))
    await expect.poll(() => greeting).toBe('\u0013/multistream/1.0.0\n')
    socket.destroy()
  })
})

describe('identity', () => {
  it('GUTS_PRIVATE_KEY and GUTS_PRIVATE_KEY_FILE are the same key', async () => {
    const directory = mkdtempSync(join(tmpdir(), 'guts-configuration-'))
    const file = join(directory, 'key')
    const key = '77'.repeat(32)
    writeFileSync(file, `${key}\n`)
    const peerIds: unknown[] = []
    const ways = [{ GUTS_PRIVATE_KEY: key }, { GUTS_PRIVATE_KEY: undefined, GUTS_PRIVATE_KEY_FILE: file }]
    for (const environment of ways) {
      await using node = await start(environment)
      peerIds.push(node.lines().find(({ msg }) => msg === 'Started')?.['peer_id'])
      expect(node.stdout).not.toContain(key)
    }
    expect(peerIds[0]).toMatch(/^12D3KooW/)
    expect(peerIds[1]).toBe(peerIds[0])
    rmSync(directory, { recursive: true })
  })
})

describe('logs', () => {
  const LEVELS = ['trace', 'debug', 'info', 'warn', 'error', 'fatal']

  it.each([
    { level: 'error', expected: [] },
    { level: 'info', expected: ['info'] },
    { level: 'trace', expected: ['debug', 'info', 'trace'] },
  ])('GUTS_LOG_LEVEL=$level writes what is as severe', async ({ level, expected }) => {
    await using node = await start({ GUTS_LOG_LEVEL: level })
    expect(await node.stop()).toBe(0)
    const lines = node.lines()
    const lessSevere = LEVELS.slice(0, LEVELS.indexOf(level))
    expect(lines.filter((line) => lessSevere.includes(String(line['level'])))).toEqual([])
    // A busy machine may be a reason for a warning as well.
    expect(lines.map((line) => line['level'])).toEqual(expect.arrayContaining(expected))
  })

  it('GUTS_LOG_FORMAT=pretty is for people', async () => {
    await using node = await start({ GUTS_LOG_FORMAT: 'pretty' })
    expect(() => node.lines()).toThrow(SyntaxError)
    expect(node.stdout).toMatch(/INFO.*Started/)
  })
})

describe('data', () => {
  it('GUTS_DATA_DIR is where everything lies', async () => {
    await using node = await start({})
    for (const name of ['guts.db', 'repositories', 'node.lock']) {
      expect(existsSync(join(node.dataDirectory, name))).toBe(true)
    }
  })

  it('GUTS_MIN_FREE_MB more than there is keeps the node from writing', async () => {
    await using node = await NodeProcess.start({ environment: { GUTS_MIN_FREE_MB: '1000000' }, waitFor: 'live' })
    const { token } = await node.createUser('alice')
    const free = (await node.metric('guts_storage_free_bytes')) ?? 0
    // A disk with a terabyte to spare is no place for this test.
    if (free > 1_000_000 * 2 ** 20) return
    const response = await node.api('/api/repos', token, { method: 'POST', body: '{"name":"site"}' })
    expect(response.status).toBe(503)
    await expect
      .poll(() => node.readiness())
      .toMatchObject({ status: 503, body: { checks: { storage: { status: 'down' } } } })
  })

  it('GUTS_DEFAULT_BRANCH is HEAD of a new repository', async () => {
    await using node = await start({ GUTS_DEFAULT_BRANCH: 'trunk' })
    const { token } = await node.createUser('alice')
    const body = '{"name":"site"}'
    const made = await node.api('/api/repos', token, { method: 'POST', body })
    expect(await made.json()).toMatchObject({ default_branch: 'trunk' })
    const head = join(node.dataDirectory, 'repositories/alice/site.git/HEAD')
    expect(readFileSync(head, 'utf8')).toBe('ref: refs/heads/trunk\n')
  })
})

describe('HTTP', () => {
  it('GUTS_MAX_CONNECTIONS: one more is told so', async () => {
    await using node = await start({ GUTS_MAX_CONNECTIONS: '2' })
    const idle = await Promise.all([1, 2].map(() => opened(node.ports.api)))
    await expect.poll(() => node.metric('guts_http_connections{listener="api"}')).toBe(2)
    const refused = await fetch(`${node.origin}/api/repos`)
    expect(refused.status).toBe(503)
    for (const socket of idle) socket.destroy()
    await expect.poll(() => node.metric('guts_http_connections{listener="api"}')).toBeLessThan(2)
    expect((await fetch(`${node.origin}/api/repos`)).status).toBe(200)
  })

  it.each([
    // Read, and found to be no push.
    { bytes: 2 ** 20, status: 200 },
    { bytes: 2 ** 20 + 1, status: 413 },
  ])('GUTS_MAX_REQUEST_SIZE_MB: $bytes bytes are answered with $status', async ({ bytes, status }) => {
    await using node = await start({ GUTS_MAX_REQUEST_SIZE_MB: '1' })
    const { token } = await node.createUser('alice')
    await node.api('/api/repos', token, { method: 'POST', body: '{"name":"site"}' })
    const response = await fetch(`${node.origin}/git/alice/site/git-receive-pack`, {
      method: 'POST',
      body: Buffer.alloc(bytes),
      headers: { 'content-type': 'application/x-git-receive-pack-request', authorization: `Bearer ${token}` },
    })
    expect(response.status).toBe(status)
    if (status === 413) expect(await response.text()).toContain('1048576')
  })

  it('GUTS_MAX_JSON_SIZE_KB: its last byte and one more', async () => {
    await using node = await start({ GUTS_MAX_JSON_SIZE_KB: '1' })
    const { token } = await node.createUser('alice')
    const send = (name: string, bytes: number) =>
      node.api('/api/repos', token, { method: 'POST', body: `{"name":"${name}"}`.padEnd(bytes) })
    expect((await send('site', 1024)).status).toBe(201)
    expect((await send('other', 1025)).status).toBe(413)
  })

  it('GUTS_REQUEST_TIMEOUT: a body that does not come is given up', async () => {
    await using node = await start({ GUTS_REQUEST_TIMEOUT: '1' })
    const { token } = await node.createUser('alice')
    using held = await HeldRequest.begin(node.ports.api, '/api/repos', token, { name: 'site' })
    await expect.poll(() => held.received, { timeout: 10_000 }).toMatch(/HTTP\/1\.1 504 .*took longer than 1 s/s)
    expect(await node.metric('guts_timeouts_total{operation="request"}')).toBe(1)
  })

  it('GUTS_RATE_LIMIT: so many for a user, a tenth for an address', async () => {
    await using node = await start({ GUTS_RATE_LIMIT: '20' })
    const { token } = await node.createUser('alice')
    const statusesOf = async (count: number, credentials?: string): Promise<number[]> => {
      const statuses: number[] = []
      for (let i = 0; i < count; i++) statuses.push((await node.api('/api/repos', credentials)).status)
      return statuses
    }
    expect(await statusesOf(21, token)).toEqual([...Array.from({ length: 20 }, () => 200), 429])
    expect(await statusesOf(3)).toEqual([200, 200, 429])
  })

  it('GUTS_CORS_ORIGINS: pages of this origin may ask, others not', async () => {
    await using node = await start({ GUTS_CORS_ORIGINS: 'https://app.example.org' })
    const allowed = async (origin: string): Promise<string | null> =>
      (await fetch(`${node.origin}/api/repos`, { headers: { origin } })).headers.get('access-control-allow-origin')
    expect(await allowed('https://app.example.org')).toBe('https://app.example.org')
    expect(await allowed('https://evil.example.org')).toBeNull()
  })

  it.each([
    { proxies: '127.0.0.0/8', statuses: [200, 200] },
    { proxies: undefined, statuses: [200, 429] },
  ])('GUTS_TRUSTED_PROXIES=$proxies: who the client is', async ({ proxies, statuses }) => {
    await using node = await start({ GUTS_TRUSTED_PROXIES: proxies, GUTS_RATE_LIMIT: '10' })
    const ask = async (client: string): Promise<number> =>
      (await fetch(`${node.origin}/api/repos`, { headers: { 'x-forwarded-for': client } })).status
    expect([await ask('192.0.2.1'), await ask('192.0.2.2')]).toEqual(statuses)
  })

  it('GUTS_PUBLIC_URL: addresses that are handed out begin with it', async () => {
    await using node = await start({ GUTS_PUBLIC_URL: 'https://git.example.org' })
    const { token } = await node.createUser('alice')
    const made = await node.api('/api/repos', token, { method: 'POST', body: '{"name":"site"}' })
    expect(await made.json()).toMatchObject({ clone_url: 'https://git.example.org/git/alice/site' })
  })
})

async function opened(port: number) {
  const socket = connect(port, '127.0.0.1')
  await new Promise<void>((resolve) => socket.once('connect', resolve))
  return socket
}

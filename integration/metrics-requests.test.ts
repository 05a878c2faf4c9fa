/** I10: metrics of requests, people and storage move by exactly the right amount (Done when 6). */
import { readdirSync, statfsSync, statSync } from 'node:fs'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { MeteredNode, rejection, REPOSITORY_ROUTE, storageOperation } from './support/metered-node.ts'
import {
  type Change,
  changes,
  expectChange,
  freshScrape,
  keyOf,
  parseMetrics,
  scrape,
  sum,
  type Series,
} from './support/metrics.ts'
import { blob, commit, pack, tree, whole } from './support/pack-maker.ts'
import { Random } from './support/random.ts'
import { ask, exchange, type RawRequest } from './support/raw-http.ts'
import { command, postHeaders, pushBody } from './support/wire.ts'

const PATIENCE = { timeout: 10_000, interval: 50 }

let metered: MeteredNode

beforeAll(async () => {
  metered = await MeteredNode.start()
  await metered.create('site')
})

afterAll(() => metered[Symbol.asyncDispose]())

/** One after another: each begins with what the last one left. */
let last: Series | undefined
async function expectMore(action: () => Promise<Change>): Promise<void> {
  const before = last
  last = undefined
  last = await expectChange(metered.node.ports.internal, action, before)
}

describe('requests', () => {
  const rows: readonly (readonly [string, () => RawRequest, string, number, Change?])[] = [
    ['a list', () => ({ path: '/api/repos' }), '/api/repos', 200],
    [
      'a list, compressed',
      () => ({ path: '/openapi.json', headers: { 'Accept-Encoding': 'gzip' } }),
      '/openapi.json',
      200,
    ],
    ['a head', () => ({ method: 'HEAD', path: '/api/repos' }), '/api/repos', 200],
    ['health', () => ({ path: '/health/live' }), '/health/live', 200],
    ['an unknown address', () => ({ path: '/a/b/c' }), '_unmatched', 404],
    [
      'an unknown address, by a known caller',
      () => ({ path: '/a', headers: metered.authorization }),
      '_unmatched',
      404,
    ],
    ['a wrong method', () => ({ method: 'DELETE', path: '/api/repos' }), '/api/repos', 405],
    ['no credentials', () => ({ path: '/api/user' }), '/api/user', 401],
    ['a hidden repository', () => ({ path: '/api/repos/alice/none' }), REPOSITORY_ROUTE, 404],
    ['bad JSON', () => ({ method: 'POST', path: '/api/repos', body: '{', headers: metered.json }), '/api/repos', 400],
    [
      'a wrong field',
      () => ({ method: 'POST', path: '/api/repos', body: '{"name":"N"}', headers: metered.json }),
      '/api/repos',
      422,
    ],
    [
      'a wrong type',
      () => ({ method: 'POST', path: '/api/repos', body: 'x', headers: metered.authorization }),
      '/api/repos',
      415,
    ],
    [
      'a long body',
      () => ({
        method: 'PATCH',
        path: '/api/repos/alice/site',
        body: JSON.stringify({ description: 'x'.repeat(480) }),
        headers: metered.json,
      }),
      REPOSITORY_ROUTE,
      200,
    ],
    [
      'a repository that is made',
      () => ({ method: 'POST', path: '/api/repos', body: '{"name":"made"}', headers: metered.json }),
      '/api/repos',
      201,
      { guts_repositories_total: 1, ...storageOperation('repository_create') },
    ],
    [
      'a name that is taken',
      () => ({ method: 'POST', path: '/api/repos', body: '{"name":"made"}', headers: metered.json }),
      '/api/repos',
      409,
      storageOperation('repository_create'),
    ],
    [
      'a repository that is deleted',
      () => ({ method: 'DELETE', path: '/api/repos/alice/made', headers: metered.authorization }),
      REPOSITORY_ROUTE,
      204,
      { guts_repositories_total: -1, ...storageOperation('repository_delete') },
    ],
  ]
  it.for(rows)('%s', async ([, request, route, status, more = {}]) => {
    await expectMore(async () => sum(await metered.request(request(), route, status), more))
  })

  it('on the internal listener, and to /metrics itself', async () => {
    await expectMore(() =>
      metered.request({ path: '/health/startup' }, '/health/startup', 200, metered.node.ports.internal),
    )
    const first = await scrape(metered.node.ports.internal)
    await expect.poll(() => scrape(metered.node.ports.internal), PATIENCE).toContain('path="/metrics"')
    const requests = keyOf('guts_http_requests_total', { method: 'GET', path: '/metrics', status: 200 })
    const bytes = keyOf('guts_http_response_size_bytes_sum', { method: 'GET', path: '/metrics' })
    // The end of a scrape is in the next one, a moment later.
    const before = await settled(requests, (parseMetrics(first).get(requests) ?? 0) + 1)
    const between = await scrape(metered.node.ports.internal)
    const after = await scrape(metered.node.ports.internal)
    const delta = (key: string): number => (parseMetrics(after).get(key) ?? 0) - (parseMetrics(before).get(key) ?? 0)
    await expect.poll(async () => delta(requests), PATIENCE).toBe(2)
    expect(delta(bytes)).toBe(Buffer.byteLength(before) + Buffer.byteLength(between))
  })

  it('that are no requests', async () => {
    await expectMore(async () => {
      expect((await exchange(metered.node.ports.api, Buffer.from('nonsense\r\n\r\n'))).status).toBe(400)
      return {
        [keyOf('guts_http_requests_total', { method: '_OTHER', path: '_unmatched', status: 400 })]: 1,
        ...rejection('malformed'),
      }
    })
  })
})

/** A scrape in which the series has at least this value. */
async function settled(series: string, value: number): Promise<string> {
  for (;;) {
    const text = await scrape(metered.node.ports.internal)
    if ((parseMetrics(text).get(series) ?? 0) >= value) return text
  }
}

describe('people', () => {
  it('who are made beside the running node', async () => {
    await expectMore(async () => {
      expect((await metered.node.guts('user', 'create', 'bob')).exitCode).toBe(0)
      return { guts_users_total: 1 }
    })
  })
})

describe('storage', () => {
  it('its size is that of packs and database, its free space that of the file system', async () => {
    // Large and not to be compressed: far more than the database grows while we look.
    const data = blob(new Random(1).text(500_000))
    const top = tree(['100644', 'data', data.oid])
    const first = commit(top.oid)
    const incoming = pack([data, top, first].map((one) => whole(one)))
    const body = pushBody([command('refs/heads/main', first.oid)], incoming)
    const headers = postHeaders({ service: 'git-receive-pack', version: '0', token: metered.token, headers: {} })
    const path = '/git/alice/site/git-receive-pack'
    expect((await ask(metered.node.ports.api, { method: 'POST', path, headers, body })).status).toBe(200)
    const folder = join(metered.node.dataDirectory, 'repositories/alice/site.git/objects/pack')
    const packBytes = readdirSync(folder).reduce((total, name) => total + statSync(join(folder, name)).size, 0)
    expect(packBytes).toBeGreaterThan(300_000)
    const databaseBytes = (): number =>
      ['', '-wal', '-shm'].reduce(
        (total, suffix) => total + statSync(join(metered.node.dataDirectory, `guts.db${suffix}`)).size,
        0,
      )
    const atLeast = packBytes + databaseBytes()
    const size = (await freshScrape(metered.node.ports.internal)).get('guts_storage_size_bytes')
    // Each look is a write of its own (the health check): the log of the database grows between two of ours.
    expect(size).toBeGreaterThanOrEqual(atLeast)
    expect(size).toBeLessThanOrEqual(packBytes + databaseBytes())
    // Others use the disk, too: a moment will come when nobody does.
    await expect
      .poll(async () => {
        const free = (await freshScrape(metered.node.ports.internal)).get('guts_storage_free_bytes')
        const { bavail, bsize } = statfsSync(metered.node.dataDirectory)
        return free === bavail * bsize
      }, PATIENCE)
      .toBe(true)
  })

  it('each look at the database and each health check is counted', async () => {
    const key = (name: string): string => keyOf('guts_storage_operation_duration_seconds_count', { operation: name })
    const before = await freshScrape(metered.node.ports.internal)
    const startedAtMs = performance.now()
    for (let i = 0; i < 20; i++)
      expect((await ask(metered.node.ports.api, { path: '/api/user', headers: metered.authorization })).status).toBe(
        200,
      )
    for (let i = 0; i < 20; i++) expect((await ask(metered.node.ports.api, { path: '/health/ready' })).status).toBe(200)
    const after = await freshScrape(metered.node.ports.internal)
    const seconds = (performance.now() - startedAtMs) / 1_000
    const counted = changes(before, after, [])
    // The user, for each of twenty; the token as well, unless nothing has changed since. Besides, the node looks after
    // itself: a few statements a second.
    expect(counted[key('database_read')]).toBeGreaterThanOrEqual(20)
    expect(counted[key('database_read')]).toBeLessThanOrEqual(40 + 20 * (seconds + 1))
    // Of the twenty probes and the scrapes, at most one a second does the work; each has its probe of the database.
    expect(counted[key('health_check')]).toBeGreaterThanOrEqual(1)
    expect(counted[key('health_check')]).toBeLessThanOrEqual(seconds + 2)
    expect(counted[key('database_write')]).toBeGreaterThanOrEqual(counted[key('health_check')] ?? 0)
    expect(counted[key('database_write')]).toBeLessThanOrEqual((counted[key('health_check')] ?? 0) + seconds + 2)
  })
})

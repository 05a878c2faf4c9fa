/** I9: every line of the log belongs to the right request, repository and user under any interleaving (Done when 5). */
import { randomInt } from 'node:crypto'
import { readdirSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { drawKind, type Person, type World } from './attribution-requests.ts'
import { newIds, send, sendHalf, sendMalformed, type Sent } from './attribution-send.ts'
import { run } from './support/command-line.ts'
import { Git, temporaryFolder } from './support/git.ts'
import { type LogLine, NodeProcess } from './support/node-process.ts'
import { Random } from './support/random.ts'
import { TraceCollector } from './support/trace-collector.ts'

const SEED = Number(process.env['INTEGRATION_SEED'] ?? randomInt(2 ** 32))
const REQUESTS = 200
const GIT_PROCESSES = 24
/** From one address: five more than it may. An address may make a tenth of what a user may. */
const RATE_LIMIT = 400
const GREEDY = RATE_LIMIT / 10 + 5
const COSTS = ['bytes_in', 'bytes_out', 'queue_ms', 'duration_ms'] as const
const UUID = /^[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}$/

const random = new Random(SEED)
const folder = temporaryFolder('attribution')
const sent: Sent[] = []
let lines: LogLine[]
let collector: TraceCollector
let node: NodeProcess
let world: World

beforeAll(async () => {
  collector = await TraceCollector.start()
  node = await NodeProcess.start({
    damaged: true,
    environment: {
      ...collector.environment,
      GUTS_LOG_LEVEL: 'trace',
      GUTS_REQUEST_TIMEOUT: '10',
      GUTS_RATE_LIMIT: String(RATE_LIMIT),
      GUTS_TRUSTED_PROXIES: '127.0.0.0/8',
    },
  })
  world = await makeWorld()
}, 120_000)

afterAll(async () => {
  await node[Symbol.asyncDispose]()
  await collector[Symbol.asyncDispose]()
  folder[Symbol.dispose]()
})

describe(`log lines of ${REQUESTS} requests at once, seed ${SEED} (INTEGRATION_SEED)`, () => {
  it('requests are answered as they should be', async () => {
    const { api } = node.ports
    const plain = Array.from({ length: REQUESTS - GIT_PROCESSES - 8 }, (_, number) => {
      const kind = drawKind(random, world, number)
      return send(api, kind, `192.0.2.${number % 200}`, number % 2 === 0)
    })
    const halves = [true, true, true, false].map((leaves) => sendHalf(api, random.pick(world.people), leaves))
    const malformed = Array.from({ length: 4 }, () => sendMalformed(api))
    const git = Array.from({ length: GIT_PROCESSES }, (_, number) => runGit(number))
    sent.push(...(await Promise.all([...plain, ...halves, ...malformed, ...git])).flat())

    const ask = (path: string, status: number) =>
      send(api, { name: `too many: ${status}`, route: '/api/repos', request: { path }, status }, '198.51.100.7', true)
    for (let i = 0; i < GREEDY; i++) sent.push(await ask('/api/repos', i < RATE_LIMIT / 10 ? 200 : 429))
    expect((await node.guts('maintenance', 'on')).exitCode).toBe(0)
    await expect.poll(() => node.readiness()).toMatchObject({ status: 503 })
    const [caller] = world.people as [Person]
    const request = {
      method: 'POST',
      path: '/api/repos',
      body: '{"name":"later"}',
      headers: { Authorization: `Bearer ${caller.token}`, 'Content-Type': 'application/json' },
    }
    sent.push(
      await send(api, { name: 'maintenance', route: '/api/repos', request, caller, status: 503 }, '192.0.2.1', true),
    )
    expect((await node.guts('maintenance', 'off')).exitCode).toBe(0)
    await expect.poll(() => node.readiness()).toMatchObject({ status: 200 })
    expect(await node.stop()).toBe(0)
    lines = node.lines()
    expect(sent.length).toBeGreaterThan(REQUESTS)
  })

  it('each has exactly one access line, with its own costs', () => {
    // A process of git uses one id for all its requests.
    const keyOf = (one: LogLine): string =>
      [one['request_id'], one['method'], one['route'], one['status']].map(String).join(' ')
    const ids = new Set(sent.map(({ requestId }) => requestId))
    const access = lines.filter((line) => line['msg'] === 'Request' && ids.has(String(line['request_id'])))
    const expected = sent.map((one) => keyOf({ ...one, request_id: one.requestId }))
    expect(access.map(keyOf).sort()).toEqual(expected.sort())

    const incomplete = access.filter((line) => {
      // What the server can do, which protocol 2 asks for first, is no operation yet.
      const isGit = /^\/git.*-pack$/.test(String(line['route'])) && line['status'] === 200
      const costs = [...COSTS, ...(isGit ? ['git_version'] : []), ...('pack_bytes' in line ? ['objects'] : [])]
      return line['route'] !== '_unmatched' && costs.some((name) => line[name] === undefined)
    })
    expect(incomplete).toEqual([])
  })

  it('clones and pushes say what they moved', () => {
    const moved = lines.filter((line) => typeof line['pack_bytes'] === 'number' && line['git_result'] === 'ok')
    // A pack of no objects has 32 bytes: a push of what is there already.
    expect(moved.filter((line) => line['objects'] === undefined || Number(line['pack_bytes']) < 32)).toEqual([])
    const processes = new Set(sent.filter(({ kind }) => kind.startsWith('git ')).map(({ kind }) => kind))
    const ids = new Set(sent.filter(({ kind }) => kind.startsWith('git ')).map(({ requestId }) => requestId))
    expect(moved.filter((line) => ids.has(String(line['request_id']))).length).toBe(processes.size)
  })

  it('each line of them names the right user and repository', () => {
    const wrong = sent.flatMap(({ kind, requestId, userId, repository }) =>
      linesOf(requestId)
        .filter((line) => line['user_id'] !== userId || line['repository'] !== repository || 'operation' in line)
        .map((line) => ({ kind, userId, repository, line })),
    )
    expect(wrong).toEqual([])
    // Lines that are not about access are among them.
    const others = sent.flatMap(({ requestId }) => linesOf(requestId).filter(({ msg }) => msg !== 'Request'))
    expect(new Set(others.map(({ msg }) => msg))).toContain('A request failed')
  })

  it('every line of the run has its ids, and belongs to a request or names its operation', () => {
    expect(lines.filter((line) => !UUID.test(String(line['request_id'])))).toEqual([])
    expect(lines.filter((line) => !/^[0-9a-f]{32}$/.test(String(line['trace_id'])))).toEqual([])
    const ofRequests = new Set(lines.filter(({ msg }) => msg === 'Request').map((line) => line['request_id']))
    expect(
      lines.filter((line) => !ofRequests.has(line['request_id']) && typeof line['operation'] !== 'string'),
    ).toEqual([])
    const operations = new Set(lines.map((line) => line['operation']))
    for (const operation of ['boot', 'write_conditions', 'stop']) expect(operations).toContain(operation)
  })

  it('each line belongs to the trace of its request, and to a span of that trace', () => {
    const spans = new Map(collector.spans().map((span) => [span.spanId, span]))
    const wrong = sent.flatMap((one) => {
      const own = linesOf(one.requestId).filter((line) => line['route'] === undefined || line['route'] === one.route)
      return own.filter((line) => {
        if (one.traceId !== undefined && line['trace_id'] !== one.traceId) return true
        return one.traced && spans.get(String(line['span_id']))?.traceId !== line['trace_id']
      })
    })
    expect(wrong).toEqual([])
    // One trace for each request that named none itself.
    const traces = sent
      .filter(({ traceId }) => traceId === undefined)
      .map(({ requestId }) => linesOf(requestId)[0]?.['trace_id'])
    expect(new Set(traces).size).toBe(traces.length)
    const roots = new Set([...spans.values()].map(({ name, traceId }) => `${traceId} ${name}`))
    const missing = sent.filter((one) => {
      const [line] = linesOf(one.requestId)
      return one.traced && !roots.has(`${String(one.traceId ?? line?.['trace_id'])} ${one.method} ${one.route}`)
    })
    expect(missing).toEqual([])
  })
})

function linesOf(requestId: string): LogLine[] {
  return lines.filter((line) => line['request_id'] === requestId)
}

async function makeWorld(): Promise<World> {
  const people = await Promise.all(
    ['alice', 'bob', 'carol'].map(async (username): Promise<Person> => {
      const { token } = await node.createUser(username)
      const { id } = (await (await node.api('/api/user', token)).json()) as { id: string }
      return { username, token, userId: id }
    }),
  )
  const repositories = people.flatMap((owner) =>
    ['site', 'vault'].map((name) => ({ owner, name, hidden: name === 'vault' })),
  )
  const [alice] = people as [Person]
  const all = [...repositories, { owner: alice, name: 'broken', hidden: false }]
  const git = new Git(folder.path)
  await git.run('init', '--quiet', '--initial-branch=main', 'seed')
  for (const { owner, name, hidden } of all) {
    writeFileSync(join(folder.path, 'seed/README'), `${owner.username}/${name}\n`)
    await git.in('seed').commit(name)
    const made = await node.api('/api/repos', owner.token, {
      method: 'POST',
      body: JSON.stringify({ name, private: hidden }),
    })
    expect(made.status).toBe(201)
    await git.in('seed').run('push', '--quiet', urlOf(owner, name), 'HEAD:refs/heads/main')
  }
  const packs = join(node.dataDirectory, 'repositories/alice/broken.git/objects/pack')
  for (const name of readdirSync(packs)) rmSync(join(packs, name))
  return { people, repositories, broken: 'alice/broken' }
}

function urlOf({ username, token }: Person, name: string, owner = username): string {
  return `http://${username}:${token}@127.0.0.1:${node.ports.api}/git/${owner}/${name}.git`
}

/** A clone by anybody, or a push by the owner, with real git; it says itself which requests it made. */
async function runGit(number: number): Promise<Sent[]> {
  const { owner, name, hidden } = random.pick(world.repositories)
  const caller = hidden || random.chance(0.5) ? owner : random.pick(world.people)
  const pushes = caller === owner && random.chance(0.5)
  const ids = random.chance(0.5) ? newIds() : undefined
  const credentials = Buffer.from(`${caller.username}:${caller.token}`).toString('base64')
  const headers = { Authorization: `Basic ${credentials}`, 'X-Forwarded-For': `203.0.113.${number}`, ...ids?.headers }
  const options = Object.entries(headers).flatMap(([key, value]) => ['-c', `http.extraHeader=${key}: ${value}`])
  const url = `http://127.0.0.1:${node.ports.api}/git/${owner.username}/${name}.git`
  const args = pushes ? ['push', url, `HEAD:refs/heads/branch-${number}`] : ['clone', url, `clone-${number}`]
  const cwd = pushes ? join(folder.path, 'seed') : folder.path
  const { exitCode, stderr } = await run(
    'git',
    [...options, ...args],
    { GIT_TRACE_CURL: '1', GIT_TRACE_CURL_NO_DATA: '1', HOME: folder.path },
    { cwd },
  )
  expect(exitCode, stderr).toBe(0)
  return requestsOf(stderr).map((request) => ({
    ...request,
    kind: `git ${args[0]} ${number}`,
    userId: caller.userId,
    repository: `${owner.username}/${name}`,
    traceId: ids?.traceId,
    traced: true,
  }))
}

/** @param trace what git says with GIT_TRACE_CURL */
function requestsOf(trace: string): Pick<Sent, 'requestId' | 'method' | 'route' | 'status'>[] {
  const requests: { requestId: string; method: string; route: string; status: number }[] = []
  for (const line of trace.split('\n')) {
    const [, method, service] = /=> Send header: (GET|POST) \/git\/[^/]+\/[^/]+\/([\w/-]+)/.exec(line) ?? []
    if (method !== undefined)
      requests.push({ requestId: '', method, route: `/git/{owner}/{name}/${service}`, status: 0 })
    const last = requests.at(-1)
    if (last === undefined) continue
    last.status = Number(/<= Recv header: HTTP\/1\.1 (\d+)/.exec(line)?.[1] ?? last.status)
    last.requestId = /<= Recv header: X-Request-Id: (\S+)/i.exec(line)?.[1] ?? last.requestId
  }
  return requests
}

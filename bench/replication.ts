/** What replication takes, beside a raw stream of the same libp2p; and what the policies cost a small request. */
import { execFileSync } from 'node:child_process'
import { randomBytes } from 'node:crypto'
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { setTimeout as delay } from 'node:timers/promises'
import pino from 'pino'
import { Git } from '../integration/support/git.ts'
import { NodeHost } from '../integration/support/hosts.ts'
import type { NodeProcess } from '../integration/support/node-process.ts'
import { addMirror, addressOf, startPeer } from '../integration/support/peers.ts'
import { createMetrics } from '../src/observability/metrics.ts'
import { OutboundPolicies } from '../src/resilience/outbound.ts'
import type { BenchContext } from './context.ts'
import { BENCH_ENVIRONMENT } from './hosts.ts'
import { median, timeOf } from './measure.ts'
import { RawClient, type Target } from './raw-client.ts'
import { RawPeer } from './raw-stream.ts'
import type { Row } from './row.ts'

const MEBIBYTE = 2 ** 20
const FILES = 200
const FILE_BYTES = 256 * 1024
const ROUNDS = 7
const POLL_MS = 2
const WAIT_MS_MAX = 120_000
/** What a mirror logs when it has applied what it fetched. */
const UP_TO_DATE = 'A mirror was brought up to date'
const SMALL_PUSHES = 30
const SMALL_REQUESTS = 2_000
const WARM_UP_REQUESTS = 1_000

export async function replicationRows({ folder }: BenchContext): Promise<Row[]> {
  const stack = new AsyncDisposableStack()
  await using _all = stack
  const [home, first, second] = [
    stack.use(await startPeer(0, BENCH_ENVIRONMENT)),
    stack.use(await startPeer(1, BENCH_ENVIRONMENT)),
    stack.use(await startPeer(2, BENCH_ENVIRONMENT)),
  ] as const
  const host = await NodeHost.on(home)
  await addMirror(first, addressOf(home))
  const large = await largeRow(folder, host, first)
  await addMirror(second, addressOf(home))
  return [large, await smallRow(folder, host, [first, second]), await policyRow()]
}

/** Files that do not compress: what is measured is moving, checking and storing bytes. */
async function largeRow(folder: string, host: NodeHost, mirror: NodeProcess): Promise<Row> {
  const times: [number[], number[]] = [[], []]
  let packBytes = 0
  for (let round = 0; round < ROUNDS; round++) {
    const name = `large-${round}`
    const { pack, oid } = await makePack(join(folder, name))
    packBytes = pack.length
    await host.create(name, { private: false })
    const onMirror = new RawClient({ url: `${mirror.origin}/git/${host.username}/${name}.git` })
    await until(onMirror, () => true)
    const client = new RawClient(targetOf(host, name))
    await client.push('refs/heads/main', oid, pack)
    const updates = countOf(mirror)
    times[0].push(
      await timeOf(async () => {
        // Asking for the refs all the time would take from the mirror what is measured.
        for (const endMs = performance.now() + WAIT_MS_MAX; countOf(mirror) === updates;) {
          if (performance.now() > endMs) throw new Error('The mirror did not say that it is up to date')
          await delay(POLL_MS)
        }
        await until(onMirror, (refs) => refs.includes(oid))
      }),
    )
    for (const one of [client, onMirror]) one.close()
    await using peer = await RawPeer.start()
    times[1].push(await timeOf(() => peer.receive(packBytes)))
  }
  const [ours, raw] = [median(times[0]), median(times[1])]
  return {
    what: `replication of ${(packBytes / MEBIBYTE).toFixed(0)} MiB, ${FILES} files`,
    guts: `${ours.toFixed(0)} ms`,
    anchor: `${raw.toFixed(0)} ms (raw stream)`,
    value: { number: raw / ours, unit: '× the rate' },
    goal: { atLeast: 0.4 },
  }
}

async function smallRow(folder: string, host: NodeHost, mirrors: readonly NodeProcess[]): Promise<Row> {
  const { url } = await host.create('small', { private: false })
  const path = join(folder, 'small')
  execFileSync('git', ['init', '--quiet', '--initial-branch=main', path])
  const git = new Git(path)
  const clients = mirrors.map((mirror) => new RawClient({ url: `${mirror.origin}/git/${host.username}/small.git` }))
  for (const client of clients) await until(client, () => true)
  const times: number[] = []
  for (let push = 0; push < SMALL_PUSHES; push++) {
    await git.commit(`small ${push}`)
    const oid = await git.run('rev-parse', 'HEAD')
    await git.run('push', '--quiet', url, 'main')
    times.push(await timeOf(() => Promise.all(clients.map((client) => until(client, (refs) => refs.includes(oid))))))
  }
  for (const client of clients) client.close()
  const ours = median(times)
  return {
    what: 'a small push, from its answer to being visible on two mirrors, median',
    guts: `${ours.toFixed(0)} ms`,
    anchor: '',
    value: { number: ours, unit: 'ms' },
    goal: { atMost: 500 },
  }
}

/** The same small exchange of two libp2p hosts, bare and through all outbound policies; who is first takes turns. */
async function policyRow(): Promise<Row> {
  const metrics = createMetrics({ routePaths: [], version: '0', onCollectError: () => {} })
  const policies = new OutboundPolicies(
    { dependency: 'peer', attemptTimeoutMs: 10_000, attemptsMax: 3, breakerThreshold: 5, isTransient: () => true },
    { metrics, logger: pino({ level: 'silent' }) },
  )
  await using peer = await RawPeer.start()
  const never = new AbortController().signal
  const call = { name: 'status', idempotent: true, ends: 'deadline', signal: never } as const
  const kinds = [() => policies.run('peer', call, () => peer.echo()), () => peer.echo()] as const
  const times: [number[], number[]] = [[], []]
  for (let at = -WARM_UP_REQUESTS; at < SMALL_REQUESTS; at++) {
    for (const kind of at % 2 === 0 ? ([0, 1] as const) : ([1, 0] as const)) {
      const timeMs = await timeOf(kinds[kind])
      // As in a node that has run for a while: compiled by the time that it is measured.
      if (at >= 0) times[kind].push(timeMs)
    }
  }
  const [ours, bare] = [median(times[0]), median(times[1])]
  return {
    what: 'a small exchange with a peer through all outbound policies, median',
    guts: `${(ours * 1_000).toFixed(0)} µs`,
    anchor: `${(bare * 1_000).toFixed(0)} µs (bare)`,
    value: { number: ours / bare, unit: '× the time' },
    goal: { atMost: 1.1 },
  }
}

async function makePack(path: string): Promise<{ pack: Buffer; oid: string }> {
  execFileSync('git', ['init', '--quiet', '--initial-branch=main', path])
  for (let file = 0; file < FILES; file++) writeFileSync(join(path, `${file}.bin`), randomBytes(FILE_BYTES))
  const git = new Git(path)
  await git.commit('files')
  const oid = await git.run('rev-parse', 'HEAD')
  const pack = execFileSync('git', ['pack-objects', '--quiet', '--revs', '--stdout'], {
    cwd: path,
    input: 'HEAD\n',
    maxBuffer: 2 ** 30,
  })
  return { pack, oid }
}

function targetOf({ node, username, token }: NodeHost, name: string): Target {
  const authorization = `Basic ${Buffer.from(`${username}:${token}`).toString('base64')}`
  return { url: `${node.origin}/git/${username}/${name}.git`, authorization }
}

function countOf(mirror: NodeProcess): number {
  return mirror.stdout.split(UP_TO_DATE).length
}

/** Asks for the refs until they are as wanted; a repository that is not there yet is no error. */
async function until(client: RawClient, isWanted: (refs: string) => boolean): Promise<void> {
  for (const endMs = performance.now() + WAIT_MS_MAX; performance.now() < endMs;) {
    const refs = await client.lsRefs().catch(() => undefined)
    if (refs !== undefined && isWanted(refs)) return
    // Both cores are the nodes' to work on.
    await delay(POLL_MS)
  }
  throw new Error('The mirror does not show what its home has')
}

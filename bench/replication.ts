/** What replication takes, beside a raw stream of the same libp2p; and what the policies cost a small request. */
import { execFileSync, spawn } from 'node:child_process'
import { randomBytes } from 'node:crypto'
import { once } from 'node:events'
import { writeFileSync } from 'node:fs'
import { Agent, get, type IncomingMessage } from 'node:http'
import { join } from 'node:path'
import { setTimeout as delay } from 'node:timers/promises'
import { noise } from '@libp2p/noise'
import { tcp } from '@libp2p/tcp'
import { yamux } from '@libp2p/yamux'
import { multiaddr } from '@multiformats/multiaddr'
import { createLibp2p } from 'libp2p'
import pino from 'pino'
import { Git } from '../integration/support/git.ts'
import { NodeHost } from '../integration/support/hosts.ts'
import type { NodeProcess } from '../integration/support/node-process.ts'
import { addMirror, addressOf, startPeer } from '../integration/support/peers.ts'
import { createMetrics } from '../src/observability/metrics.ts'
import { OutboundPolicies } from '../src/resilience/outbound.ts'
import { median, timeOf } from './measure.ts'
import { RawClient, type Target } from './raw-client.ts'
import { RAW_PROTOCOL } from './raw-stream.ts'
import type { Row } from './row.ts'

const MEBIBYTE = 2 ** 20
const FILES = 200
const FILE_BYTES = 256 * 1024
const ROUNDS = 3
const POLL_MS = 2
const SMALL_PUSHES = 30
const SMALL_REQUESTS = 2_000
const WARM_UP_CALLS = 5_000

export async function replicationRows(folder: string): Promise<Row[]> {
  const environment = { GUTS_RATE_LIMIT: '0', GUTS_LOG_LEVEL: 'info', GUTS_MAX_REQUEST_SIZE_MB: '1000' }
  const stack = new AsyncDisposableStack()
  await using _all = stack
  const [home, first, second] = [
    stack.use(await startPeer(0, environment)),
    stack.use(await startPeer(1, environment)),
    stack.use(await startPeer(2, environment)),
  ] as const
  const host = await NodeHost.on(home)
  await addMirror(first, addressOf(home))
  const large = await largeRow(folder, host, first)
  await addMirror(second, addressOf(home))
  return [large, await smallRow(folder, host, [first, second]), await policyRow(home)]
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
    times[0].push(await timeOf(() => until(onMirror, (refs) => refs.includes(oid))))
    for (const one of [client, onMirror]) one.close()
    times[1].push(await rawStreamMs(packBytes))
  }
  const [ours, raw] = [median(times[0]), median(times[1])]
  return {
    what: `replication of ${(packBytes / MEBIBYTE).toFixed(0)} MiB, ${FILES} files`,
    guts: `${ours.toFixed(0)} ms`,
    anchor: `${raw.toFixed(0)} ms (raw stream)`,
    ratio: `${(raw / ours).toFixed(2)} × the rate`,
    goal: '≥ 0.4',
    met: raw / ours >= 0.4,
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
    ratio: '',
    goal: '≤ 500 ms',
    met: ours <= 500,
  }
}

/** The same request over the loopback, bare and through all outbound policies, in turn. */
async function policyRow({ origin }: NodeProcess): Promise<Row> {
  const metrics = createMetrics({ routePaths: [], version: '0', onCollectError: () => {} })
  const policies = new OutboundPolicies(
    { dependency: 'peer', attemptTimeoutMs: 10_000, attemptsMax: 3, breakerThreshold: 5, isTransient: () => true },
    { metrics, logger: pino({ level: 'silent' }) },
  )
  using agent = new KeptAlive()
  const request = (): Promise<void> => agent.get(`${origin}/api/limits`)
  const never = new AbortController().signal
  const call = { name: 'status', idempotent: true, ends: 'deadline', signal: never } as const
  // As in a node that has run for a while: compiled by the time that it is measured.
  for (let at = 0; at < WARM_UP_CALLS; at++) await policies.run('peer', call, async () => {})
  for (let at = 0; at < SMALL_REQUESTS / 4; at++) await request()
  const times: [number[], number[]] = [[], []]
  for (let at = 0; at < SMALL_REQUESTS; at++) {
    times[0].push(await timeOf(() => policies.run('peer', call, request)))
    times[1].push(await timeOf(request))
  }
  const [ours, bare] = [median(times[0]), median(times[1])]
  return {
    what: 'a small request through all outbound policies, median',
    guts: `${(ours * 1_000).toFixed(0)} µs`,
    anchor: `${(bare * 1_000).toFixed(0)} µs (bare)`,
    ratio: `${(ours / bare).toFixed(2)} × the time`,
    goal: '≤ 1.1',
    met: ours / bare <= 1.1,
  }
}

/** One connection, for requests one after another. */
class KeptAlive implements Disposable {
  readonly #agent = new Agent({ keepAlive: true, maxSockets: 1 })

  async get(url: string): Promise<void> {
    const [response] = (await once(get(url, { agent: this.#agent }), 'response')) as [IncomingMessage]
    response.resume()
    await once(response, 'end')
  }

  [Symbol.dispose](): void {
    this.#agent.destroy()
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

/** From the request of the stream to its last byte, between two processes. */
async function rawStreamMs(bytes: number): Promise<number> {
  const child = spawn(process.execPath, [join(import.meta.dirname, 'raw-stream.ts'), String(bytes)], {
    stdio: ['ignore', 'pipe', 'inherit'],
  })
  const libp2p = await createLibp2p({
    transports: [tcp()],
    connectionEncrypters: [noise()],
    streamMuxers: [yamux()],
  })
  try {
    const [address] = (await once(child.stdout.setEncoding('utf8'), 'data')) as [string]
    const connection = await libp2p.dial(multiaddr(address.trim()))
    return await timeOf(async () => {
      let got = 0
      for await (const piece of await connection.newStream(RAW_PROTOCOL)) got += piece.byteLength
      if (got !== bytes) throw new Error(`The raw stream brought ${got} of ${bytes} bytes`)
    })
  } finally {
    await libp2p.stop()
    child.kill()
  }
}

function targetOf({ node, username, token }: NodeHost, name: string): Target {
  const authorization = `Basic ${Buffer.from(`${username}:${token}`).toString('base64')}`
  return { url: `${node.origin}/git/${username}/${name}.git`, authorization }
}

/** Asks for the refs until they are as wanted; a repository that is not there yet is no error. */
async function until(client: RawClient, isWanted: (refs: string) => boolean): Promise<void> {
  for (const endMs = performance.now() + 120_000; performance.now() < endMs;) {
    const refs = await client.lsRefs().catch(() => undefined)
    if (refs !== undefined && isWanted(refs)) return
    // Both cores are the nodes' to work on.
    await delay(POLL_MS)
  }
  throw new Error('The mirror does not show what its home has')
}

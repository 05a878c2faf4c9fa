/** `npm run bench`: the node beside `git http-backend`, on the same repositories, in the same run. */
import { execFileSync } from 'node:child_process'
import { join } from 'node:path'
import Table from 'cli-table3'
import { Git, temporaryFolder } from '../integration/support/git.ts'
import { importHistory } from '../integration/support/history.ts'
import { runCommand } from '../harness/command.ts'
import { readOptions } from '../harness/options.ts'
import { closeSuite } from '../harness/suite.ts'
import { type BenchHost, GutsBench, HttpBackendBench } from './hosts.ts'
import { fetchRows, manyRefsRows } from './fetches.ts'
import { MemorySampler, median, timeOf } from './measure.ts'
import { ratesInTurn } from './rates.ts'
import { RawClient, type Target } from './raw-client.ts'
import { replicationRows } from './replication.ts'
import { rateRow, type Row } from './row.ts'

const PARTS = ['transfer', 'replication'] as const

const HELP = `Usage: npm run bench [-- PART…] [--seconds N] [--seed N]

transfer     clones, fetches, listings of refs and a push against git http-backend with bitmaps,
             and the node's memory
replication  a mirror's way to 50 MiB beside a raw stream of libp2p, a small push on two mirrors,
             and what the policies of outbound calls cost

Without a part all of them. Prints ratios, which hold from machine to machine; writes
reports/bench/summary.json. Exits with 1 when a goal is not met.

  --seconds N   for each rate and host, in three rounds (6)
  --seed N      of the histories (1)
`

const MEBIBYTE = 2 ** 20
const PUSH_ROUNDS = 5

interface Source {
  readonly name: string
  readonly path: string
  readonly packBytes: number
  readonly objects: number
}

class Bench {
  readonly #rows: Row[] = []
  readonly #folder: string
  readonly #seed: number
  readonly #rateMs: number

  constructor(folder: string, seed: number, seconds: number) {
    this.#folder = folder
    this.#seed = seed
    this.#rateMs = seconds * 1_000
  }

  async run(): Promise<readonly Row[]> {
    const small = await this.#source('small', { commits: 1_500, fileBytes: 1_900 })
    const large = await this.#source('large', { commits: 33_000, fileBytes: 1_900 })
    const pushed = await this.#source('pushed', { commits: 6_000, fileBytes: 1_900 })
    // First and alone, so that what is measured is one push and one clone of a fresh node.
    await this.#memory(large)
    const guts = await GutsBench.start()
    try {
      using anchor = await HttpBackendBench.start(join(this.#folder, 'anchor'))
      const hosts = [guts, anchor] as const
      for (const source of [small, large]) await this.#clones(hosts, source)
      this.#rows.push(...(await fetchRows(hosts, large.path, this.#rateMs)))
      this.#rows.push(...(await manyRefsRows(hosts, this.#folder, this.#rateMs)))
      await this.#push(hosts, pushed)
    } finally {
      await guts.node[Symbol.asyncDispose]()
    }
    return this.#rows
  }

  async #source(name: string, shape: { commits: number; fileBytes: number }): Promise<Source> {
    const path = join(this.#folder, `${name}.git`)
    execFileSync('git', ['init', '--quiet', '--bare', '--initial-branch=main', path])
    await importHistory(path, { seed: this.#seed, filesPerCommit: 1, mergeEvery: 20, tagEvery: 100, ...shape })
    const git = new Git(path)
    await git.run('repack', '-a', '-d', '-f', '-q')
    const counted = await git.run('count-objects', '-v')
    const value = (key: string): number => Number(new RegExp(`^${key}: ([0-9]+)$`, 'm').exec(counted)?.[1])
    return { name, path, packBytes: value('size-pack') * 1024, objects: value('in-pack') }
  }

  async #clones(hosts: readonly [BenchHost, BenchHost], source: Source): Promise<void> {
    const [guts, anchor] = await Promise.all(hosts.map((host) => host.fill(source.name, source.path)))
    const targets = [guts, anchor] as [Target, Target]
    const size = `${(source.packBytes / MEBIBYTE).toFixed(1)} MiB, ${source.objects} objects`
    for (const clients of [1, 8]) {
      const rates = await ratesInTurn(targets, clients, this.#rateMs, (client) => client.clone())
      this.#rows.push(rateRow(`clone of ${size}, ${clients} at a time`, rates, 5))
    }
    for (const clients of [1, 8]) {
      const rates = await ratesInTurn(targets, clients, this.#rateMs, (client) => client.lsRefs())
      this.#rows.push(rateRow(`ls-refs of ${source.name}, ${clients} at a time`, rates, 10))
    }
  }

  async #push(hosts: readonly [BenchHost, BenchHost], source: Source): Promise<void> {
    const git = new Git(source.path)
    const pack = execFileSync('git', ['pack-objects', '--quiet', '--revs', '--stdout', '--delta-base-offset'], {
      cwd: source.path,
      input: 'refs/heads/main\n',
      maxBuffer: 2 ** 30,
    })
    const oid = await git.run('rev-parse', 'refs/heads/main')
    const objects = pack.readUInt32BE(8)
    const times: [number[], number[]] = [[], []]
    for (let round = 0; round < PUSH_ROUNDS; round++) {
      for (const [at, host] of hosts.entries()) {
        const client = new RawClient(await host.create(`pushed-${round}`))
        times[at as 0 | 1].push(await timeOf(() => client.push('refs/heads/main', oid, pack)))
        client.close()
      }
    }
    const [ours, theirs] = [median(times[0]), median(times[1])]
    const ratio = ours / theirs
    this.#rows.push({
      what: `push of ${objects} objects, ${(pack.length / MEBIBYTE).toFixed(1)} MiB`,
      guts: `${ours.toFixed(0)} ms`,
      anchor: `${theirs.toFixed(0)} ms`,
      ratio: `${ratio.toFixed(2)} × the time`,
      goal: '≤ 2',
      met: ratio <= 2,
    })
  }

  async #memory(source: Source): Promise<void> {
    const guts = await GutsBench.start()
    try {
      const { pid } = guts.node
      const target = await guts.create('idle')
      const idle = MemorySampler.now(pid)
      const size = `${(source.packBytes / MEBIBYTE).toFixed(1)} MiB, ${source.objects} objects`
      let filled = target
      const inPeak = await peakDuring(pid, async () => (filled = await guts.fill(source.name, source.path)))
      this.#addMemory(`memory above idle, push of ${size}`, inPeak - idle)
      const client = new RawClient(filled)
      const outPeak = await peakDuring(pid, () => client.clone())
      client.close()
      this.#addMemory('memory above idle, clone of the same after it', outPeak - idle)
    } finally {
      await guts.node[Symbol.asyncDispose]()
    }
  }

  #addMemory(what: string, bytes: number): void {
    const figures = { guts: `${(bytes / MEBIBYTE).toFixed(0)} MiB`, anchor: '', ratio: '' }
    this.#rows.push({ what, ...figures, goal: '≤ 256 MiB', met: bytes <= 256 * MEBIBYTE })
  }
}

async function peakDuring(pid: number, work: () => Promise<unknown>): Promise<number> {
  using sampler = new MemorySampler(pid)
  await work()
  return sampler.peakBytes
}

async function main(args: readonly string[]): Promise<number> {
  const {
    numbers: { seconds, seed },
    names,
  } = readOptions(args, {
    numbers: { seconds: { otherwise: 6, min: 1 }, seed: { otherwise: 1, min: 0 } },
    names: { what: 'part', known: PARTS },
  })
  const runs = (part: (typeof PARTS)[number]): boolean => names.length === 0 || names.includes(part)
  console.log(`seed ${seed}; again: npm run bench -- ${names.join(' ')} --seconds ${seconds} --seed ${seed}`)
  using folder = temporaryFolder('bench')
  const startedAtMs = performance.now()
  const rows: Row[] = []
  if (runs('transfer')) rows.push(...(await new Bench(folder.path, seed, seconds).run()))
  if (runs('replication')) rows.push(...(await replicationRows(folder.path)))
  const table = new Table({ head: ['', 'guts', 'anchor', 'ratio', 'goal', ''], style: { head: [], border: [] } })
  for (const row of rows) table.push([row.what, row.guts, row.anchor, row.ratio, row.goal, row.met ? 'met' : 'MISSED'])
  console.log(table.toString())
  const failed = rows.filter((row) => !row.met).length
  const counts = { executed: rows.length, passed: rows.length - failed, failed, skipped: 0 }
  const duration_s = Math.round((performance.now() - startedAtMs) / 1_000)
  return closeSuite({ suite: 'bench', seed, ...counts, duration_s }, { rows })
}

await runCommand(HELP, main)

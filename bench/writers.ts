/** Many people who push little, beside a disk that syncs one write after another. */
import { closeSync, fsyncSync, openSync, rmSync, writeFileSync, writeSync } from 'node:fs'
import { join } from 'node:path'
import { blob, commit, pack, tree, whole } from '../integration/support/pack-maker.ts'
import type { BenchContext } from './context.ts'
import type { GutsBench } from './hosts.ts'
import { median, rateOf } from './measure.ts'
import { RawClient, type Target } from './raw-client.ts'
import { rateRow, type Row } from './row.ts'

const WRITERS = 32
const ROUNDS = 3
/** As long as what a small push is answered with. */
const REPORT = Buffer.alloc(60, 'ok ')
/** About what a small push writes. */
const ANCHOR_WRITE = Buffer.alloc(512, 7)

export async function writerRows(context: BenchContext): Promise<Row[]> {
  const { guts, web, bare } = await context.hosts()
  await using writers = await writing(guts, 'writer')
  writeFileSync(join(web.files, 'small-push'), REPORT)
  const askers = Array.from({ length: WRITERS }, () => new RawClient({ url: `${bare.origin}/small-push` }))
  const rates: number[] = []
  const syncRates: number[] = []
  const bareRates: number[] = []
  for (let round = 0; round < ROUNDS; round++) {
    rates.push(await rateOf(WRITERS, context.rateMs / ROUNDS, (at) => writers.push(at)))
    syncRates.push(rateOfSyncs(guts.node.dataDirectory, context.rateMs / ROUNDS))
    bareRates.push(await rateOf(WRITERS, context.rateMs / ROUNDS, (at) => (askers[at] as RawClient).get()))
  }
  for (const asker of askers) asker.close()
  const [pushes, syncs, answers] = [median(rates), median(syncRates), median(bareRates)]
  const what = `small pushes of ${WRITERS} writers to ${WRITERS} repositories`
  return [
    rateRow(`${what}, beside one fsync after another`, [pushes, syncs], { atLeast: 5 }),
    rateRow(`${what}, beside answers of node:http alone`, [pushes, answers]),
    // Above 5 a push has time for more than being asked and answered.
    rateRow('answers of node:http alone, beside one fsync after another', [answers, syncs]),
  ]
}

export interface Writers extends AsyncDisposable {
  readonly count: number
  push(writer: number): Promise<void>
}

/** @param name of their repositories, before a number */
export async function writing(guts: GutsBench, name: string): Promise<Writers> {
  const writers: Writer[] = []
  for (let at = 0; at < WRITERS; at++) writers.push(new Writer(await guts.create(`${name}-${at}`)))
  return {
    count: WRITERS,
    push: (at) => (writers[at] as Writer).push(),
    async [Symbol.asyncDispose]() {
      for (const [at, writer] of writers.entries()) {
        writer.close()
        await guts.remove(`${name}-${at}`)
      }
    },
  }
}

/** Adds one commit after another to a branch. */
class Writer {
  readonly #client: RawClient
  #count = 0
  #tip: string | undefined

  constructor(target: Target) {
    this.#client = new RawClient(target)
  }

  async push(): Promise<void> {
    const file = blob(`the ${this.#count++}th version\n`)
    const root = tree(['100644', 'file.txt', file.oid])
    const { oid, ...rest } = commit(root.oid, this.#tip === undefined ? [] : [this.#tip])
    const objects = pack([whole(file), whole(root), whole({ oid, ...rest })])
    await this.#client.push('refs/heads/main', oid, objects, this.#tip)
    this.#tip = oid
  }

  close(): void {
    this.#client.close()
  }
}

/** On the file system of that folder. */
function rateOfSyncs(folder: string, durationMs: number): number {
  const path = join(folder, 'bench-anchor')
  const file = openSync(path, 'wx')
  try {
    const startedAtMs = performance.now()
    let done = 0
    do {
      writeSync(file, ANCHOR_WRITE)
      fsyncSync(file)
      done++
    } while (performance.now() - startedAtMs < durationMs)
    return (done * 1_000) / (performance.now() - startedAtMs)
  } finally {
    closeSync(file)
    rmSync(path)
  }
}

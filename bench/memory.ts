/** What a node holds above idle while large packs come in and go out; a fresh node for each. */
import { mkdirSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import type { BenchContext } from './context.ts'
import { type HeavyPack, makeHeavyPack } from './heavy-pack.ts'
import { GutsBench, type NodeUser } from './hosts.ts'
import { MemorySampler, peakDuring } from './measure.ts'
import { RawClient } from './raw-client.ts'
import type { Row } from './row.ts'

const MEGABYTE = 1_000_000
const MEBIBYTE = 2 ** 20
const PACKS_MB = [50, 500] as const
const CLIENTS = [1, 8] as const
const ABOVE_IDLE_MIB_MAX = 256
/** A ten times larger pack may take no more than this beside what the smaller one takes. */
const GROWTH_MIB_MAX = 64

/** MiB above idle. */
interface Peaks {
  readonly in: number
  readonly out: number
}

export async function memoryRows({ folder, seed }: BenchContext): Promise<Row[]> {
  const peaks = new Map<string, Peaks>()
  for (const packMb of PACKS_MB) {
    const heavy = await makeHeavyPack(folder, seed, packMb * MEGABYTE)
    for (const clients of CLIENTS) {
      peaks.set(`${packMb}/${clients}`, await peaksOf(join(folder, `memory-${packMb}-${clients}`), heavy, clients))
    }
  }
  const [small, large] = PACKS_MB
  return CLIENTS.flatMap((clients) =>
    (['in', 'out'] as const).flatMap((way) => {
      const [before = 0, most = 0] = [small, large].map((packMb) => peaks.get(`${packMb}/${clients}`)?.[way])
      const what = `memory above idle, ${large} MB pack ${way}, ${clients} at a time`
      return [row(what, most, '', ABOVE_IDLE_MIB_MAX), flatRow(what, small, most, before)]
    }),
  )
}

function row(what: string, mebibytes: number, anchor: string, atMost: number): Row {
  const shown = `${mebibytes.toFixed(0)} MiB`
  return { what, guts: shown, anchor, value: { number: mebibytes, unit: 'MiB' }, goal: { atMost } }
}

function flatRow(what: string, smallMb: number, most: number, before: number): Row {
  const { value, ...rest } = row(`${what}, beside ${smallMb} MB`, most, `${before.toFixed(0)} MiB`, GROWTH_MIB_MAX)
  return { ...rest, value: { ...value, number: most - before, unit: 'MiB more' } }
}

/** Each client pushes to a repository of its own; after a restart each clones from that. */
async function peaksOf(dataDirectory: string, heavy: HeavyPack, clients: number): Promise<Peaks> {
  mkdirSync(dataDirectory)
  const names = Array.from({ length: clients }, (_, at) => `heavy-${at}`)
  const pushed = await withFreshNode(dataDirectory, undefined, async (guts) => {
    for (const name of names) await guts.create(name)
    return peakAboveIdle(guts, names, (client) => client.push('refs/heads/main', heavy.oid, heavy.pack))
  })
  const cloned = await withFreshNode(dataDirectory, pushed.user, (guts) =>
    peakAboveIdle(guts, names, async (client) => {
      const bytes = await client.clone()
      if (bytes < heavy.pack.length) throw new Error(`A clone brought ${bytes} of ${heavy.pack.length} bytes`)
    }),
  )
  rmSync(dataDirectory, { recursive: true })
  return { in: pushed.peak, out: cloned.peak }
}

async function withFreshNode(
  dataDirectory: string,
  user: NodeUser | undefined,
  work: (guts: GutsBench) => Promise<number>,
): Promise<{ peak: number; user: NodeUser }> {
  // Git would look at all of it again, which takes longer than what is measured; clones have shown that it is there.
  await using guts = await GutsBench.start({ dataDirectory, damaged: true }, user)
  return { peak: await work(guts), user: guts.host }
}

async function peakAboveIdle(
  guts: GutsBench,
  names: readonly string[],
  work: (client: RawClient) => Promise<unknown>,
): Promise<number> {
  const { pid } = guts.node
  const idle = MemorySampler.now(pid)
  const clients = names.map((name) => new RawClient(guts.target(name)))
  const peak = await peakDuring(pid, () => Promise.all(clients.map(work)))
  for (const client of clients) client.close()
  return (peak - idle) / MEBIBYTE
}

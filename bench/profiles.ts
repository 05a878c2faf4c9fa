/** Where the node's main thread spends the time of a request: what a goal that was missed would take. */
import type { BenchContext } from './context.ts'
import { BENCH_ENVIRONMENT, GutsBench } from './hosts.ts'
import { rateOf, timeOf } from './measure.ts'
import { PROFILED_ENVIRONMENT, profileDuring } from './profile/inspector.ts'
import { ownShare, timeByLayer } from './profile/layers.ts'
import { kept, RawClient, type Target, wantsOf } from './raw-client.ts'
import { makeRefs, pushRefs } from './refs.ts'
import { digits, perSecond, type Row } from './row.ts'
import { type SizeName, SIZES } from './sources.ts'
import { writing } from './writers.ts'

/** Less than this share is told together. */
const SHARE_MIN = 0.02

const CLIENTS = [1, 8] as const

interface Profiled {
  readonly what: string
  readonly clients: number
  readonly work: (client: number) => Promise<unknown>
}

export async function profileRows(context: BenchContext): Promise<Row[]> {
  await using guts = await GutsBench.start({ environment: { ...BENCH_ENVIRONMENT, ...PROFILED_ENVIRONMENT } })
  await using stack = new AsyncDisposableStack()
  const rows: Row[] = []
  for await (const profiled of workOn(guts, context, stack)) {
    // What is done for the first time is done by code that is not compiled yet.
    await rateOf(profiled.clients, context.rateMs, profiled.work)
    rows.push(...(await rowsOf(guts, context, profiled)))
  }
  return rows
}

async function* workOn(
  guts: GutsBench,
  { folder, sources }: BenchContext,
  stack: AsyncDisposableStack,
): AsyncGenerator<Profiled> {
  const clientsOf = (target: Target): ((at: number) => RawClient) => {
    const all = Array.from({ length: Math.max(...CLIENTS) }, () =>
      stack.adopt(new RawClient(target), (client) => client.close()),
    )
    return (at) => all[at] as RawClient
  }
  const few = await makeRefs(`${folder}/profiles`, 10)
  const lister = clientsOf(await pushRefs(guts, few))
  for (const clients of CLIENTS) {
    yield { what: 'ls-refs of 10 refs', clients, work: (at) => lister(at).takeRefs() }
    yield { what: 'advertisement of 10 refs', clients, work: (at) => lister(at).advertisement() }
  }
  for (const name of Object.keys(SIZES) as SizeName[]) {
    const source = await sources.size(name)
    const cloner = clientsOf(await guts.fill(name, source.path))
    const wants = wantsOf((await kept((take) => cloner(0).takeRefs(take))).toString('latin1'))
    const clone = async (at: number): Promise<void> => {
      await cloner(at).capabilities()
      await cloner(at).takeRefs()
      await cloner(at).fetch(wants)
    }
    for (const clients of CLIENTS) yield { what: `clone of ${name}, three answers`, clients, work: clone }
  }
  const writers = stack.use(await writing(guts, 'profiled'))
  yield { what: 'a small push', clients: writers.count, work: (at) => writers.push(at) }
}

async function rowsOf(guts: GutsBench, context: BenchContext, { what, clients, work }: Profiled): Promise<Row[]> {
  let done = 0
  const counted = async (client: number): Promise<void> => {
    await work(client)
    done++
  }
  const rate = await rateOf(clients, context.rateMs, work)
  let wallMs = 0
  const profile = await profileDuring(guts.node, async () => {
    wallMs = await timeOf(() => rateOf(clients, context.rateMs, counted))
  })
  const times = timeByLayer(profile)
  const totalMs = [...times.values()].reduce((sum, ms) => sum + ms, 0)
  const title = `${what}, ${clients} at a time`
  // The profile itself takes time, ours and others' alike: what it gives is a share.
  const mostRate = rate / (1 - (ownShare(profile) * totalMs) / wallMs)
  const bound: Row = {
    what: `${title}: were all code of ours free`,
    guts: perSecond(mostRate),
    anchor: perSecond(rate),
    value: { number: mostRate / rate, unit: '× the rate' },
  }
  const row = (layer: string, ms: number): Row => ({
    what: `${title}: ${layer}`,
    guts: `${digits((ms / done) * 1_000)} µs`,
    anchor: '',
    value: { number: (ms / totalMs) * 100, unit: '% of its time' },
  })
  const large = [...times].filter(([, ms]) => ms / totalMs >= SHARE_MIN)
  const restMs = large.reduce((rest, [, ms]) => rest - ms, totalMs)
  const rest = restMs > 0 ? [row('what has less than 2 % each', restMs)] : []
  return [bound, row('all of the main thread', totalMs), ...large.map(([layer, ms]) => row(layer, ms)), ...rest]
}

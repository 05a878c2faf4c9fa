/** Where the node's main thread spends the time of a request: what a goal that was missed would take. */
import type { BenchContext } from './context.ts'
import { BENCH_ENVIRONMENT, GutsBench } from './hosts.ts'
import { rateOf } from './measure.ts'
import { PROFILED_ENVIRONMENT, profileDuring } from './profile/inspector.ts'
import { timeByLayer } from './profile/layers.ts'
import { kept, RawClient, wantsOf } from './raw-client.ts'
import { makeRefs, pushRefs } from './refs.ts'
import { digits, type Row } from './row.ts'
import { writing } from './writers.ts'

/** Less than this share is told together. */
const SHARE_MIN = 0.02

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
  const few = await makeRefs(`${folder}/profiles`, 10)
  const lister = stack.adopt(new RawClient(await pushRefs(guts, few)), (client) => client.close())
  yield { what: 'ls-refs of 10 refs', clients: 1, work: () => lister.takeRefs() }
  yield { what: 'advertisement of 10 refs', clients: 1, work: () => lister.advertisement() }
  for (const name of ['small', 'large'] as const) {
    const source = await sources.size(name)
    const client = stack.adopt(new RawClient(await guts.fill(name, source.path)), (one) => one.close())
    const wants = wantsOf((await kept((take) => client.takeRefs(take))).toString('latin1'))
    yield { what: `the pack of a clone of ${name}`, clients: 1, work: () => client.fetch(wants) }
  }
  const writers = stack.use(await writing(guts, 'profiled'))
  yield { what: `a small push, of ${writers.count} writers`, clients: writers.count, work: (at) => writers.push(at) }
}

async function rowsOf(guts: GutsBench, context: BenchContext, { what, clients, work }: Profiled): Promise<Row[]> {
  let done = 0
  const counted = async (client: number): Promise<void> => {
    await work(client)
    done++
  }
  const profile = await profileDuring(guts.node, () => rateOf(clients, context.rateMs, counted))
  const times = timeByLayer(profile)
  const totalMs = [...times.values()].reduce((sum, ms) => sum + ms, 0)
  const row = (layer: string, ms: number): Row => ({
    what: `${what}: ${layer}`,
    guts: `${digits((ms / done) * 1_000)} µs`,
    anchor: '',
    value: { number: (ms / totalMs) * 100, unit: '% of its time' },
  })
  const large = [...times].filter(([, ms]) => ms / totalMs >= SHARE_MIN)
  const restMs = large.reduce((rest, [, ms]) => rest - ms, totalMs)
  const rest = restMs > 0 ? [row('what has less than 2 % each', restMs)] : []
  return [row('all of the main thread', totalMs), ...large.map(([layer, ms]) => row(layer, ms)), ...rest]
}

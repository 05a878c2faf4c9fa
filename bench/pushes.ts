/** Pushes, from the first byte of the request to the answer, when everything is durable. */
import type { BenchContext } from './context.ts'
import type { BenchHost } from './hosts.ts'
import { median, timeOf } from './measure.ts'
import { RawClient } from './raw-client.ts'
import { type Row, timeRow } from './row.ts'
import { packOf } from './sources.ts'

/** The large ones first: a node that runs for an hour has compiled what one that has just begun has not. */
const ROUNDS = { large: 5, medium: 9 } as const

export async function pushRows(context: BenchContext): Promise<Row[]> {
  const { guts, anchor } = await context.hosts()
  const rows: Row[] = []
  for (const size of ['large', 'medium'] as const) {
    const { pack, oid } = await packOf((await context.sources.size(size)).path)
    const times: [number[], number[]] = [[], []]
    for (let round = 0; round < ROUNDS[size]; round++) {
      for (const [at, host] of [guts, anchor].entries()) {
        times[at as 0 | 1].push(await timeOfPush(host, `pushed-${size}-${round}`, oid, pack))
      }
    }
    const what = `push of ${size}, durable, beside receive-pack`
    rows.push(timeRow(what, [median(times[0]), median(times[1])], { atMost: 0.8 }))
  }
  return rows
}

/**
 * Into a repository of its own, which is removed afterwards, when nothing is left to do for it: neither the next push nor
 * the other host's is measured beside that.
 *
 * @returns milliseconds
 */
async function timeOfPush(host: BenchHost, name: string, oid: string, pack: Buffer): Promise<number> {
  const client = new RawClient(await host.create(name))
  const timeMs = await timeOf(() => client.push('refs/heads/main', oid, pack))
  client.close()
  await host.settle(name)
  await host.remove(name)
  return timeMs
}

import { median, rateOf } from './measure.ts'
import { RawClient, type Target } from './raw-client.ts'

/** Of each rate; the median counts. */
const ROUNDS = 3

export interface Contestant {
  readonly target: Target
  /** @param number counts up, over all clients of a contestant */
  readonly work: (client: RawClient, number: number) => Promise<unknown>
}

/**
 * How often clients get something done at each of them, in turn, so that the machine's mood of the moment meets all.
 *
 * @param rateMs for each, all rounds together
 * @returns operations a second
 */
export async function ratesInTurn(
  contestants: readonly Contestant[],
  clients: number,
  rateMs: number,
): Promise<number[]> {
  const all = contestants.map(({ target, work }) => {
    let count = 0
    const raw = Array.from({ length: clients }, () => new RawClient(target))
    return { raw, rates: [] as number[], next: (at: number) => work(raw[at] as RawClient, count++) }
  })
  try {
    for (let round = 0; round < 1 + ROUNDS; round++) {
      for (const { rates, next } of all) rates.push(await rateOf(clients, rateMs / (1 + ROUNDS), next))
    }
    // The first round does not count: what a host keeps for the next client it has for all but the first, and code that
    // is compiled as it is used is so for most of them.
    return all.map(({ rates }) => median(rates.slice(1)))
  } finally {
    for (const { raw } of all) for (const client of raw) client.close()
  }
}

/** Of two hosts that do the same. */
export async function rateOfEach(
  targets: readonly [Target, Target],
  clients: number,
  rateMs: number,
  work: Contestant['work'],
): Promise<[number, number]> {
  const [guts = 0, anchor = 0] = await ratesInTurn(
    targets.map((target) => ({ target, work })),
    clients,
    rateMs,
  )
  return [guts, anchor]
}

import { median, rateOf } from './measure.ts'
import { RawClient, type Target } from './raw-client.ts'

/** Of each rate; the median counts. */
const ROUNDS = 3

/**
 * How often clients get something done at two hosts, in turn, so that the machine's mood of the moment meets both.
 *
 * @param rateMs for each host, all rounds together
 * @param work gets a number that counts up, over all clients of a host
 * @returns operations a second
 */
export async function ratesInTurn(
  targets: readonly [Target, Target],
  clients: number,
  rateMs: number,
  work: (client: RawClient, number: number) => Promise<unknown>,
): Promise<[number, number]> {
  const clientsOf = targets.map((target) => Array.from({ length: clients }, () => new RawClient(target)))
  const numbers = [0, 0]
  const next = (host: number): number => (numbers[host] as number)++
  // Once before: what a host keeps for the next client is what it has for all but the first.
  for (const [host, [first]] of clientsOf.entries()) await work(first as RawClient, next(host))
  const rounds: [number[], number[]] = [[], []]
  for (let round = 0; round < ROUNDS; round++) {
    for (const [host, raw] of clientsOf.entries()) {
      const rate = await rateOf(clients, rateMs / ROUNDS, (client) => work(raw[client] as RawClient, next(host)))
      rounds[host as 0 | 1].push(rate)
    }
  }
  for (const client of clientsOf.flat()) client.close()
  return [median(rounds[0]), median(rounds[1])]
}

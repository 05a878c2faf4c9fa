/**
 * `test.prop` as this suite has it: with the seed of the whole run where one is given, as many runs as were asked for,
 * and the seeds that a property once failed with before any other.
 */
import { fc, test } from '@fast-check/vitest'
import { counted } from './executed.ts'
import KEPT from './kept-seeds.json' with { type: 'json' }

/** As fast-check says how to come back to a failure: which value of a seed, before it was made smaller. */
export interface KeptSeed {
  readonly seed: number
  readonly path: string
}

/** By the property's name. */
export const KEPT_SEEDS: Readonly<Record<string, readonly KeptSeed[]>> = KEPT

interface Parameters {
  /** Only for what starts git, where each run costs milliseconds: `npm run property` refuses fewer than 1,000 elsewhere. */
  readonly numRuns?: number
  readonly endOnFailure?: boolean
}

/**
 * Set by property-command.ts, which runs what starts no git 1,000 times and more; `npm test` does so 100 times, to end
 * soon; mutation-command.ts has what starts git run less often.
 */
const { PROPERTY_SEED: seed, PROPERTY_RUNS: runs = '100', PROPERTY_FACTOR: factor = '1' } = process.env
if (seed !== undefined) fc.configureGlobal({ ...fc.readConfigureGlobal(), seed: Number(seed) })

export function prop<Ts extends [unknown, ...unknown[]]>(
  arbitraries: { [K in keyof Ts]: fc.Arbitrary<Ts[K]> },
  parameters: Parameters = {},
) {
  const numRuns =
    parameters.numRuns === undefined ? Number(runs) : Math.max(1, Math.ceil(parameters.numRuns * Number(factor)))
  return (name: string, run: (...values: Ts) => Promise<void> | void): void => {
    // Its own types choose between tuples and records, which cannot be decided for any tuple.
    const register = (title: string, all: fc.Parameters<Ts>): void =>
      test.prop(arbitraries as never, all as never)(title, counted(run) as never)
    for (const kept of KEPT_SEEDS[name] ?? []) register(`kept: ${name}`, { ...parameters, ...kept, numRuns: 1 })
    register(name, { ...parameters, numRuns })
  }
}

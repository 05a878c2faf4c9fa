/**
 * `test.prop` as this suite has it: with the seed of the whole run where one is given, as many runs as were asked for,
 * and the seeds that a property once failed with before any other.
 */
import { fc, test } from '@fast-check/vitest'
import KEPT from './kept-seeds.json' with { type: 'json' }

/** As fast-check says how to come back to a failure: which value of a seed, before it was made smaller. */
export interface KeptSeed {
  readonly seed: number
  readonly path: string
}

/** By the property's name. */
export const KEPT_SEEDS: Readonly<Record<string, readonly KeptSeed[]>> = KEPT

interface Parameters {
  readonly numRuns?: number
  readonly endOnFailure?: boolean
}

const RUNS = 100
/** Set by property-command.ts. */
const { PROPERTY_SEED: seed, PROPERTY_RUNS: factor = '1' } = process.env
if (seed !== undefined) fc.configureGlobal({ ...fc.readConfigureGlobal(), seed: Number(seed) })

export function prop<Ts extends [unknown, ...unknown[]]>(
  arbitraries: { [K in keyof Ts]: fc.Arbitrary<Ts[K]> },
  parameters: Parameters = {},
) {
  const numRuns = (parameters.numRuns ?? RUNS) * Number(factor)
  return (name: string, run: (...values: Ts) => Promise<void> | void): void => {
    // Its own types choose between tuples and records, which cannot be decided for any tuple.
    const register = (title: string, all: fc.Parameters<Ts>): void =>
      test.prop(arbitraries as never, all as never)(title, run as never)
    for (const kept of KEPT_SEEDS[name] ?? []) register(`kept: ${name}`, { ...parameters, ...kept, numRuns: 1 })
    register(name, { ...parameters, numRuns })
  }
}

/** The faults of a run, from scenario and seed alone: the same ones in the same order each time. */
import { Random } from '../integration/support/random.ts'
import type { Action } from './history.ts'
import type { FaultPlan, Range, Scenario } from './scenario.ts'

export interface PlannedFault {
  readonly atMs: number
  readonly forMs: number
  readonly action: Action
}

/** In order of their beginning; faults of one moment in the order of the scenario. */
export function scheduleOf(scenario: Scenario, seed: number): PlannedFault[] {
  const random = new Random(seed)
  return scenario.faults.flatMap((plan) => planned(plan, random)).sort((a, b) => a.atMs - b.atMs)
}

function planned(plan: FaultPlan, random: Random): PlannedFault[] {
  const drawn = (range: Range): number => drawnFrom(range, random)
  const timesMs = { atMs: seconds(plan.atS, random), forMs: seconds(plan.forS, random) }
  switch (plan.kind) {
    case 'slow': {
      const quality = { latencyMs: Math.round(drawn(plan.latencyMs)), rateKBps: Math.round(drawn(plan.rateKBps)) }
      return plan.links.map((link) => ({ ...timesMs, action: { kind: 'slow', link, ...quality } }))
    }
    case 'black-hole':
      return [{ ...timesMs, action: { kind: 'black-hole', link: plan.link, towards: plan.towards } }]
    case 'cut':
      return plan.links.map((link) => ({ ...timesMs, action: { kind: 'cut', link } }))
    case 'flap':
      return plan.links.flatMap((link) => flaps(plan, link, random))
    case 'kill': {
      const afterMs = Math.round(drawn(plan.afterMs))
      return [{ ...timesMs, action: { kind: 'kill', node: plan.node, during: plan.during, afterMs } }]
    }
  }
}

function flaps(
  plan: FaultPlan & { readonly kind: 'flap' },
  link: (typeof plan.links)[number],
  random: Random,
): PlannedFault[] {
  const times = Math.round(drawnFrom(plan.times, random))
  let atMs = seconds(plan.atS, random)
  return Array.from({ length: times }, () => {
    const fault = { atMs, forMs: seconds(plan.forS, random), action: { kind: 'reset', link } as const }
    atMs += fault.forMs + seconds(plan.upS, random)
    return fault
  })
}

function seconds(range: Range, random: Random): number {
  return Math.round(drawnFrom(range, random) * 1_000)
}

/** In a thousand steps. */
function drawnFrom([min, max]: Range, random: Random): number {
  return min + ((max - min) * random.below(1_001)) / 1_000
}

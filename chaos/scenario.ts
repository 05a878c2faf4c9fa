/** What a scenario is: data from which, with a seed, a schedule is drawn. */
import type { LinkName, MirrorName, NodeName } from './history.ts'

/** A number drawn between these two, both included. */
export type Range = readonly [min: number, max: number]

interface Timed {
  /** After the run's beginning. */
  readonly atS: Range
  readonly forS: Range
}

export type FaultPlan =
  | (Timed & {
      readonly kind: 'slow'
      readonly links: readonly LinkName[]
      readonly latencyMs: Range
      readonly rateKBps: Range
    })
  | (Timed & { readonly kind: 'black-hole'; readonly link: LinkName; readonly towards: NodeName })
  | (Timed & { readonly kind: 'cut'; readonly links: readonly LinkName[] })
  /** Up and down so often: `forS` is how long it is down each time, `upS` how long it is up between. */
  | (Timed & {
      readonly kind: 'flap'
      readonly links: readonly LinkName[]
      readonly times: Range
      readonly upS: Range
    })
  /** `forS` is how long the node is away. */
  | (Timed & {
      readonly kind: 'kill'
      readonly node: NodeName
      readonly during: 'push' | 'apply'
      readonly afterMs: Range
    })

export interface Scenario {
  readonly name: string
  /** What is at stake, in a sentence. */
  readonly why: string
  readonly faults: readonly FaultPlan[]
  /** Pushing goes on for so long; every fault is taken back before. */
  readonly pushS: number
  /** After healing and the last push mirrors equal their home within this time (I6). */
  readonly convergeS: number
  /** Mirrors whose circuit to the home has to open, and to close again. */
  readonly circuitsOf: readonly MirrorName[]
}

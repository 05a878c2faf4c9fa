import type { BitSet } from '../bitmap/bit-set.ts'
import type { NumberedCommits, NumberedTrees } from './numbered-objects.ts'

/** In the place of what a tag points to: the object is none. */
export const NO_TAG = -1

/** For some commits, all that they reach: objects have the numbers from 0 to `objects` - 1. */
export interface Reachability {
  readonly objects: number
  /** Numbers of the blobs. */
  readonly blobs: BitSet
  /** What tags point to, by number, as far as somebody has looked at them: for the next one who wants to know. */
  readonly targets: Map<number, number>
  readonly trees: NumberedTrees
  readonly commits: NumberedCommits
  /** @returns -1: the object has no number */
  numberOf(oid: Buffer, at: number): number
  /** @returns the commit's closure, the caller's to change; undefined where nobody has written it down */
  reachedFrom(number: number): BitSet | undefined
  copyOid(number: number, target: Buffer, at: number): void
}

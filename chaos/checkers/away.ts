import type { Fault, History, NodeName } from '../history.ts'

export interface Span {
  readonly beganMs: number
  /** undefined: it goes on. */
  readonly endedMs: number | undefined
}

/** Whether a node was killed, and did not run again yet, at any moment of this. */
export function wasAway(node: NodeName, span: Span, { faults }: Pick<History, 'faults'>): boolean {
  return faults.some((fault) => isKillOf(fault, node) && overlap(fault, span))
}

export function isKillOf({ action }: Fault, node: NodeName): boolean {
  return action.kind === 'kill' && action.node === node
}

export function overlap(a: Span, b: Span): boolean {
  const { endedMs: aEndedMs = Number.POSITIVE_INFINITY } = a
  const { endedMs: bEndedMs = Number.POSITIVE_INFINITY } = b
  return a.beganMs <= bEndedMs && b.beganMs <= aEndedMs
}

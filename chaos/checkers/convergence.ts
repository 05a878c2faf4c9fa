/** I6: after healing, mirrors list what their home lists, in bounded time, and go on doing so. */
import { type History, MIRRORS, type MirrorName, type Refs } from '../history.ts'
import type { Finding } from './finding.ts'

export interface Convergence {
  readonly mirror: MirrorName
  readonly repository: string
  /** From healing until the first read that lists what the home lists; undefined: none did. */
  readonly afterMs: number | undefined
}

export function convergenceOf(history: History, repository: string): Convergence[] {
  const { healedMs } = history
  const final = finalRefs(history, repository)
  return MIRRORS.map((mirror) => {
    const reads = history.reads
      .filter((read) => read.node === mirror && read.repository === repository)
      .toSorted((a, b) => a.beganMs - b.beganMs)
    // The first of the unbroken row of right answers at the end.
    const wrong = reads.findLastIndex((read) => final === undefined || !isSame(read.refs, final))
    const first = reads[wrong + 1]
    const last = reads.at(-1)
    // A mirror that answers no more since healing is no example of one that caught up.
    if (first === undefined || last === undefined || healedMs === undefined || last.beganMs < healedMs)
      return { mirror, repository, afterMs: undefined }
    return { mirror, repository, afterMs: Math.max(0, first.endedMs - healedMs) }
  })
}

/** @param withinMs how long it may take */
export function checkConvergence(history: History, repository: string, withinMs: number): Finding[] {
  if (history.healedMs === undefined) return []
  return convergenceOf(history, repository).flatMap(({ mirror, afterMs }): Finding[] => {
    if (afterMs !== undefined && afterMs <= withinMs) return []
    const text =
      afterMs === undefined
        ? `${mirror}, ${repository}: it never listed what the home lists in the end`
        : `${mirror}, ${repository}: it took ${Math.round(afterMs)} ms to list what the home lists; ${withinMs} ms are allowed`
    return [{ promise: 'I6', atMs: undefined, text }]
  })
}

/** The home's last answer; undefined where it gave none after healing. */
function finalRefs({ reads, healedMs }: History, repository: string): Refs | undefined {
  if (healedMs === undefined) return undefined
  const last = reads.findLast(
    (read) => read.node === 'home' && read.repository === repository && read.beganMs >= healedMs,
  )
  return last?.refs
}

function isSame(a: Refs, b: Refs): boolean {
  const names = Object.keys(a)
  return names.length === Object.keys(b).length && names.every((name) => a[name] === b[name])
}

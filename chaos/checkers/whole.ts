/** I2: what is cloned from a node that is up, and what lies on its disk in the end, is whole. */
import type { Clone, History } from '../history.ts'
import type { Finding } from './finding.ts'

export function checkWhole(history: History): Finding[] {
  const clones = history.clones.flatMap((clone): Finding[] => {
    if (clone.problem === undefined || wasAway(clone, history)) return []
    const text = `${clone.node}, ${clone.repository}: a clone failed: ${clone.problem}`
    return [{ promise: 'I2', atMs: clone.endedMs, text }]
  })
  const disks = history.fscks.flatMap(({ node, repository, problem }): Finding[] => {
    if (problem === undefined) return []
    return [{ promise: 'I2', atMs: undefined, text: `${node}, ${repository}: git fsck in the end: ${problem}` }]
  })
  return [...clones, ...disks]
}

/** A node that was killed while it was cloned from owes nothing. */
function wasAway({ node, beganMs, endedMs }: Clone, { faults }: History): boolean {
  return faults.some(
    ({ action, beganMs: fromMs, endedMs: untilMs = Number.POSITIVE_INFINITY }) =>
      action.kind === 'kill' && action.node === node && fromMs <= endedMs && untilMs >= beganMs,
  )
}

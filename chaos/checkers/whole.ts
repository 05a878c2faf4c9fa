/** I2: what is cloned from a node that is up, and what lies on its disk in the end, is whole. */
import type { Clone, History } from '../history.ts'
import { wasAway } from './away.ts'
import type { Finding } from './finding.ts'

const SAID = { transfer: 'failed', 'time-out': 'did not end', fsck: 'is not whole' } as const

export function checkWhole(history: History): Finding[] {
  const clones = history.clones.flatMap((clone): Finding[] => {
    if (clone.problem === undefined || isForgiven(clone, history)) return []
    const text = `${clone.node}, ${clone.repository}: a clone ${SAID[clone.problem.kind]}: ${clone.problem.text}`
    return [{ promise: 'I2', atMs: clone.endedMs, text }]
  })
  const disks = history.fscks.flatMap(({ node, repository, problem }): Finding[] => {
    if (problem === undefined) return []
    return [{ promise: 'I2', atMs: undefined, text: `${node}, ${repository}: on its disk in the end: ${problem}` }]
  })
  return [...clones, ...disks]
}

/** Who was killed while it was cloned from owes nothing but what it gave: a clone that there is has to be whole. */
function isForgiven(clone: Clone, history: History): boolean {
  return clone.problem?.kind === 'transfer' && wasAway(clone.node, clone, history)
}

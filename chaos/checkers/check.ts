/** All checkers, over all repositories of a run. */
import type { History } from '../history.ts'
import type { Scenario } from '../scenario.ts'
import { checkCircuits } from './circuits.ts'
import { checkConvergence } from './convergence.ts'
import type { Finding } from './finding.ts'
import { checkHomeReads } from './home-reads.ts'
import { checkMirrorReads } from './mirror-reads.ts'
import { checkWhole } from './whole.ts'
import { checkWork } from './work.ts'

/** @param faultsPlanned how many the schedule has */
export function checkAll(
  history: History,
  repositories: readonly string[],
  { circuitsOf, convergeS }: Scenario,
  faultsPlanned: number,
): Finding[] {
  return [
    ...repositories.flatMap((repository) => [
      ...checkHomeReads(history, repository),
      ...checkMirrorReads(history, repository),
      ...checkConvergence(history, repository, convergeS * 1_000),
    ]),
    ...checkWhole(history),
    ...checkCircuits(history, circuitsOf),
    ...checkWork(history, repositories, faultsPlanned),
  ]
}

/** All checkers, over all repositories of a run. */
import type { History } from '../history.ts'
import type { Scenario } from '../scenario.ts'
import { checkAnswers } from './answers.ts'
import { checkCircuits } from './circuits.ts'
import { checkConvergence } from './convergence.ts'
import { type Finding, type Promised, PROMISES } from './finding.ts'
import { checkHomeReads } from './home-reads.ts'
import { checkMirrorReads } from './mirror-reads.ts'
import { checkWhole } from './whole.ts'
import { checkWork } from './work.ts'

/** One mistake of a node is seen by every read that comes after it. */
const TOLD_OF_A_PROMISE_MAX = 10

/** Those of promises that hold at every moment: also of a run that was broken off. */
export function checkSafety(history: History, repositories: readonly string[]): Finding[] {
  return condense(safety(history, repositories))
}

function safety(history: History, repositories: readonly string[]): Finding[] {
  return [
    ...repositories.flatMap((repository) => [
      ...checkHomeReads(history, repository),
      ...checkMirrorReads(history, repository),
    ]),
    ...checkWhole(history),
  ]
}

/** @param faultsPlanned how many the schedule has */
export function checkAll(
  history: History,
  repositories: readonly string[],
  { circuitsOf, convergeS }: Scenario,
  faultsPlanned: number,
): Finding[] {
  return condense([
    ...safety(history, repositories),
    ...repositories.flatMap((repository) => checkConvergence(history, repository, convergeS * 1_000)),
    ...checkAnswers(history, repositories),
    ...checkCircuits(history, circuitsOf),
    ...checkWork(history, repositories, faultsPlanned),
  ])
}

/** The first of those that say the same, and of each promise not more than people read. */
export function condense(findings: readonly Finding[]): Finding[] {
  return (Object.keys(PROMISES) as Promised[]).flatMap((promise) => {
    const first = new Map<string, Finding>()
    for (const finding of findings) {
      if (finding.promise === promise && !first.has(finding.text)) first.set(finding.text, finding)
    }
    const told = [...first.values()]
    const left = told.length - TOLD_OF_A_PROMISE_MAX
    if (left <= 0) return told
    const more: Finding = { promise, atMs: undefined, text: `and ${left} more of this kind` }
    return [...told.slice(0, TOLD_OF_A_PROMISE_MAX), more]
  })
}

/** What a run leaves: a page for people, its history for machines, and its lines in summary and JUnit. */
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { reportFolder, type SuiteCase } from '../harness/suite.ts'
import { describeAction, describeFault, type History, type Refs } from './history.ts'
import type { RunResult } from './run-scenario.ts'
import { figures, outcomeOf, timelinePage } from './timeline/page.ts'

/** @returns what to tell on the terminal */
export function writeRun(suite: string, run: RunResult): string[] {
  const { scenario, seed, findings, convergence, history } = run
  const folder = reportFolder(suite)
  const page = join(folder, `${scenario.name}.html`)
  writeFileSync(page, timelinePage(run, `npm run chaos -- ${scenario.name} --seed ${seed}`))
  writeFileSync(join(folder, `${scenario.name}.json`), `${JSON.stringify(compact(history))}\n`)
  const slowestMs = Math.max(...convergence.map(({ afterMs }) => afterMs ?? Number.POSITIVE_INFINITY))
  return [
    `  ${figures(run)}`,
    ...(Number.isFinite(slowestMs) ? [`  mirrors were as their home after ${(slowestMs / 1_000).toFixed(1)} s`] : []),
    ...findings.map(({ promise, text }) => `  FINDING ${promise}: ${text}`),
    `  ${outcomeOf(run)}; timeline: ${page}`,
  ]
}

export function caseOf(run: RunResult, duration_s: number): SuiteCase {
  const { scenario, findings } = run
  const outcome = outcomeOf(run)
  if (outcome === 'interrupted') {
    return { name: scenario.name, outcome: 'skipped', duration_s, message: 'It was interrupted' }
  }
  const message = findings.map(({ promise, text }) => `${promise}: ${text}`).join('\n')
  return { name: scenario.name, outcome, duration_s, ...(message !== '' && { message }) }
}

/** For summary.json: what was ordered, the same for the same seed, what came of it, and how long healing took. */
export function detailsOf({ scenario, history, convergence }: RunResult): object {
  return {
    scenario: scenario.name,
    timeline: `${scenario.name}.html`,
    faults: history.faults.map(({ action }) => describeAction(action)),
    effects: history.faults.map(describeFault),
    pushes: Object.fromEntries(
      ['acknowledged', 'refused', 'unknown'].map((outcome) => [
        outcome,
        history.pushes.filter((push) => push.outcome === outcome).length,
      ]),
    ),
    reads: history.reads.length,
    failed_reads: history.failedReads.length,
    clones: history.clones.length,
    circuit_changes: history.circuits.length,
    convergence,
  }
}

/** Most reads find what the one before found: each state is written once, and named by its number. */
function compact(history: History): object {
  const states: Refs[] = []
  const numbers = new Map<string, number>()
  const reads = history.reads.map(({ refs, ...read }) => {
    const text = JSON.stringify(refs)
    let state = numbers.get(text)
    if (state === undefined) numbers.set(text, (state = states.push(refs) - 1))
    return { ...read, state }
  })
  return { ...history, reads, states }
}

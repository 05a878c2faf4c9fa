/** What a run of the fuzzer leaves in `reports/SUITE/`: summary.json, junit.xml, results.sarif and index.html. */
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { closeCases, closeUnwritten, commitHere, reportFolder, type SuiteCase } from '../../harness/suite.ts'
import { type FileCoverage, percentOf } from '../reach/cover.ts'
import { fuzzPage, type PageContent } from './page.ts'
import { type FoundProblem, sarifOf } from './sarif.ts'

export interface FuzzReport extends Omit<PageContent, 'title' | 'commit'> {
  readonly suite: string
  readonly seed: number
  /** By `performance.now()`. */
  readonly startedAtMs: number
  readonly problems: readonly FoundProblem[]
  /** For summary.json. */
  readonly details: object
}

/** Writes all of them, and prints the closing line. @returns the exit code */
export function closeFuzz(report: FuzzReport): number {
  try {
    return write(report)
  } catch (error) {
    return closeUnwritten(report, error)
  }
}

function write(report: FuzzReport): number {
  const { suite, seed, cases, startedAtMs, problems, coverage } = report
  const folder = reportFolder(suite)
  const isComplete = cases.every(({ outcome }: SuiteCase) => outcome !== 'skipped')
  writeFileSync(join(folder, 'results.sarif'), `${JSON.stringify(sarifOf(problems, isComplete), null, 2)}\n`)
  const title = suite === 'fuzz' ? `Fuzzing, seed ${seed}` : 'Replay of the committed inputs'
  writeFileSync(join(folder, 'index.html'), fuzzPage({ ...report, title, commit: commitHere() }))
  const decoders = coverage === undefined ? {} : { decoders: coverage.map(summaryOf) }
  return closeCases({ suite, seed, cases, startedAtMs, details: { ...report.details, ...decoders } })
}

function summaryOf(one: FileCoverage): object {
  const { file, branches, taken, missing } = one
  return { file, branches, taken, percent: percentOf(one), missing }
}

/** What every command of the harness does alike: its report, its closing line, its exit code (DESIGN §4.1). */
import { spawnSync } from 'node:child_process'
import { mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import junit, { type Builder } from 'junit-report-builder'
import { ROOT } from '../integration/support/command-line.ts'
import { errorCodeOf } from '../src/errors.ts'

export const EXIT = { fine: 0, finding: 1, wrongUse: 2, toolMissing: 3, interrupted: 130 } as const

export interface SuiteSummary {
  readonly suite: string
  readonly seed: number
  readonly executed: number
  readonly passed: number
  readonly failed: number
  readonly skipped: number
  readonly duration_s: number
}

/** One thing that was tried: a scenario, a target, a script. */
export interface SuiteCase {
  readonly name: string
  readonly outcome: 'passed' | 'failed' | 'skipped'
  readonly duration_s: number
  /** Why it failed or was skipped. */
  readonly message?: string
}

export interface CaseReport {
  readonly suite: string
  readonly seed: number
  readonly cases: readonly SuiteCase[]
  readonly startedAtMs: number
  /** Goes into summary.json as it is. */
  readonly details: object
}

/** Where a suite writes; made if it is not there. */
export function reportFolder(suite: string): string {
  const folder = join(ROOT, 'reports', suite)
  mkdirSync(folder, { recursive: true })
  return folder
}

/**
 * Writes `reports/SUITE/summary.json` and `junit.xml`, and prints the closing line.
 * @param report `startedAtMs` by `performance.now()`
 * @returns the exit code
 */
export function closeCases({ suite, seed, cases, startedAtMs, details }: CaseReport): number {
  writeJunit(suite, cases)
  const duration_s = Math.round((performance.now() - startedAtMs) / 1_000)
  return closeSuite({ suite, seed, ...countsOf(cases), duration_s }, { cases, ...details })
}

/**
 * What a report was made of; `unknown` where git does not say, as in a tree that was unpacked, or that is another user's:
 * what took minutes to find is written all the same.
 */
export function commitHere(): string {
  const { status, stdout, stderr, error } = spawnSync('git', ['rev-parse', 'HEAD'], { cwd: ROOT, encoding: 'utf8' })
  if (status === 0) return stdout.trim()
  console.error(`The report names no commit: ${error?.message ?? stderr.trim()}`)
  return 'unknown'
}

/** Writes `reports/SUITE/summary.json` and prints the closing line. @returns the exit code */
export function closeSuite(summary: SuiteSummary, details: object): number {
  const text = JSON.stringify({ ...summary, commit: commitHere(), ...details }, null, 2)
  writeFileSync(join(reportFolder(summary.suite), 'summary.json'), `${text}\n`)
  sayCounts(summary)
  // A run that executed nothing proves nothing.
  return summary.failed === 0 && summary.executed > 0 ? EXIT.fine : EXIT.finding
}

/** The line that a command ends with. */
function sayCounts({ passed, failed, skipped }: Pick<SuiteSummary, 'passed' | 'failed' | 'skipped'>): void {
  console.log(`${passed} passed, ${failed} failed${skipped > 0 ? `, ${skipped} skipped` : ''}`)
}

/**
 * For a suite whose report cannot be written, as on a full disk: what it found is no less so.
 * @returns the exit code, which is never that of a run whose report is there
 * @throws the error where it is not the system's
 */
export function closeUnwritten({ suite, cases }: Pick<CaseReport, 'suite' | 'cases'>, error: unknown): number {
  if (errorCodeOf(error) === undefined) throw error
  console.error(`reports/${suite}/ cannot be written: ${error instanceof Error ? error.message : String(error)}`)
  sayCounts(countsOf(cases))
  return EXIT.finding
}

function countsOf(cases: readonly SuiteCase[]): Pick<SuiteSummary, 'executed' | 'passed' | 'failed' | 'skipped'> {
  const count = (outcome: SuiteCase['outcome']): number => cases.filter((one) => one.outcome === outcome).length
  const skipped = count('skipped')
  return { executed: cases.length - skipped, passed: count('passed'), failed: count('failed'), skipped }
}

function writeJunit(suite: string, cases: readonly SuiteCase[]): void {
  // Its types describe an ES module; what it exports is CommonJS, where the builder itself is the default.
  const builder = (junit as unknown as Builder).newBuilder()
  const group = builder.testSuite().name(suite)
  for (const { name, outcome, duration_s, message } of cases) {
    const one = group.testCase().className(suite).name(name).time(duration_s)
    if (outcome === 'failed') one.failure(message ?? 'failed')
    if (outcome === 'skipped') one.skipped()
  }
  builder.writeTo(join(reportFolder(suite), 'junit.xml'))
}

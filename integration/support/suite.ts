/** What every command of the harness does alike: a seed, a report, a closing line, exit codes (DESIGN §4.1). */
import { execFileSync } from 'node:child_process'
import { mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { ROOT } from './command-line.ts'

export const EXIT = { fine: 0, finding: 1, wrongUse: 2, toolMissing: 3 } as const

export interface SuiteSummary {
  readonly suite: string
  readonly seed: number
  readonly executed: number
  readonly passed: number
  readonly failed: number
  readonly skipped: number
  readonly duration_s: number
}

/** Writes `reports/SUITE/summary.json` and prints the closing line. @returns the exit code */
export function closeSuite(summary: SuiteSummary, details: object): number {
  const folder = join(ROOT, 'reports', summary.suite)
  mkdirSync(folder, { recursive: true })
  const commit = execFileSync('git', ['rev-parse', 'HEAD'], { cwd: ROOT, encoding: 'utf8' }).trim()
  writeFileSync(join(folder, 'summary.json'), `${JSON.stringify({ ...summary, commit, ...details }, null, 2)}\n`)
  console.log(`${summary.passed} passed, ${summary.failed} failed`)
  // A run that executed nothing proves nothing.
  return summary.failed === 0 && summary.executed > 0 ? EXIT.fine : EXIT.finding
}

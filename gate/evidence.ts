/** What a check has shown, read from the report of whatever ran it. */
import { relative } from 'node:path'
import { EXIT } from '../harness/suite.ts'
import { isUnexplained, type VitestReport, type VitestTest } from '../harness/vitest-report.ts'
import type { Check, SuiteCheck, TestsCheck } from './checks.ts'

/** A test or a case of a suite that failed. */
export interface Failure {
  readonly title: string
  readonly message: string
}

export interface Evidence {
  readonly id: string
  /** `missing`: something of it was not tried, because a tool that it needs is not here. */
  readonly outcome: 'passed' | 'failed' | 'missing'
  /** What anybody can run to see the same. */
  readonly command: string
  readonly seed: number
  readonly executed: number
  readonly failed: number
  readonly duration_s: number
  readonly failures: readonly Failure[]
  /** What was skipped or is missing, and the output of what failed without saying why. */
  readonly notes: readonly string[]
}

/** How the program that ran checks ended. */
export interface Ended {
  readonly exitCode: number | null
  /** The ends of what it wrote. */
  readonly stdout: string
  readonly stderr: string
}

function outputOf({ stdout, stderr }: Ended): string {
  return `${stdout}${stderr}`.trim()
}

export function messagesOf({ failures, notes }: Evidence): string[] {
  return [...failures.map(({ title, message }) => `${title}: ${message}`), ...notes]
}

/** Checks that one start of the test runner ran. */
export interface TestsRun {
  readonly root: string
  readonly seed: number
  readonly report: VitestReport
  readonly ended: Ended
}

export function evidenceOfTests(checks: readonly (readonly [string, TestsCheck])[], run: TestsRun): Evidence[] {
  const all = checks.map(([id, check]) => evidenceOfTest(id, check, run))
  if (run.ended.exitCode === 0 || all.some(({ outcome }) => outcome === 'failed')) return all
  // A rejection that nobody handled, a hook that threw: no test failed, and whose it was cannot be told.
  return all.map((one) => ({ ...one, outcome: 'failed', notes: [...one.notes, outputOf(run.ended)] }))
}

function evidenceOfTest(id: string, check: TestsCheck, { root, seed, report, ended }: TestsRun): Evidence {
  const found = report.testResults.find((one) => relative(root, one.name) === check.file)
  // The names of other checks narrowed the run, too, and a test that they left out is `skipped` like one that skips
  // itself: what this check does not name is none of its business, whatever became of it.
  const tests = (found?.assertionResults ?? []).filter(({ fullName }) => fullName.includes(check.name ?? ''))
  const executed = tests.filter(({ status }) => status === 'passed' || status === 'failed')
  const failures = executed.filter(({ status }) => status === 'failed').map(failureOf)
  const skipped = tests.filter((test) => !executed.includes(test))
  const broken = tests.length === 0 || (found !== undefined && isUnexplained(found))
  const notes = [
    ...(broken ? [found?.message || 'Nothing was executed', outputOf(ended)] : []),
    ...skipped.map(({ fullName }) => `skipped: ${fullName}`),
  ]
  return {
    id,
    outcome: failures.length > 0 || broken ? 'failed' : skipped.length > 0 ? 'missing' : 'passed',
    command: commandOf(check),
    seed,
    executed: executed.length,
    failed: failures.length,
    duration_s: tests.reduce((sum, { duration }) => sum + (duration ?? 0), 0) / 1_000,
    failures,
    notes,
  }
}

function failureOf({ fullName, failureMessages }: VitestTest): Failure {
  return { title: fullName, message: (failureMessages ?? []).join('\n') }
}

/** `reports/SUITE/summary.json`, as far as evidence needs it. */
export interface Summary {
  readonly executed: number
  readonly failed: number
  readonly cases?: readonly { readonly name: string; readonly outcome: string; readonly message?: string }[]
}

export interface SuiteRun {
  readonly seed: number
  readonly duration_s: number
  /** None where the suite did not come to writing one. */
  readonly summary: Summary | undefined
  readonly ended: Ended
}

export function evidenceOfSuite(
  id: string,
  check: SuiteCheck,
  { seed, duration_s, summary, ended }: SuiteRun,
): Evidence {
  const common = { id, command: `${commandOf(check)}${check.seeded ? ` --seed ${seed}` : ''}`, seed, duration_s }
  const none = { executed: 0, failed: 0, failures: [] }
  if (ended.exitCode === EXIT.toolMissing) {
    return { ...common, ...none, outcome: 'missing', notes: [ended.stderr.trim()] }
  }
  if (summary === undefined) return { ...common, ...none, outcome: 'failed', notes: [outputOf(ended)] }
  const { executed, failed, cases = [] } = summary
  const failures = cases
    .filter(({ outcome }) => outcome === 'failed')
    .map(({ name, message }) => ({ title: name, message: message ?? '' }))
  const skipped = cases
    .filter(({ outcome }) => outcome === 'skipped')
    .map(({ name, message }) => `skipped: ${name}${message === undefined ? '' : `: ${message}`}`)
  const fine = ended.exitCode === EXIT.fine && failed === 0 && executed > 0
  return {
    ...common,
    outcome: fine ? (skipped.length > 0 ? 'missing' : 'passed') : 'failed',
    executed,
    failed,
    failures,
    notes: fine ? skipped : [...skipped, outputOf(ended)],
  }
}

export function commandOf(check: Check): string {
  if (check.kind === 'suite') return ['npm run', check.script, '--', ...check.args].join(' ')
  const named = check.name === undefined ? '' : ` -t '${check.name}'`
  return `npx vitest run --project ${check.project} ${check.file}${named}`
}

/** What executed nothing proves nothing. */
export function notRun(id: string, check: Check, seed: number, why: string): Evidence {
  const nothing = { executed: 0, failed: 0, duration_s: 0, failures: [], notes: [why] }
  return { id, outcome: 'failed', command: commandOf(check), seed, ...nothing }
}

/** What could not be tried is no success, and no finding either. */
export function exitCodeOf(run: {
  readonly failed: boolean
  readonly missing: boolean
  readonly otherwise: number
}): number {
  return run.missing && !run.failed ? EXIT.toolMissing : run.otherwise
}

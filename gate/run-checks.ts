/** Runs checks in a tree, this one or a copy with a defect, and says what each of them executed. */
import { existsSync, readFileSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import { readVitestReport } from '../harness/vitest-report.ts'
import { temporaryFolder } from '../integration/support/git.ts'
import type { Check, SuiteCheck, TestsCheck } from './checks.ts'
import { runChild } from './child.ts'
import { type Evidence, evidenceOfSuite, evidenceOfTests, notRun, type Summary } from './evidence.ts'

export interface RunOptions {
  /** The tree that is checked. */
  readonly root: string
  readonly seed: number
  readonly signal: AbortSignal
  readonly onEvidence: (evidence: Evidence) => void
}

type Checks = Readonly<Record<string, Check>>
type Entry<C extends Check> = readonly [id: string, check: C]

/**
 * Tests with one start of the test runner where they can share it, then the suites one after another. A check that
 * cannot even be begun is one that failed: the others are run, and reported.
 * @throws the signal's reason
 */
export async function runChecks(checks: Checks, options: RunOptions): Promise<readonly Evidence[]> {
  const all: Evidence[] = []
  const keep = (evidence: Evidence): void => {
    all.push(evidence)
    options.onEvidence(evidence)
  }
  const entries = Object.entries(checks)
  const tests = entries.filter((entry): entry is [string, TestsCheck] => entry[1].kind === 'tests')
  const suites = entries.filter((entry): entry is [string, SuiteCheck] => entry[1].kind === 'suite')
  // Names narrow a whole run of the test runner; files that are run whole have one of their own.
  for (const named of [false, true]) {
    const group = tests.filter(([, check]) => (check.name !== undefined) === named)
    if (group.length === 0) continue
    for (const evidence of await attempt(group, options, () => runTests(group, options))) keep(evidence)
  }
  for (const [id, check] of suites) {
    const run = async (): Promise<Evidence[]> => [await runSuite(id, check, options)]
    for (const evidence of await attempt([[id, check]], options, run)) keep(evidence)
  }
  return all
}

async function attempt(
  group: readonly Entry<Check>[],
  { seed, signal }: RunOptions,
  run: () => Promise<Evidence[]>,
): Promise<Evidence[]> {
  try {
    return await run()
  } catch (error) {
    if (signal.aborted) throw error
    return group.map(([id, check]) => notRun(id, check, seed, String(error)))
  }
}

const VITEST = 'node_modules/vitest/vitest.mjs'

async function runTests(checks: readonly Entry<TestsCheck>[], options: RunOptions): Promise<Evidence[]> {
  const { root, seed, signal } = options
  using folder = temporaryFolder('gate-report')
  const file = join(folder.path, 'vitest.json')
  const files = Array.from(new Set(checks.map(([, check]) => check.file)))
  const projects = Array.from(new Set(checks.map(([, check]) => check.project)))
  const names = checks.flatMap(([, check]) => check.name ?? [])
  const narrowed = names.length === 0 ? [] : ['--testNamePattern', names.map(escaped).join('|')]
  const args = ['run', ...projects.flatMap((project) => ['--project', project]), ...narrowed, ...files]
  // What failed outside of every test is told to people only.
  const reporters = ['--reporter=default', '--reporter=json', `--outputFile.json=${file}`]
  const ended = await runChild(process.execPath, [VITEST, ...args, ...reporters], {
    root,
    signal,
    environment: { INTEGRATION_SEED: String(seed), PROPERTY_SEED: String(seed) },
  })
  return evidenceOfTests(checks, { root, seed, report: readVitestReport(file), ended })
}

async function runSuite(id: string, check: SuiteCheck, { root, seed, signal }: RunOptions): Promise<Evidence> {
  const startedAtMs = performance.now()
  const file = join(root, 'reports', check.suite, 'summary.json')
  // Whatever an earlier run found is not what this one did.
  rmSync(file, { force: true })
  const args = [...scriptOf(check, root), ...check.args, ...(check.seeded ? ['--seed', String(seed)] : [])]
  const ended = await runChild(process.execPath, args, { root, signal, environment: {} })
  const duration_s = (performance.now() - startedAtMs) / 1_000
  const summary = existsSync(file) ? (JSON.parse(readFileSync(file, 'utf8')) as Summary) : undefined
  return evidenceOfSuite(id, check, { seed, duration_s, summary, ended })
}

/** What npm would run, but that npm stands between it and our signals: `node FILE` without `node`. */
function scriptOf({ script }: SuiteCheck, root: string): string[] {
  const { scripts } = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8')) as {
    scripts: Record<string, string>
  }
  const [program, ...args] = (scripts[script] ?? '').split(' ')
  if (program !== 'node') throw new Error(`npm run ${script} is not a program of node`)
  return args
}

function escaped(name: string): string {
  return name.replace(/[.*+?^${}()|[\]\\]/g, '\\$&')
}

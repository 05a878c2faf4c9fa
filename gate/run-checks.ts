/** Runs checks in a tree, this one or a copy with a defect, and says what each of them executed. */
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { existsSync, readFileSync, rmSync } from 'node:fs'
import { join, relative } from 'node:path'
import { killGroup } from '../harness/process-group.ts'
import { EXIT } from '../harness/suite.ts'
import { temporaryFolder } from '../integration/support/git.ts'
import type { Check, SuiteCheck, TestsCheck } from './checks.ts'

export interface Evidence {
  readonly id: string
  /** `missing`: a tool that it needs is not here. */
  readonly outcome: 'passed' | 'failed' | 'missing'
  /** What anybody can run to see the same. */
  readonly command: string
  readonly seed: number
  readonly executed: number
  readonly failed: number
  readonly duration_s: number
  /** Of what failed, or of what is missing. */
  readonly messages: readonly string[]
}

export interface RunOptions {
  /** The tree that is checked. */
  readonly root: string
  readonly seed: number
  readonly signal: AbortSignal
  readonly onEvidence: (evidence: Evidence) => void
}

type Checks = Readonly<Record<string, Check>>

/** Tests with one start of the test runner where they can share it, then the suites one after another. */
export async function runChecks(checks: Checks, options: RunOptions): Promise<readonly Evidence[]> {
  const all: Evidence[] = []
  const keep = (evidence: Evidence): void => {
    all.push(evidence)
    options.onEvidence(evidence)
  }
  const tests = Object.entries(checks).filter((entry): entry is [string, TestsCheck] => entry[1].kind === 'tests')
  // Names narrow a whole run of the test runner; files that are run whole have one of their own.
  for (const named of [false, true]) {
    const group = tests.filter(([, check]) => (check.name !== undefined) === named)
    if (group.length > 0) for (const evidence of await runTests(group, options)) keep(evidence)
  }
  for (const [id, check] of Object.entries(checks)) {
    if (options.signal.aborted) break
    if (check.kind === 'suite') keep(await runSuite(id, check, options))
  }
  return all
}

const VITEST = 'node_modules/vitest/vitest.mjs'

interface VitestReport {
  readonly testResults: readonly {
    readonly name: string
    readonly message: string
    readonly assertionResults: readonly {
      readonly fullName: string
      readonly status: 'passed' | 'failed' | 'skipped' | 'pending' | 'todo'
      readonly failureMessages: readonly string[] | null
      readonly duration?: number | null
    }[]
  }[]
}

async function runTests(
  checks: readonly (readonly [string, TestsCheck])[],
  { root, seed, signal }: RunOptions,
): Promise<Evidence[]> {
  using folder = temporaryFolder('gate-report')
  const file = join(folder.path, 'vitest.json')
  const files = Array.from(new Set(checks.map(([, check]) => check.file)))
  const projects = Array.from(new Set(checks.map(([, check]) => check.project)))
  const names = checks.flatMap(([, check]) => check.name ?? [])
  const narrowed = names.length === 0 ? [] : ['--testNamePattern', names.map(escaped).join('|')]
  const args = ['run', ...projects.flatMap((project) => ['--project', project]), ...narrowed, ...files]
  const output = await run(process.execPath, [VITEST, ...args, '--reporter=json', `--outputFile=${file}`], {
    root,
    signal,
    environment: { INTEGRATION_SEED: String(seed), PROPERTY_SEED: String(seed) },
  })
  if (!existsSync(file)) return checks.map(([id, check]) => notRun(id, commandOf(check), seed, [output.text]))
  const report = JSON.parse(readFileSync(file, 'utf8')) as VitestReport
  return checks.map(([id, check]) => evidenceOf(id, check, report, { root, seed }))
}

function evidenceOf(
  id: string,
  check: TestsCheck,
  report: VitestReport,
  { root, seed }: { readonly root: string; readonly seed: number },
): Evidence {
  const found = report.testResults.find((one) => relative(root, one.name) === check.file)
  const tests = (found?.assertionResults ?? []).filter(({ fullName }) => fullName.includes(check.name ?? ''))
  const executed = tests.filter(({ status }) => status === 'passed' || status === 'failed')
  const failures = executed.filter(({ status }) => status === 'failed')
  const messages = failures.map(({ fullName, failureMessages }) => `${fullName}: ${(failureMessages ?? []).join('\n')}`)
  // A file that cannot even be loaded has no test that failed.
  const broken = executed.length === 0 || (found?.message ?? '') !== ''
  if (broken) messages.push(found?.message || 'nothing was executed')
  return {
    id,
    outcome: failures.length === 0 && !broken ? 'passed' : 'failed',
    command: commandOf(check),
    seed,
    executed: executed.length,
    failed: failures.length,
    duration_s: tests.reduce((sum, { duration }) => sum + (duration ?? 0), 0) / 1_000,
    messages,
  }
}

export function commandOf(check: Check): string {
  if (check.kind === 'suite') return ['npm run', check.script, '--', ...check.args].join(' ')
  const named = check.name === undefined ? '' : ` -t '${check.name}'`
  return `npx vitest run --project ${check.project} ${check.file}${named}`
}

interface Summary {
  readonly executed: number
  readonly failed: number
  readonly cases?: readonly { readonly name: string; readonly outcome: string; readonly message?: string }[]
}

async function runSuite(id: string, check: SuiteCheck, { root, seed, signal }: RunOptions): Promise<Evidence> {
  const startedAtMs = performance.now()
  const file = join(root, 'reports', check.suite, 'summary.json')
  // Whatever an earlier run found is not what this one did.
  rmSync(file, { force: true })
  const args = [...scriptOf(check, root), ...check.args, ...(check.seeded ? ['--seed', String(seed)] : [])]
  const { exitCode, text } = await run(process.execPath, args, { root, signal, environment: {} })
  const duration_s = (performance.now() - startedAtMs) / 1_000
  const command = `${commandOf(check)}${check.seeded ? ` --seed ${seed}` : ''}`
  if (exitCode === EXIT.toolMissing)
    return { ...notRun(id, command, seed, [lastLine(text)]), outcome: 'missing', duration_s }
  if (!existsSync(file)) return { ...notRun(id, command, seed, [text]), duration_s }
  const { executed, failed, cases = [] } = JSON.parse(readFileSync(file, 'utf8')) as Summary
  const messages = cases.flatMap(({ name, outcome, message }) => (outcome === 'failed' ? `${name}: ${message}` : []))
  const outcome = exitCode === 0 && failed === 0 && executed > 0 ? 'passed' : 'failed'
  if (outcome === 'failed') messages.push(text)
  return { id, outcome, command, seed, executed, failed, duration_s, messages }
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

/** What executed nothing proves nothing. */
function notRun(id: string, command: string, seed: number, messages: readonly string[]): Evidence {
  return { id, outcome: 'failed', command, seed, executed: 0, failed: 0, duration_s: 0, messages }
}

const OUTPUT_KEPT = 20_000

/**
 * In a process group and a temporary folder of its own: however it ends, nothing of it is left.
 * @throws the signal's reason
 */
async function run(
  program: string,
  args: readonly string[],
  options: {
    readonly root: string
    readonly signal: AbortSignal
    readonly environment: Readonly<Record<string, string>>
  },
): Promise<{ readonly exitCode: number | null; readonly text: string }> {
  options.signal.throwIfAborted()
  using temporary = temporaryFolder('gate')
  const child = spawn(program, args, {
    cwd: options.root,
    env: { ...process.env, ...options.environment, TMPDIR: temporary.path },
    stdio: ['ignore', 'pipe', 'pipe'],
    detached: true,
  })
  let text = ''
  const take = (piece: string): void => {
    text = `${text}${piece}`.slice(-OUTPUT_KEPT)
  }
  child.stdout.setEncoding('utf8').on('data', take)
  child.stderr.setEncoding('utf8').on('data', take)
  // Its own way of ending: it writes down what it has, and gives back what it began.
  const end = (): boolean => child.kill('SIGTERM')
  options.signal.addEventListener('abort', end, { once: true })
  const [exitCode] = (await once(child, 'exit')) as [number | null]
  options.signal.removeEventListener('abort', end)
  // Whatever a test runner that was ended did not end itself.
  killGroup(child)
  options.signal.throwIfAborted()
  return { exitCode, text }
}

function escaped(name: string): string {
  return name.replace(/[.*+?^${}()|[\]\\]/g, '\\$&')
}

function lastLine(text: string): string {
  return text.trim().split('\n').at(-1) ?? ''
}

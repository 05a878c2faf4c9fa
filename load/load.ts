/** One run: a node, what is on it, each script, and what the books say afterwards. */
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import type { SuiteCase } from '../harness/suite.ts'
import { temporaryFolder } from '../integration/support/git.ts'
import { Random } from '../integration/support/random.ts'
import { RATES } from './k6/metrics.ts'
import { type K6Outcome, runK6 } from './k6-run.ts'
import type { LoadPlan } from './plan.ts'
import { reconcile, type Reconciliation, type Subject, SUBJECTS } from './reconcile.ts'
import { tableOf } from './report.ts'
import type { NodeAddress } from './environment.ts'
import { LOAD_SCRIPTS, type LoadScriptName } from './scripts.ts'
import { seed as fill } from './seeding.ts'
import { openTarget, settledSeries, type Target } from './target.ts'
import { verifyPushes } from './verify.ts'

export interface LoadOptions {
  readonly k6: string
  /** Undefined: a node of our own. */
  readonly address: NodeAddress | undefined
  readonly scripts: readonly LoadScriptName[]
  readonly short: boolean
  readonly seed: number
  readonly signal: AbortSignal
  readonly say: (line: string) => void
}

export interface LoadResult {
  readonly cases: readonly SuiteCase[]
  readonly tables: readonly string[]
}

const SECONDS = 60
const SECONDS_SHORT = 10
/** k6 may begin one iteration more than rate and time make. */
const PUSHES_SPARE = 2

const SUBJECT_NAMES: Readonly<Record<Subject, string>> = {
  requests: 'requests and statuses agree exactly',
  bytes: 'bytes agree exactly',
  latency: 'latencies agree within a bucket',
}

/** Interrupted, it gives back what was done until then, and what was not as skipped. */
export async function runLoad(options: LoadOptions): Promise<LoadResult> {
  const { scripts, signal, say } = options
  const cases: SuiteCase[] = []
  const tables: string[] = []
  const finished = new Set<LoadScriptName>()
  try {
    for await (const run of scriptRuns(options)) {
      for (const { outcome, message, name: what } of run.cases) {
        if (outcome !== 'passed') say(`  ${outcome} ${what}\n${message}`)
      }
      cases.push(...run.cases)
      tables.push(...run.tables)
      for (const table of run.tables) say(table)
      finished.add(run.name)
    }
  } catch (error) {
    if (!signal.aborted) throw error
    // Programs that got the same signal failed; and what was made on somebody's node may still be there.
    if (error !== signal.reason) say(`interrupted: ${String(error)}`)
  }
  for (const name of scripts) {
    if (!finished.has(name)) cases.push({ name, outcome: 'skipped', duration_s: 0, message: 'not finished' })
  }
  return { cases, tables }
}

/** Each script, when it has run. @throws the signal's reason, or what became of it */
async function* scriptRuns(options: LoadOptions): AsyncGenerator<ScriptRun> {
  const { k6, address, scripts, short, seed, signal, say } = options
  using folder = temporaryFolder('load')
  await using target = await openTarget(address)
  const seconds = short ? SECONDS_SHORT : SECONDS
  say(`node ${target.baseUrl}; filling it`)
  const pushCount = scripts.includes('push') ? RATES.push * seconds + PUSHES_SPARE : 0
  const seeded = await fill({ target, folder: folder.path, random: new Random(seed), pushCount, signal })
  const { baseUrl, username, token } = target
  const plan: LoadPlan = { baseUrl, username, token, seed, seconds, ...seeded }
  const planFile = join(folder.path, 'plan.json')
  // It holds the token.
  writeFileSync(planFile, JSON.stringify(plan), { mode: 0o600 })
  for (const name of scripts) {
    signal.throwIfAborted()
    const run = new ScriptRun(name, { plan, planFile, target, folder: folder.path, k6, signal })
    say(`${name}: ${LOAD_SCRIPTS[name].does}, ${RATES[name]} a second for ${seconds} s`)
    await run.run()
    yield run
  }
}

interface ScriptParts {
  readonly plan: LoadPlan
  readonly planFile: string
  readonly target: Target
  readonly folder: string
  readonly k6: string
  readonly signal: AbortSignal
}

class ScriptRun {
  readonly cases: SuiteCase[] = []
  readonly tables: string[] = []
  readonly name: LoadScriptName
  readonly #parts: ScriptParts
  #startedAtMs = performance.now()

  constructor(name: LoadScriptName, parts: ScriptParts) {
    this.name = name
    this.#parts = parts
  }

  async run(): Promise<void> {
    const { folder, signal, target, plan } = this.#parts
    const { metricsUrl } = target
    const before = metricsUrl === undefined ? undefined : await settledSeries(metricsUrl, signal)
    const { ledger, failure } = await this.#runK6()
    this.#enter('thresholds are kept', failure === undefined ? [] : [failure])
    if (metricsUrl === undefined || before === undefined) {
      for (const subject of SUBJECTS) this.#skip(SUBJECT_NAMES[subject], 'LOAD_METRICS_URL is not set')
    } else this.#reconciled(reconcile(ledger, before, await settledSeries(metricsUrl, signal)))
    if (this.name !== 'push') return
    const findings = await verifyPushes(plan, target, ledger.acknowledgedRefs, folder)
    // A git that got the same signal finds nothing.
    signal.throwIfAborted()
    this.#enter(`git finds all ${ledger.acknowledgedRefs.length} acknowledged pushes, and nothing wrong`, findings)
  }

  #runK6(): Promise<K6Outcome> {
    const { k6, planFile, folder, signal, target } = this.#parts
    return runK6({ k6, script: LOAD_SCRIPTS[this.name].file, planFile, folder, network: target.network, signal })
  }

  #reconciled(reconciliation: Reconciliation): void {
    this.tables.push(tableOf(reconciliation))
    for (const subject of SUBJECTS) this.#enter(SUBJECT_NAMES[subject], reconciliation.findings[subject])
  }

  #enter(what: string, findings: readonly string[]): void {
    const nowMs = performance.now()
    const duration_s = (nowMs - this.#startedAtMs) / 1_000
    this.#startedAtMs = nowMs
    const result =
      findings.length === 0
        ? ({ outcome: 'passed' } as const)
        : ({ outcome: 'failed', message: findings.join('\n') } as const)
    this.cases.push({ name: `${this.name}: ${what}`, duration_s, ...result })
  }

  #skip(what: string, message: string): void {
    this.cases.push({ name: `${this.name}: ${what}`, duration_s: 0, outcome: 'skipped', message })
  }
}

/** Fuzzes one target: proves that it can find something there, looks for it, and makes what it found small. */
import { mkdirSync, mkdtempSync, readdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { committedInputs } from './advisories/committed.ts'
import { bundle, type Bundle, bundleTarget, notDriven } from './engine/bundle.ts'
import { type Input, keptFolder, readFolder, replaceFinding, saveFinding } from './engine/corpus.ts'
import { type ModuleCoverage, whyNotDriven } from './engine/coverage.ts'
import { type JazzerEnd, type JazzerOutcome, runJazzer } from './engine/jazzer.ts'
import type { FuzzStatus } from './engine/libfuzzer-lines.ts'
import { mergeInputs } from './engine/merge.ts'
import { minimiseFinding, replay } from './engine/replay.ts'
import { judgeAll } from './referee.ts'
import { targetOf } from './targets.ts'

export interface FuzzRun {
  /** The Node that can load Jazzer.js. */
  readonly node: string
  /** Temporary, for all targets of this run. */
  readonly folder: string
  readonly seed: number
  readonly seconds: number
  readonly signal: AbortSignal
  onStatus(target: string, status: FuzzStatus): void
  /** An input that failed lies in the tree. */
  onSaved(target: string, message: string): void
  say(line: string): void
}

export interface Finding {
  readonly kind: JazzerEnd | 'disagreement'
  readonly said: string
  /** Where the input lies, relative to the repository's root. */
  readonly file: string
  readonly bytes: number
  readonly command: string
  /** Whether the replay fails on it, which has not all of the fuzzer's detectors. */
  readonly repeats: boolean
}

export interface TargetResult {
  readonly target: string
  readonly status: FuzzStatus
  readonly executionsPerS: number
  readonly goalPerS: number
  /** Edges that an input of no bytes takes, and that the seeds take with what earlier runs kept. */
  readonly coverageOfNothing: number
  readonly coverageAtStart: number
  readonly modules: readonly { readonly module: string; readonly linesRun: number; readonly lines: number }[]
  readonly findings: readonly Finding[]
  /** For later runs. */
  readonly inputsKept: number
  /** Why what this target found, or did not, means nothing. */
  readonly problems: readonly string[]
  readonly duration_s: number
}

const CANARY_RUNS = 1_000_000
/** For the report: enough to see what is never reached. */
const REPLAYED_INPUTS_MAX = 2_000
/** A run starts by trying all that were kept, of which a half or more reach nothing new. */
const KEPT_INPUTS_MAX = 2_000

/** @returns why the fuzzer would find nothing in these targets, whatever there was; undefined: it found the planted defect */
export async function tryCanaries(targets: readonly string[], run: FuzzRun): Promise<string | undefined> {
  const ways = new Set(targets.map((name) => targetOf(name).isAsync))
  for (const isAsync of ways) {
    const silence = await tryCanary(isAsync, run)
    if (silence !== undefined) return silence
  }
  return undefined
}

async function tryCanary(
  isAsync: true | undefined,
  { node, folder, seed, signal }: FuzzRun,
): Promise<string | undefined> {
  const name = isAsync ? 'canary-later' : 'canary'
  const { path } = await bundle(join(import.meta.dirname, `engine/${name}.ts`), join(folder, `${name}.cjs`))
  const work = { runs: CANARY_RUNS }
  const options = { seed, work, words: [], inputBytesMax: 64, makesObjects: false, isAsync, signal }
  const run = { node, bundle: path, corpusFolders: [], ...options }
  const outcome = await runJazzer({ ...run, folder: subfolder(folder) })
  if (outcome.end === 'crash' && outcome.said.includes('The canary was found')) return undefined
  return `the planted defect was not found: ${outcome.end} after ${outcome.status.executions} executions\n${outcome.said}`
}

export async function fuzzTarget(name: string, run: FuzzRun): Promise<TargetResult> {
  const startedAtMs = performance.now()
  const target = targetOf(name)
  const bundled = await bundleTarget(name, run.folder)
  // libFuzzer cuts what is longer, which then means something else.
  const seeds = committedInputs(name).filter(({ bytes }) => bytes.length <= target.inputBytesMax)
  const problems = notDriven(target, bundled).map((module) => `${module} is not in the bundle: a copy is fuzzed`)
  const replayed = await replay(bundled, seeds, run.signal)
  for (const { input, message } of replayed.failures) problems.push(`fails already on ${input.name}: ${message}`)
  if (replayed.coverage !== undefined) problems.push(...whyNotDriven(target.drives, replayed.coverage))
  const nothing = await runJazzer({ ...jazzerRun(name, bundled, run), corpusFolders: [], work: { runs: 1 } })
  const kept = keptFolder(name)
  const work = { seconds: run.seconds }
  const corpusFolders = [kept, writeInputs(seeds, run.folder)]
  const jazzer = { ...jazzerRun(name, bundled, run), corpusFolders, work }
  const outcome = await runJazzer({ ...jazzer, onStatus: (status) => run.onStatus(name, status) })
  const coverageAtStart = outcome.seeded?.coverage ?? 0
  if (outcome.end === 'broken') problems.push(`the fuzzer broke off: ${outcome.said}`)
  // What fails while the seeds are read says nothing of what they cover.
  else if (outcome.seeded === undefined && outcome.input !== undefined) run.say(`${name}: fails on its seeds already`)
  else if (coverageAtStart === 0) problems.push('no coverage came back: the bundle is not instrumented')
  else if (coverageAtStart <= nothing.status.coverage) problems.push('the seeds cover no more than an empty input does')
  const inputs = [...seeds, ...readFolder(kept)]
  const findings = await findingsOf(name, bundled, outcome, run)
  // What crashes here would crash the referee, too.
  if (outcome.end === 'nothing found' && replayed.failures.length === 0) {
    findings.push(...(await disagreements(name, inputs, run.signal)))
    if (readdirSync(kept).length > KEPT_INPUTS_MAX) await merge(name, kept, bundled, run)
  }
  return {
    target: name,
    status: outcome.status,
    executionsPerS: outcome.executionsPerS,
    goalPerS: target.goalPerS,
    coverageOfNothing: nothing.status.coverage,
    coverageAtStart,
    modules: await coverageOf(bundled, inputs.slice(0, REPLAYED_INPUTS_MAX), run.signal),
    findings,
    inputsKept: readdirSync(kept).length,
    problems,
    duration_s: Math.round((performance.now() - startedAtMs) / 1_000),
  }
}

function jazzerRun(name: string, { path }: Bundle, { node, folder, seed, signal }: FuzzRun) {
  const { words, inputBytesMax, makesObjects, isAsync } = targetOf(name)
  return { node, bundle: path, folder: subfolder(folder), seed, words, inputBytesMax, makesObjects, isAsync, signal }
}

/** Saved as it is, before it is made smaller, which takes a while and may be interrupted. */
async function findingsOf(
  name: string,
  bundled: Bundle,
  { end, said, input }: JazzerOutcome,
  { signal, onSaved }: FuzzRun,
): Promise<Finding[]> {
  if (input === undefined || end === 'nothing found') return []
  const saved = saveFinding(name, input)
  onSaved(name, `${end}: ${said}\n  ${input.length} bytes in ${saved.file}\n  again: ${commandFor(name, saved.file)}`)
  const smallest = await minimiseFinding(bundled, input, signal)
  const file = replaceFinding(name, saved, smallest)
  const { failures } = await replay(bundled, [{ name: file, bytes: smallest }], signal)
  return [finding(name, { kind: end, said, file, bytes: smallest.length, repeats: failures.length > 0 })]
}

/** One of each kind: what is wrong once is wrong for many inputs. */
async function disagreements(name: string, inputs: readonly Input[], signal: AbortSignal): Promise<Finding[]> {
  const found = await judgeAll(name, inputs, signal)
  const kinds = new Map(found.map(({ message, input }) => [message, input]))
  const findings: Finding[] = []
  for (const [said, input] of kinds) {
    const repeats = (await judgeAll(name, [input], signal)).length > 0
    const { file } = saveFinding(name, input.bytes)
    findings.push(finding(name, { kind: 'disagreement', said, file, bytes: input.bytes.length, repeats }))
  }
  return findings
}

function finding(name: string, found: Omit<Finding, 'command'>): Finding {
  return { ...found, command: commandFor(name, found.file) }
}

function commandFor(name: string, file: string): string {
  return `npm run fuzz -- ${name} --input ${file}`
}

async function merge(name: string, kept: string, bundled: Bundle, run: FuzzRun): Promise<void> {
  const merged = await mergeInputs(kept, jazzerRun(name, bundled, run))
  if (merged === undefined) run.say(`${name}: the inputs that are kept could not be merged`)
  else run.say(`${name}: of ${merged.before} inputs that were kept, ${merged.after} reach what all did`)
}

async function coverageOf(
  bundled: Bundle,
  inputs: readonly Input[],
  signal: AbortSignal,
): Promise<TargetResult['modules']> {
  const { coverage } = await replay(bundled, inputs, signal)
  const lines = (module: ModuleCoverage, from: readonly ModuleCoverage[]): number => {
    const early = from.find((one) => one.module === module.module)?.linesRun ?? []
    return new Set([...early, ...module.linesRun]).size
  }
  const { before = [], after = [] } = coverage ?? {}
  return after.map((one) => ({ module: one.module, linesRun: lines(one, before), lines: one.lines }))
}

function writeInputs(inputs: readonly Input[], folder: string): string {
  const path = subfolder(folder)
  for (const [at, { bytes }] of inputs.entries()) writeFileSync(join(path, `${at}`), bytes)
  return path
}

function subfolder(folder: string): string {
  mkdirSync(folder, { recursive: true })
  return mkdtempSync(join(folder, 'run-'))
}

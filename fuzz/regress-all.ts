/** `npm run fuzz -- --regression` and `--coverage`. */
import { awaitSignals } from '../harness/command.ts'
import type { SuiteCase } from '../harness/suite.ts'
import { committedInputs } from './advisories/committed.ts'
import { wrongOutcomes } from './advisories/replay.ts'
import { coverDecoders, type FileCoverage } from './reach/cover.ts'
import { describeCoverage, judgeCoverage } from './reach/judge.ts'
import { closeFuzz } from './report/report.ts'
import type { FoundProblem } from './report/sarif.ts'
import { caseOf, type Regression, replayTarget } from './regression.ts'
import { TARGET_NAMES } from './targets.ts'

/** What is tried besides targets, and where it shows. */
const NO_TARGETS: Readonly<Record<string, string>> = {
  canary: 'fuzz/engine/canary.ts',
  coverage: 'fuzz/reach/gaps.ts',
}
const COVERED_BY = 'the committed inputs alone'

/** @param targets of all of them, what they reach is judged as well. @returns the exit code */
export async function regress(targets: readonly string[], signal: AbortSignal): Promise<number> {
  const startedAtMs = performance.now()
  const cases: SuiteCase[] = []
  const results: Regression[] = []
  for (const target of targets) {
    const fromMs = performance.now()
    const result = await tryTarget(target, signal)
    if (result === undefined) {
      cases.push({ name: target, outcome: 'skipped', duration_s: 0, message: 'not finished' })
      continue
    }
    console.log(`${target}: ${result.inputs} inputs${result.problems.length === 0 ? '' : ', FAILED'}`)
    for (const problem of result.problems) console.log(`FINDING ${target}: ${problem}`)
    cases.push(caseOf(result, secondsSince(fromMs)))
    results.push(result)
  }
  const problems = results.flatMap(problemsOf)
  const areAll = targets.length === TARGET_NAMES.length && results.length === targets.length
  if (areAll) tryAdvisories(cases, problems)
  const isCounted = areAll && problems.length === 0
  const coverage = isCounted ? await cover(cases, problems, signal) : undefined
  return closeFuzz({
    suite: 'fuzz-regression',
    seed: 0,
    again: `npm run fuzz -- ${areAll ? '' : `${targets.join(' ')} `}--regression`,
    cases,
    problems,
    startedAtMs,
    figures: results,
    coverage,
    coveredBy: COVERED_BY,
    details: { regression: results },
  })
}

/** @returns undefined: interrupted. What goes wrong with one target keeps none of the others from being tried. */
async function tryTarget(target: string, signal: AbortSignal): Promise<Regression | undefined> {
  if (signal.aborted) return undefined
  try {
    return await replayTarget(target, signal)
  } catch (error) {
    await awaitSignals()
    return signal.aborted ? undefined : { target, inputs: 0, problems: [`cannot be replayed: ${String(error)}`] }
  }
}

/** Only what they reach. @returns the exit code */
export async function coverAll(signal: AbortSignal): Promise<number> {
  const startedAtMs = performance.now()
  const cases: SuiteCase[] = []
  const problems: FoundProblem[] = []
  const coverage = await cover(cases, problems, signal)
  for (const line of describeCoverage(coverage ?? [])) console.log(line)
  return closeFuzz({
    suite: 'fuzz-coverage',
    seed: 0,
    again: 'npm run fuzz -- --coverage',
    cases,
    problems,
    startedAtMs,
    figures: TARGET_NAMES.map((target) => ({ target, inputs: committedInputs(target).length })),
    coverage,
    coveredBy: COVERED_BY,
    details: {},
  })
}

/** Those that no target reads, too. */
function tryAdvisories(cases: SuiteCase[], problems: FoundProblem[]): void {
  const fromMs = performance.now()
  const name = 'published defects'
  const found = wrongOutcomes().map((text) => ({ name, text, file: 'fuzz/advisories/list.ts' }))
  add(name, fromMs, found, cases, problems)
}

/** @returns undefined: interrupted, which is a case of its own */
async function cover(
  cases: SuiteCase[],
  problems: FoundProblem[],
  signal: AbortSignal,
): Promise<FileCoverage[] | undefined> {
  const fromMs = performance.now()
  const name = 'coverage'
  const coverage = await coverDecoders(signal).catch((error: unknown) => {
    if (!signal.aborted) throw error
    cases.push({ name, outcome: 'skipped', duration_s: 0, message: 'not finished' })
    return undefined
  })
  if (coverage === undefined) return undefined
  const found = judgeCoverage(coverage).map((text) => {
    const [, file = 'fuzz/reach/gaps.ts', line] = /^(src\/[^:]+):([0-9]+) /.exec(text) ?? []
    return { name, text, file, ...(line !== undefined && { line: Number(line) }) }
  })
  add(name, fromMs, found, cases, problems)
  return coverage
}

function add(
  name: string,
  fromMs: number,
  found: readonly FoundProblem[],
  cases: SuiteCase[],
  problems: FoundProblem[],
): void {
  const texts = found.map(({ text }) => text)
  for (const text of texts) console.log(`FINDING ${name}: ${text}`)
  cases.push(caseOf({ target: name, inputs: 0, problems: texts }, secondsSince(fromMs)))
  problems.push(...found)
}

/** Where an input lies, else where its target does. */
export function problemsOf({ target, problems }: Pick<Regression, 'target' | 'problems'>): FoundProblem[] {
  return problems.map((text) => {
    const code = NO_TARGETS[target] ?? `fuzz/targets/${target}.fuzz.ts`
    const [file = code] = /fuzz\/findings\/[^: \n]+/.exec(text) ?? []
    return { name: target, text, file }
  })
}

export function secondsSince(atMs: number): number {
  return Math.round((performance.now() - atMs) / 1_000)
}

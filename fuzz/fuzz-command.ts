/** `npm run fuzz`. */
import { randomInt } from 'node:crypto'
import { availableParallelism } from 'node:os'
import { isAbsolute, relative, resolve } from 'node:path'
import { awaitSignals, runCommand } from '../harness/command.ts'
import { WrongUseError } from '../harness/errors.ts'
import { readOptions } from '../harness/options.ts'
import type { SuiteCase } from '../harness/suite.ts'
import { ROOT } from '../integration/support/command-line.ts'
import { temporaryFolder } from '../integration/support/git.ts'
import { committedInputs } from './advisories/committed.ts'
import { keptFolder, readFolder } from './engine/corpus.ts'
import { findJazzerNode } from './engine/jazzer-node.ts'
import { formatNumber, Progress } from './progress.ts'
import { coverBy } from './reach/cover.ts'
import { coverAll, problemsOf, regress, secondsSince } from './regress-all.ts'
import { caseOf, replayInput } from './regression.ts'
import { closeFuzz } from './report/report.ts'
import { type FuzzRun, fuzzTarget, type TargetResult, tryCanaries } from './run-target.ts'
import { TARGET_NAMES, targetOf } from './targets.ts'

const HELP = `Usage: npm run fuzz [-- TARGET… [options]]

Feeds the parsers of untrusted bytes with inputs that coverage leads to, and judges what they make
of them. An input that fails is made small, saved in fuzz/findings/ and named with the command
that repeats it. Writes reports/fuzz/: summary.json, junit.xml, results.sarif, and a page (index.html)
with what each decoder's branches are reached by.

Targets (all of them where none is named):
${TARGET_NAMES.map((name) => `  ${name.padEnd(20)}${targetOf(name).reads}`).join('\n')}

  --time 2m        for all targets together (2m)
  --jobs N         targets at a time (one for each core)
  --seed N         the choices of an earlier run (random); what it finds still depends on its time
  --regression     only replays the committed inputs and findings, in plain Node; of all targets, also
                   judges which branches of the decoders they reach
  --coverage       only that, with what is missing and why
  --input FILE     only replays this input of the one target that is named

Examples:
  npm run fuzz -- pack --time 10m
  npm run fuzz -- --regression
`

async function main(args: readonly string[], signal: AbortSignal): Promise<number> {
  const options = readOptions(args, {
    numbers: {
      jobs: { otherwise: availableParallelism(), min: 1, max: 64 },
      // libFuzzer reads 0 as "any".
      seed: { otherwise: randomInt(1, 2 ** 31), min: 1, max: 2 ** 31 - 1 },
    },
    durations: { time: { otherwiseMs: 120_000, minMs: 1_000 } },
    flags: ['regression', 'coverage'],
    texts: { input: undefined },
    names: { what: 'target', known: TARGET_NAMES },
  })
  const targets = options.names.length === 0 ? TARGET_NAMES : options.names
  const { input } = options.texts
  const { regression, coverage } = options.flags
  if ([input !== undefined, regression, coverage].filter(Boolean).length > 1) {
    throw new WrongUseError('--regression, --coverage and --input are three commands: take one of them')
  }
  if (coverage && options.names.length > 0) throw new WrongUseError('--coverage is of all targets together')
  if (input !== undefined) return repeat(targets, input, signal)
  if (coverage) return coverAll(signal)
  if (regression) return regress(targets, signal)
  return search(targets, { ...options.numbers, timeMs: options.durationsMs.time }, signal)
}

async function repeat(targets: readonly string[], input: string, signal: AbortSignal): Promise<number> {
  const [target, another] = targets
  if (target === undefined || another !== undefined) throw new WrongUseError('--input needs the one target it is for')
  const startedAtMs = performance.now()
  const result = await replayInput(target, input, signal)
  for (const problem of result.problems) console.log(`FINDING ${target}: ${problem}`)
  const cases = [caseOf(result, secondsSince(startedAtMs))]
  return closeFuzz({
    suite: 'fuzz-regression',
    seed: 0,
    again: `npm run fuzz -- ${target} --input ${input}`,
    cases,
    problems: problemsOf(result).map((problem) => ({ ...problem, file: fileInTree(input) ?? problem.file })),
    startedAtMs,
    figures: [result],
    coverage: undefined,
    coveredBy: '',
    details: { regression: [result] },
  })
}

/** @returns relative to the repository's root; undefined: it lies elsewhere, where nobody else finds it */
function fileInTree(path: string): string | undefined {
  const file = relative(ROOT, resolve(path))
  return file.startsWith('..') || isAbsolute(file) ? undefined : file
}

interface Search {
  readonly jobs: number
  readonly seed: number
  readonly timeMs: number
}

async function search(
  targets: readonly string[],
  { jobs, seed, timeMs }: Search,
  signal: AbortSignal,
): Promise<number> {
  const again = `npm run fuzz -- ${targets.join(' ')} --seed ${seed} --time ${timeMs / 1_000}s --jobs ${jobs}`
  console.log(`seed ${seed}; again: ${again}`)
  const startedAtMs = performance.now()
  const node = await findJazzerNode((line) => console.log(line), signal)
  using folder = temporaryFolder('fuzz')
  const progress = new Progress()
  const rounds = Math.ceil(targets.length / jobs)
  const seconds = Math.max(1, Math.floor(timeMs / 1_000 / rounds))
  if (seconds * rounds * 1_000 > timeMs) console.log('That is less than a second for each target: they take one each')
  const onStatus: FuzzRun['onStatus'] = (target, status) => progress.update(target, status)
  const say = (line: string): void => progress.say(line)
  /** Of targets that are not done: what is saved, whatever comes then. */
  const saved = new Map<string, string>()
  const onSaved: FuzzRun['onSaved'] = (target, message) => {
    saved.set(target, message)
    say(`FINDING ${target}: ${message}\n  to be made smaller`)
  }
  const run: FuzzRun = { node, folder: folder.path, seed, seconds, signal, onStatus, onSaved, say }
  const results: TargetResult[] = []
  const cases: SuiteCase[] = []
  const queue = targets.values()
  const work = async (): Promise<void> => {
    for (const target of queue) {
      progress.say(`${target}: begins, for ${seconds} s`)
      const fromMs = performance.now()
      try {
        const result = await fuzzTarget(target, run)
        results.push(result)
        cases.push(report(result, progress))
      } catch (error) {
        await awaitSignals()
        signal.throwIfAborted()
        // The others are tried, and what they find is reported.
        const message = [saved.get(target) ?? [], `broke off: ${String(error)}`].flat().join('\n')
        progress.done(target, `FAILED ${target}: ${message}`)
        cases.push({ name: target, outcome: 'failed', duration_s: secondsSince(fromMs), message })
      }
    }
  }
  try {
    const silence = await tryCanaries(targets, run)
    if (silence === undefined) await Promise.all(Array.from({ length: jobs }, work))
    else cases.push({ name: 'canary', outcome: 'failed', duration_s: secondsSince(startedAtMs), message: silence })
    if (silence !== undefined) progress.say(`FAILED canary: ${silence}`)
  } catch (error) {
    await awaitSignals()
    if (!signal.aborted) throw error
  } finally {
    progress.stop()
  }
  for (const name of targets) {
    if (cases.some((one) => one.name === name)) continue
    const message = saved.get(name)
    if (message === undefined) cases.push({ name, outcome: 'skipped', duration_s: 0, message: 'not finished' })
    else cases.push({ name, outcome: 'failed', duration_s: 0, message })
  }
  // What fails is not run here, in one process with all others.
  const isFine = cases.every(({ outcome }) => outcome === 'passed')
  const coverage = isFine ? await coverByKept(targets, cases, signal) : undefined
  const problems = cases.flatMap(({ name, outcome, message = '' }) =>
    outcome === 'failed' ? problemsOf({ target: name, problems: [message] }) : [],
  )
  return closeFuzz({
    suite: 'fuzz',
    seed,
    again,
    cases,
    problems,
    startedAtMs,
    figures: results.map(({ status, inputsKept, ...figures }) => {
      return { ...figures, inputs: inputsKept, executions: status.executions }
    }),
    coverage,
    coveredBy: `the committed inputs of ${targets.join(', ')}, and what is kept on this machine`,
    details: { secondsEach: seconds, targets: results },
  })
}

/**
 * Of decoders that none of the targets is for, nothing is said. What was found out before is reported, whatever happens here.
 * @param cases gets one more where the branches cannot be counted
 * @returns undefined: they were not counted
 */
async function coverByKept(targets: readonly string[], cases: SuiteCase[], signal: AbortSignal) {
  const startedAtMs = performance.now()
  const inputsOf = (target: string) => [...committedInputs(target), ...readFolder(keptFolder(target))]
  try {
    const all = targets.map((target) => ({ target, inputs: inputsOf(target) }))
    const files = await coverBy(all, signal)
    return files.filter(({ taken }) => taken > 0)
  } catch (error) {
    if (signal.aborted) return undefined
    const message = String(error)
    console.log(`FAILED coverage: ${message}`)
    cases.push({ name: 'coverage', outcome: 'failed', duration_s: secondsSince(startedAtMs), message })
    return undefined
  }
}

function report(result: TargetResult, progress: Progress): SuiteCase {
  const { target, status, executionsPerS, goalPerS, coverageAtStart, findings, problems, duration_s } = result
  const speed = `${formatNumber(executionsPerS)}/s (goal ${formatNumber(goalPerS)})`
  const edges = `${status.coverage} edges (${coverageAtStart} at the start)`
  progress.done(
    target,
    `${target}: ${formatNumber(status.executions)} runs, ${speed}, ${edges}, ${status.corpusInputs} inputs kept`,
  )
  for (const problem of problems) progress.say(`FAILED ${target}: ${problem}`)
  const messages = findings.map(({ kind, said, file, bytes, command, repeats }) => {
    const again = repeats ? `again: ${command}` : `the replay passes on it: only the fuzzer shows it`
    const message = `${kind}: ${said}\n  ${bytes} bytes in ${file}\n  ${again}`
    progress.say(`FINDING ${target}: ${message}`)
    return message
  })
  const message = [...problems, ...messages].join('\n')
  if (message === '') return { name: target, outcome: 'passed', duration_s }
  return { name: target, outcome: 'failed', duration_s, message }
}

await runCommand(HELP, main)

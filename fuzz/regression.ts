/** Replays what is committed (or one input) in plain Node: no Jazzer.js, no C library. */
import { readFileSync } from 'node:fs'
import { resolve } from 'node:path'
import { WrongUseError } from '../harness/errors.ts'
import type { SuiteCase } from '../harness/suite.ts'
import { temporaryFolder } from '../integration/support/git.ts'
import { committedInputs } from './advisories/committed.ts'
import { wrongOutcomes } from './advisories/replay.ts'
import { bundleTarget, notDriven } from './engine/bundle.ts'
import type { Input } from './engine/corpus.ts'
import { whyNotDriven } from './engine/coverage.ts'
import { replay } from './engine/replay.ts'
import { judgeAll } from './referee.ts'
import { targetOf } from './targets.ts'

export interface Regression {
  readonly target: string
  readonly inputs: number
  /** An input that fails, or shipped code that is not driven: a sentence each. */
  readonly problems: readonly string[]
}

/**
 * All seeds and findings of a target, and the published defects that it reads; they must pass, end as those are listed, and
 * together drive the code that the target is for.
 */
export async function replayTarget(name: string, signal: AbortSignal): Promise<Regression> {
  const target = targetOf(name)
  using folder = temporaryFolder('fuzz')
  const bundled = await bundleTarget(name, folder.path)
  const inputs = committedInputs(name)
  const { failures, coverage } = await replay(bundled, inputs, signal)
  const problems = [
    ...notDriven(target, bundled).map((module) => `${module} is not in the bundle: a copy is fuzzed`),
    ...failures.map(({ input, message }) => `${input.name}: ${message}`),
    // What ends a process would end this one.
    ...(failures.length > 0 ? [] : [...(await judge(name, inputs, signal)), ...wrongOutcomes(name)]),
    ...(coverage === undefined ? [] : whyNotDriven(target.drives, coverage)),
  ]
  return { target: name, inputs: inputs.length, problems }
}

/** @param path of a file with the input, from the working directory. @throws WrongUseError */
export async function replayInput(name: string, path: string, signal: AbortSignal): Promise<Regression> {
  using folder = temporaryFolder('fuzz')
  const input: Input = { name: path, bytes: readInput(path) }
  const { failures } = await replay(await bundleTarget(name, folder.path), [input], signal)
  const problems = failures.map(({ message }) => `${path}: ${message}`)
  return { target: name, inputs: 1, problems: failures.length > 0 ? problems : await judge(name, [input], signal) }
}

/** By C git, where it has a say. */
async function judge(name: string, inputs: readonly Input[], signal: AbortSignal): Promise<string[]> {
  const found = await judgeAll(name, inputs, signal)
  return found.map(({ input, message }) => `${input.name}: ${message}`)
}

function readInput(path: string): Buffer {
  try {
    return readFileSync(resolve(path))
  } catch {
    throw new WrongUseError(`--input ${path} cannot be read`)
  }
}

export function caseOf({ target, problems }: Regression, duration_s: number): SuiteCase {
  if (problems.length === 0) return { name: target, outcome: 'passed', duration_s }
  return { name: target, outcome: 'failed', duration_s, message: problems.join('\n') }
}

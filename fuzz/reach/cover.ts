/** What of the decoders the committed inputs reach, branch by branch. */
import { fork } from 'node:child_process'
import { once } from 'node:events'
import { join } from 'node:path'
import { cleanEnvironment, ROOT } from '../../integration/support/command-line.ts'
import { groupEndsWith } from '../../harness/process-group.ts'
import { temporaryFolder } from '../../integration/support/git.ts'
import { committedInputs } from '../advisories/committed.ts'
import type { Input } from '../engine/corpus.ts'
import { TARGET_NAMES, targetPath } from '../targets.ts'
import type { Branch } from './branches.ts'
import { DECODERS } from './decoders.ts'
import { largeInputs } from './large-packs.ts'
import type { CoverJob, CoverReport } from './messages.ts'

export interface FileCoverage {
  /** Relative to the repository's root. */
  readonly file: string
  readonly branches: number
  readonly taken: number
  readonly missing: readonly Branch[]
}

export const percentOf = ({ branches, taken }: FileCoverage): number =>
  branches === 0 ? 100 : Math.floor((1_000 * taken) / branches) / 10

export interface TargetInputs {
  readonly target: string
  readonly inputs: readonly Input[]
}

/** By the committed inputs of all targets, and packs too large for them. @throws the signal's reason; Error: one fails */
export function coverDecoders(signal: AbortSignal): Promise<FileCoverage[]> {
  const large = { path: join(import.meta.dirname, 'large-packs.ts'), inputs: largeInputs() }
  return cover([...TARGET_NAMES.map((target) => jobOf({ target, inputs: committedInputs(target) })), large], signal)
}

/** Of all decoders. @throws the signal's reason; Error where an input does not pass */
export function coverBy(all: readonly TargetInputs[], signal: AbortSignal): Promise<FileCoverage[]> {
  return cover(all.map(jobOf), signal)
}

function jobOf({ target, inputs }: TargetInputs): CoverJob['targets'][number] {
  return { path: targetPath(target), inputs: inputs.map(({ bytes }) => bytes) }
}

async function cover(targets: CoverJob['targets'], signal: AbortSignal): Promise<FileCoverage[]> {
  const { branches, taken } = await runCover(targets, false, signal)
  return DECODERS.map((file) => {
    const known = branches[file] ?? []
    const numbers = new Set(taken[0]?.[file])
    const missing = known.filter((_, number) => !numbers.has(number))
    return { file, branches: known.length, taken: known.length - missing.length, missing }
  })
}

/** Many inputs may take many seconds; one that hangs was found by the replay before. */
export async function runCover(
  targets: CoverJob['targets'],
  isEach: boolean,
  signal: AbortSignal,
): Promise<CoverReport> {
  signal.throwIfAborted()
  // Whole requests have a repository on disk: 1.4 MB stayed behind each time.
  using folder = temporaryFolder('fuzz-cover')
  const child = fork(join(import.meta.dirname, 'cover-worker.ts'), {
    serialization: 'advanced',
    // It asks Node to blank types, which Node calls an experiment.
    execArgv: ['--disable-warning=ExperimentalWarning'],
    env: cleanEnvironment({ TMPDIR: folder.path }),
    // A terminal sends its signals to the whole group of this process.
    detached: true,
  })
  using _ends = groupEndsWith(child, signal)
  const job: CoverJob = { root: ROOT, modules: DECODERS, targets, isEach }
  const exited = once(child, 'exit')
  let report: CoverReport | undefined
  child.on('message', (said: CoverReport) => (report = said))
  child.send(job)
  const [code] = (await exited) as [number | null]
  signal.throwIfAborted()
  if (report === undefined) throw new Error(`the process that counts branches ended with ${code}`)
  return report
}

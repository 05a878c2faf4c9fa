/** Runs inputs in a process of their own, and outlives whatever they do to it. */
import { type ChildProcess, fork } from 'node:child_process'
import { dirname, join } from 'node:path'
import { groupEndsWith } from '../../harness/process-group.ts'
import { cleanEnvironment, ROOT } from '../../integration/support/command-line.ts'
import type { Bundle } from './bundle.ts'
import type { Input } from './corpus.ts'
import type { DrivenCoverage } from './coverage.ts'
import { INPUT_LIMITS, type InputLimits, RSS_MB_WITHOUT_INPUT } from './limits.ts'
import { residentMb } from './memory.ts'
import type { Failure, Job, Report } from './worker-messages.ts'

/** While no input runs, and between two smaller ones: the machine may be busy. */
const SILENCE_MS_MAX = 20_000
const HEAP_MB_MAX = 512
const WATCH_MEMORY_MS = 250
const ATTEMPTS_MAX = 20_000

export interface ReplayFailure extends Failure {
  readonly input: Input
}

export interface Replayed {
  readonly failures: readonly ReplayFailure[]
  /** Of what was replayed after the last input that ended its process; undefined: the last one did. */
  readonly coverage: DrivenCoverage | undefined
}

/**
 * Each input once, in order; one that ends the process, hangs or takes too much memory is a failure like any other.
 * @throws the signal's reason
 */
export async function replay(
  bundle: Bundle,
  inputs: readonly Input[],
  signal: AbortSignal,
  limits = INPUT_LIMITS,
): Promise<Replayed> {
  const failures: ReplayFailure[] = []
  let coverage: DrivenCoverage | undefined
  for (let from = 0; from < inputs.length || coverage === undefined;) {
    const batch = inputs.slice(from)
    const bytes = batch.map((one) => one.bytes)
    const memoryMbMax = limits.memoryMb
    const job: Job = { type: 'replay', bundle: bundle.path, inputs: bytes, root: ROOT, memoryMbMax }
    let current = 0
    const end = await runWorker(job, signal, limits, (report) => {
      const input = batch[current]
      if (report.type === 'trying') current = report.index
      if (report.type === 'failed' && input !== undefined) failures.push({ input, ...report.failure })
      if (report.type === 'done') coverage = report.coverage
    })
    if (end === undefined) return { failures, coverage }
    const input = batch[current]
    if (input === undefined) throw new Error(`${bundle.path} ${end} before its first input`)
    failures.push({ input, signature: end, message: `the process ${end}` })
    coverage = undefined
    from += current + 1
    if (from >= inputs.length) break
  }
  return { failures, coverage }
}

/** @returns the smallest input found that fails as this one does; of those that end the process, this one */
export async function minimiseFinding(bundle: Bundle, input: Buffer, signal: AbortSignal): Promise<Buffer> {
  let best = input
  const job: Job = { type: 'minimise', bundle: bundle.path, input, root: ROOT, attemptsMax: ATTEMPTS_MAX }
  await runWorker(job, signal, INPUT_LIMITS, (report) => {
    if (report.type === 'smaller') best = Buffer.from(report.input)
  })
  return best
}

/** @returns undefined when the worker did its job, else how it ended */
async function runWorker(
  job: Job,
  signal: AbortSignal,
  limits: InputLimits,
  onReport: (report: Report) => void,
): Promise<string | undefined> {
  signal.throwIfAborted()
  const child = fork(join(import.meta.dirname, 'worker.ts'), {
    serialization: 'advanced',
    execArgv: ['--enable-source-maps', `--max-old-space-size=${HEAP_MB_MAX}`],
    // What it leaves in files goes with the bundle.
    env: cleanEnvironment({ TMPDIR: dirname(job.bundle) }),
    // What a crash of V8 prints is no message of ours.
    stdio: ['ignore', 'ignore', 'ignore', 'ipc'],
    // A terminal sends its signals to the whole group of this process: a worker that ends by one would blame its input.
    detached: true,
  })
  using _ends = groupEndsWith(child, signal)
  try {
    return await attend(child, job, signal, limits, onReport)
  } finally {
    if (child.exitCode === null && child.signalCode === null) {
      const gone = Promise.withResolvers<void>()
      child.once('exit', () => gone.resolve())
      child.kill('SIGKILL')
      await gone.promise
    }
  }
}

function attend(
  child: ChildProcess,
  job: Job,
  signal: AbortSignal,
  limits: InputLimits,
  onReport: (report: Report) => void,
): Promise<string | undefined> {
  const { promise, resolve, reject } = Promise.withResolvers<string | undefined>()
  let isDone = false
  let silence: NodeJS.Timeout | undefined
  const awaitReport = (withinMs: number): void => {
    clearTimeout(silence)
    const mine = setTimeout(() => {
      // We may have been the busy ones: what the worker said meanwhile is read before it is called silent.
      setImmediate(() => silence === mine && resolve(`hung: silent for ${withinMs / 1_000} s`))
    }, withinMs)
    silence = mine
  }
  awaitReport(SILENCE_MS_MAX)
  // The worker looks after each input; one that goes on and on would take the machine's memory meanwhile.
  const memoryMbMax = limits.memoryMb + RSS_MB_WITHOUT_INPUT
  const watch = setInterval(() => {
    if (residentMb(child.pid ?? 0) > memoryMbMax) resolve(`took more than ${memoryMbMax} MB`)
  }, WATCH_MEMORY_MS)
  const abort = (): void => reject(signal.reason)
  signal.addEventListener('abort', abort)
  child.on('message', (report: Report) => {
    awaitReport(report.type === 'trying' ? limits.timeMs : SILENCE_MS_MAX)
    isDone ||= report.type === 'done'
    onReport(report)
  })
  child.once('error', reject)
  // Once it is done it may still throw, by a timer that an input set.
  child.once('exit', (code, killedBy) => resolve(isDone && code === 0 ? undefined : `ended with ${killedBy ?? code}`))
  child.send(job)
  return promise.finally(() => {
    clearTimeout(silence)
    clearInterval(watch)
    signal.removeEventListener('abort', abort)
  })
}

/** One run of Jazzer.js over a bundle. */
import { spawn } from 'node:child_process'
import { readdirSync, readFileSync, writeFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import { basename, dirname, join } from 'node:path'
import { createInterface } from 'node:readline'
import { ToolMissingError } from '../../harness/errors.ts'
import { cleanEnvironment } from '../../integration/support/command-line.ts'
import { type FuzzStatus, LibFuzzerLines } from './libfuzzer-lines.ts'

export interface JazzerRun {
  /** The Node that can load Jazzer.js. */
  readonly node: string
  readonly bundle: string
  /** The first one gets what is worth keeping. */
  readonly corpusFolders: readonly string[]
  /** For this run alone: inputs that fail land here, and whatever temporary files there are. */
  readonly folder: string
  readonly seed: number
  readonly limit: { readonly seconds: number } | { readonly runs: number }
  readonly words: readonly string[]
  readonly inputBytesMax: number
  readonly makesObjects: boolean
  readonly signal: AbortSignal
  onStatus?(status: FuzzStatus): void
}

export type JazzerEnd = 'nothing found' | 'crash' | 'hang' | 'memory' | 'broken'

export interface JazzerOutcome {
  readonly end: JazzerEnd
  readonly status: FuzzStatus
  /** Since the seeds were read: starting takes a second, whatever the time is that was given. */
  readonly executionsPerS: number
  readonly seeded: FuzzStatus | undefined
  /** What was thrown, or the end of what was printed. */
  readonly said: string
  /** The input that failed. */
  readonly input: Buffer | undefined
}

const END_OF_CODE: Readonly<Record<number, JazzerEnd>> = { 0: 'nothing found', 77: 'crash', 70: 'hang', 71: 'memory' }
/** Of one input. */
const TIMEOUT_MS = 10_000
/** Of the whole process; Node with the instrumented code takes about 200. */
const RSS_MB_MAX = 1_024
/** Beyond its own limit; it should have ended long before. */
const GRACE_MS = 60_000
const SAID_LINES_MAX = 15
/** Of Jazzer.js's own detectors, those of what pure functions cannot do. */
const DETECTORS_OFF = ['command-injection', 'path-traversal', 'remote-code-execution', 'ssrf']
/** It looks at every prototype after each run, which is two fifths of the time of a quick target. */
const POLLUTION_DETECTOR = 'prototype-pollution'

/** @throws the signal's reason, when nothing of the run is left */
export async function runJazzer(run: JazzerRun): Promise<JazzerOutcome> {
  run.signal.throwIfAborted()
  const dictionary = join(run.folder, 'words.dict')
  writeFileSync(dictionary, run.words.map((word) => `"${escapeWord(word)}"\n`).join(''))
  const limit = 'runs' in run.limit ? `-runs=${run.limit.runs}` : `-max_total_time=${run.limit.seconds}`
  const options = [
    '--sync',
    `--includes=${basename(run.bundle)}`,
    `--timeout=${TIMEOUT_MS}`,
    ...[...DETECTORS_OFF, ...(run.makesObjects ? [] : [POLLUTION_DETECTOR])].flatMap((name) => [
      '--disableBugDetectors',
      name,
    ]),
    '--',
    limit,
    '-use_value_profile=1',
    '-print_final_stats=1',
    `-seed=${run.seed}`,
    `-dict=${dictionary}`,
    `-max_len=${run.inputBytesMax}`,
    `-rss_limit_mb=${RSS_MB_MAX}`,
    `-artifact_prefix=${run.folder}/failed-`,
  ]
  const child = spawn(run.node, [jazzerPath(), run.bundle, ...run.corpusFolders, ...options], {
    cwd: run.folder,
    // Its own temporary files go where they are removed, however it ends.
    env: cleanEnvironment({ TMPDIR: run.folder }),
    stdio: ['ignore', 'ignore', 'pipe'],
  })
  const lines = new LibFuzzerLines()
  const last: string[] = []
  const reader = createInterface(child.stderr)
  let seededAtMs = Number.POSITIVE_INFINITY
  reader.on('line', (line) => {
    lines.take(line)
    if (lines.seeded !== undefined) seededAtMs = Math.min(seededAtMs, performance.now())
    last.push(line)
    if (last.length > SAID_LINES_MAX) last.shift()
    if (line.startsWith('#')) run.onStatus?.(lines.status)
  })
  const kill = (): void => void child.kill('SIGKILL')
  run.signal.addEventListener('abort', kill)
  const overdue = setTimeout(kill, ('seconds' in run.limit ? run.limit.seconds * 1_000 : 0) + GRACE_MS)
  const { promise, resolve, reject } = Promise.withResolvers<number | null>()
  child.once('error', reject)
  child.once('close', resolve)
  try {
    const code = await promise
    run.signal.throwIfAborted()
    const end = END_OF_CODE[code ?? -1] ?? 'broken'
    const said = (lines.finding.length > 0 ? lines.finding : last).join('\n').trim()
    const { status, seeded } = lines
    const sinceSeeded = status.executions - (seeded?.executions ?? 0)
    const executionsPerS = Math.round((sinceSeeded / Math.max(1, performance.now() - seededAtMs)) * 1_000)
    return { end, status, executionsPerS, seeded, said, input: failedInput(run.folder) }
  } finally {
    clearTimeout(overdue)
    run.signal.removeEventListener('abort', kill)
  }
}

function failedInput(folder: string): Buffer | undefined {
  const name = readdirSync(folder).find((one) => one.startsWith('failed-'))
  return name === undefined ? undefined : readFileSync(join(folder, name))
}

/** @throws ToolMissingError */
function jazzerPath(): string {
  try {
    return join(dirname(createRequire(import.meta.url).resolve('@jazzer.js/core')), 'cli.js')
  } catch (error) {
    throw new ToolMissingError('Jazzer.js', 'Jazzer.js is not installed; npm ci brings it', { cause: error })
  }
}

/** As libFuzzer reads its dictionaries (libFuzzer, "Dictionaries"). */
export function escapeWord(word: string): string {
  return Array.from(Buffer.from(word, 'latin1'), (byte) =>
    byte >= 0x20 && byte < 0x7f && byte !== 0x22 && byte !== 0x5c
      ? String.fromCharCode(byte)
      : `\\x${byte.toString(16).padStart(2, '0')}`,
  ).join('')
}

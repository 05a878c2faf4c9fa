/** One run of Jazzer.js over a bundle. */
import { spawn } from 'node:child_process'
import { closeSync, openSync, readdirSync, readFileSync, writeFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import { basename, dirname, join } from 'node:path'
import { ToolMissingError } from '../../harness/errors.ts'
import { groupEndsWith, killGroup } from '../../harness/process-group.ts'
import { cleanEnvironment } from '../../integration/support/command-line.ts'
import { FollowedFile } from './followed-file.ts'
import { INPUT_LIMITS, RSS_MB_MAX } from './limits.ts'
import { type FuzzStatus, LibFuzzerLines } from './libfuzzer-lines.ts'
import { printable } from './printable.ts'

/** To search; or to put into the first folder what, of all in the others, reaches what no smaller one does. */
export type JazzerWork = { readonly seconds: number } | { readonly runs: number } | 'merge'

export interface JazzerRun {
  /** The Node that can load Jazzer.js. */
  readonly node: string
  readonly bundle: string
  /** The first one gets what is worth keeping. */
  readonly corpusFolders: readonly string[]
  /** For this run alone: inputs that fail land here, and whatever temporary files there are. */
  readonly folder: string
  readonly seed: number
  readonly work: JazzerWork
  readonly words: readonly string[]
  readonly inputBytesMax: number
  readonly makesObjects: boolean
  readonly isAsync?: true | undefined
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
/** Beyond its own limit; it should have ended long before. */
const GRACE_MS = 60_000
const SAID_LINES_MAX = 15
const FOLLOW_MS = 100
/** Of Jazzer.js's own detectors, those of what pure functions cannot do. */
const DETECTORS_OFF = ['command-injection', 'path-traversal', 'remote-code-execution', 'ssrf']
/** It looks at every prototype after each run, which is two fifths of the time of a quick target. */
const POLLUTION_DETECTOR = 'prototype-pollution'

/** @throws the signal's reason, when nothing of the run is left */
export async function runJazzer(run: JazzerRun): Promise<JazzerOutcome> {
  run.signal.throwIfAborted()
  const dictionary = join(run.folder, 'words.dict')
  writeFileSync(dictionary, run.words.map((word) => `"${escapeWord(word)}"\n`).join(''))
  const options = [
    ...(run.isAsync ? [] : ['--sync']),
    `--includes=${basename(run.bundle)}`,
    `--timeout=${INPUT_LIMITS.timeMs}`,
    ...[...DETECTORS_OFF, ...(run.makesObjects ? [] : [POLLUTION_DETECTOR])].flatMap((name) => [
      '--disableBugDetectors',
      name,
    ]),
    '--',
    workOption(run.work),
    '-use_value_profile=1',
    '-print_final_stats=1',
    `-seed=${run.seed}`,
    `-dict=${dictionary}`,
    `-max_len=${run.inputBytesMax}`,
    `-rss_limit_mb=${RSS_MB_MAX}`,
    `-artifact_prefix=${run.folder}/failed-`,
  ]
  // To a file: a socket that is full, as when this process is busy, loses what libFuzzer prints, and with it a finding.
  const saidPath = join(run.folder, 'said')
  const said = openSync(saidPath, 'a')
  const child = spawn(run.node, [jazzerPath(), run.bundle, ...run.corpusFolders, ...options], {
    cwd: run.folder,
    // Its own temporary files go where they are removed, however it ends.
    env: cleanEnvironment({ TMPDIR: run.folder }),
    // To merge it starts another one.
    detached: true,
    stdio: ['ignore', 'ignore', said],
  })
  closeSync(said)
  const lines = new LibFuzzerLines()
  const last: string[] = []
  let seededAtMs = Number.POSITIVE_INFINITY
  using followed = new FollowedFile(saidPath, (line) => {
    lines.take(line)
    if (lines.seeded !== undefined) seededAtMs = Math.min(seededAtMs, performance.now())
    last.push(line)
    if (last.length > SAID_LINES_MAX) last.shift()
    if (line.startsWith('#')) run.onStatus?.(lines.status)
  })
  const following = setInterval(() => followed.read(), FOLLOW_MS)
  using _ends = groupEndsWith(child, run.signal)
  const overdue = setTimeout(() => killGroup(child), secondsOf(run.work) * 1_000 + GRACE_MS)
  const { promise, resolve, reject } = Promise.withResolvers<number | null>()
  child.once('error', reject)
  child.once('close', resolve)
  try {
    const code = await promise
    followed.finish()
    const end = END_OF_CODE[code ?? -1] ?? 'broken'
    const input = failedInput(run.folder)
    // What was found just then is not thrown away.
    if (input === undefined || end === 'broken') run.signal.throwIfAborted()
    const text = (lines.finding.length > 0 ? lines.finding : last).join('\n').trim()
    const { status, seeded } = lines
    const sinceSeeded = status.executions - (seeded?.executions ?? 0)
    const executionsPerS = Math.round((sinceSeeded / Math.max(1, performance.now() - seededAtMs)) * 1_000)
    return { end, status, executionsPerS, seeded, said: printable(text), input }
  } finally {
    clearTimeout(overdue)
    clearInterval(following)
  }
}

function workOption(work: JazzerWork): string {
  if (work === 'merge') return '-merge=1'
  return 'runs' in work ? `-runs=${work.runs}` : `-max_total_time=${work.seconds}`
}

function secondsOf(work: JazzerWork): number {
  return typeof work === 'object' && 'seconds' in work ? work.seconds : 0
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

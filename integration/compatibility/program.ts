/** Clients that live in programs of their own: one request as JSON to standard input, one answer as the last line. */
import { spawn } from 'node:child_process'
import { readFileSync } from 'node:fs'
import { groupEndsWith, killGroup } from '../../harness/process-group.ts'
import { cleanEnvironment } from '../support/command-line.ts'
import type { Answer, ClientRequest } from './client.ts'

/** The version in a file that pins it. */
export function pinnedVersion(file: string, pattern: RegExp): string {
  const [, version] = pattern.exec(readFileSync(file, 'utf8')) ?? []
  if (version === undefined) throw new Error(`${file} pins nothing`)
  return version
}

/** A client that hangs says so too: it is ended, and both hosts are compared by that. */
const ANSWER_MS_MAX = 60_000

export interface ClientProgram {
  readonly program: string
  readonly args: readonly string[]
  readonly environment?: Readonly<Record<string, string>>
  /** Ends it, with what it started. */
  readonly signal: AbortSignal
}

/** @returns what the program answered; that it ended without an answer is a refusal with what it said last */
export async function askProgram(
  { program, args, environment, signal }: ClientProgram,
  request: ClientRequest,
): Promise<Answer> {
  const child = spawn(program, args, { env: cleanEnvironment(environment), detached: true })
  using _group = groupEndsWith(child, signal)
  const said = { stdout: '', stderr: '' }
  child.stdout.setEncoding('utf8').on('data', (text: string) => (said.stdout += text))
  child.stderr.setEncoding('utf8').on('data', (text: string) => (said.stderr += text))
  child.stdin.on('error', () => {})
  child.stdin.end(JSON.stringify(request))
  const { promise, resolve, reject } = Promise.withResolvers<number | null>()
  child.once('error', reject)
  child.once('close', resolve)
  const late = setTimeout(() => {
    said.stderr += `\nNo answer after ${ANSWER_MS_MAX / 1_000} s`
    killGroup(child)
  }, ANSWER_MS_MAX)
  const exitCode = await promise.finally(() => clearTimeout(late))
  const last = said.stdout.trim().split('\n').at(-1) ?? ''
  if (exitCode === 0 && last.startsWith('{')) return JSON.parse(last) as Answer
  return { outcome: 'refused', said: `It ended with ${exitCode}: ${said.stderr.trim().split('\n').at(-1)}` }
}

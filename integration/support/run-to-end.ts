import { spawn } from 'node:child_process'
import { killGroup } from '../../harness/process-group.ts'

export interface Task {
  readonly program: string
  readonly args: readonly string[]
  readonly cwd: string
  /** All of it. */
  readonly env: Readonly<Record<string, string>>
  readonly input: string | Uint8Array
}

export interface Outcome {
  /** -1 where it could not be started, or ended by a signal. */
  readonly code: number
  readonly stdout: string
  readonly stderr: string
}

/**
 * Runs a program. Never rejects: a refusal is an outcome, too.
 * @param signal ends it and its helpers
 */
export async function runToEnd({ program, args, cwd, env, input }: Task, signal?: AbortSignal): Promise<Outcome> {
  // Its helpers outlive it, and hold on to its output, unless they are ended with it.
  const child = spawn(program, args, { cwd, env, detached: signal !== undefined })
  const { promise, resolve } = Promise.withResolvers<number>()
  const said = { stdout: '', stderr: '' }
  child.stdout.setEncoding('utf8').on('data', (text: string) => (said.stdout += text))
  child.stderr.setEncoding('utf8').on('data', (text: string) => (said.stderr += text))
  child.on('error', (error) => {
    said.stderr += error.message
    resolve(-1)
  })
  child.on('close', (code) => resolve(code ?? -1))
  const end = (): void => killGroup(child)
  if (signal?.aborted === true) end()
  else signal?.addEventListener('abort', end)
  // It may end without having read what it was given.
  child.stdin.on('error', () => {})
  child.stdin.end(input)
  const code = await promise
  signal?.removeEventListener('abort', end)
  if (signal?.aborted === true && code !== 0) said.stderr += `It was ended: ${String(signal.reason)}`
  return { code, ...said }
}

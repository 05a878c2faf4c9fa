/** The command line in the process of the test: all of it but `src/main.ts`, which commands as processes go through. */
import { PassThrough } from 'node:stream'
import { text } from 'node:stream/consumers'
import { runCommandLine } from '../../src/commands/program.ts'
import type { CommandResult } from './command-line.ts'

/** Runs `guts ARGS`, not `start`, with these variables. */
export async function gutsHere(
  args: readonly string[],
  environment: Readonly<Record<string, string>> = {},
): Promise<CommandResult> {
  const stdout = new PassThrough()
  const stderr = new PassThrough()
  const said = Promise.all([text(stdout), text(stderr)])
  const exitCode = await runCommandLine(args, environment, { stdout, stderr })
  stdout.end()
  stderr.end()
  const [out, error] = await said
  return { exitCode, stdout: out, stderr: error }
}

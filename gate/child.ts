/** Programs that the gate runs: each in a process group and a temporary folder of its own. */
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { closeSync, openSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { stripVTControlCharacters } from 'node:util'
import { killGroup } from '../harness/process-group.ts'
import { temporaryFolder } from '../integration/support/git.ts'
import type { Ended } from './evidence.ts'

const OUTPUT_KEPT = 20_000
/** Settings of nodes, of load for another node, and of where spans go: checks of this tree have their own. */
const NOT_INHERITED = /^(?:LOAD|GUTS|OTEL)_/

/** Programs need HOME, proxies and container engines as they are here, so only what changes their meaning is left out. */
function environmentOf(
  inherited: Readonly<Record<string, string | undefined>>,
  extra: Readonly<Record<string, string>>,
): Record<string, string | undefined> {
  return { ...Object.fromEntries(Object.entries(inherited).filter(([name]) => !NOT_INHERITED.test(name))), ...extra }
}

export interface ChildOptions {
  readonly root: string
  readonly signal: AbortSignal
  readonly environment: Readonly<Record<string, string>>
}

/**
 * However it ends, nothing of it is left.
 * @throws the signal's reason
 */
export async function runChild(program: string, args: readonly string[], options: ChildOptions): Promise<Ended> {
  options.signal.throwIfAborted()
  using temporary = temporaryFolder('gate')
  // Files and no pipes: they hold all of it once it has ended, whoever else of its kin still has them open.
  using output = temporaryFolder('gate-output')
  const files = [join(output.path, 'stdout'), join(output.path, 'stderr')] as const
  const [stdout, stderr] = [openSync(files[0], 'w'), openSync(files[1], 'w')]
  const child = spawn(program, args, {
    cwd: options.root,
    env: environmentOf(process.env, { ...options.environment, TMPDIR: temporary.path }),
    stdio: ['ignore', stdout, stderr],
    detached: true,
  })
  closeSync(stdout)
  closeSync(stderr)
  // Its own way of ending: it writes down what it has, and gives back what it began.
  const end = (): boolean => child.kill('SIGTERM')
  options.signal.addEventListener('abort', end, { once: true })
  const [exitCode] = (await once(child, 'exit')) as [number | null]
  options.signal.removeEventListener('abort', end)
  // Whatever a test runner that was ended did not end itself.
  killGroup(child)
  options.signal.throwIfAborted()
  return { exitCode, stdout: textOf(files[0]), stderr: textOf(files[1]) }
}

function textOf(file: string): string {
  return stripVTControlCharacters(readFileSync(file, 'utf8')).slice(-OUTPUT_KEPT)
}

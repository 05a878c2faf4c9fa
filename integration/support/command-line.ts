import { spawn } from 'node:child_process'
import { join } from 'node:path'

export const ROOT = join(import.meta.dirname, '../..')
/** Where tests run, names what is started in place of `src/main.ts` (program-bundle.ts). */
export const PROGRAM = 'INTEGRATION_PROGRAM'
export const MAIN = process.env[PROGRAM] ?? join(ROOT, 'src/main.ts')
/** Of a bundle, with which it goes. */
export const compileCacheOf = (program: string): string => join(program, '../compiled')
/** Hundreds of processes are started; compiled once, each starts in two thirds of the time. */
const COMPILE_CACHE =
  process.env[PROGRAM] === undefined ? join(ROOT, 'node_modules/.cache/node-compile') : compileCacheOf(MAIN)

export interface CommandResult {
  readonly exitCode: number | null
  readonly stdout: string
  readonly stderr: string
}

/** What a child gets from us: nothing of the settings, credentials and proxies of whoever runs the tests. */
export function cleanEnvironment(extra: Readonly<Record<string, string>> = {}): Record<string, string> {
  const own = { PATH: process.env['PATH'] ?? '', HOME: '/nonexistent', LC_ALL: 'C', GIT_CONFIG_NOSYSTEM: '1' }
  return { ...own, NODE_COMPILE_CACHE: COMPILE_CACHE, ...extra }
}

/** Runs `guts ARGS` as a process of its own, and waits for its end. */
export function guts(
  args: readonly string[],
  environment: Readonly<Record<string, string>> = {},
  options: { readonly cwd?: string } = {},
): Promise<CommandResult> {
  return run(process.execPath, [MAIN, ...args], environment, options)
}

/** Runs any program to its end. */
export function run(
  program: string,
  args: readonly string[],
  environment: Readonly<Record<string, string>> = {},
  options: { readonly cwd?: string } = {},
): Promise<CommandResult> {
  const child = spawn(program, args, {
    ...options,
    env: cleanEnvironment(environment),
    stdio: ['ignore', 'pipe', 'pipe'],
  })
  const chunks = { stdout: [] as Buffer[], stderr: [] as Buffer[] }
  child.stdout.on('data', (chunk: Buffer) => chunks.stdout.push(chunk))
  child.stderr.on('data', (chunk: Buffer) => chunks.stderr.push(chunk))
  return new Promise((resolve, reject) => {
    child.once('error', reject)
    child.once('close', (exitCode) =>
      resolve({
        exitCode,
        stdout: Buffer.concat(chunks.stdout).toString('utf8'),
        stderr: Buffer.concat(chunks.stderr).toString('utf8'),
      }),
    )
  })
}

/** Runs `guts ARGS --json`, which must succeed. */
export async function gutsJson<T>(args: readonly string[], environment: Readonly<Record<string, string>>): Promise<T> {
  const { exitCode, stdout, stderr } = await guts([...args, '--json'], environment)
  if (exitCode !== 0) throw new Error(`guts ${args.join(' ')} ended with ${exitCode}: ${stderr}${stdout}`)
  return JSON.parse(stdout) as T
}

/** Builds a pinned tool with the machine's Go. */
import { spawn } from 'node:child_process'
import { join } from 'node:path'
import { GutsError } from '../src/errors.ts'
import { groupEndsWith } from './process-group.ts'
import type { PinnedTool } from './tool-table.ts'

export interface Making {
  readonly name: string
  readonly pinned: PinnedTool
  /** Everything is made in here; who asked moves the executable away, and the rest goes. */
  readonly workFolder: string
  readonly releaseOrigin: string
  readonly signal: AbortSignal
  readonly say: (line: string) => void
}

export class BuildError extends GutsError<{ readonly code: 'build_failed'; readonly exitCode: number | null }> {}

/** What Go said last is what failed. */
const LINES_KEPT = 3

/** @returns the executable. @throws BuildError with the last that Go said */
export async function buildWithGo(go: string, { name, pinned, workFolder, signal, say }: Making): Promise<string> {
  const startedAtMs = performance.now()
  const what = `${pinned.go.package}@v${pinned.version}`
  say(`${name}: building ${what} with Go, which takes a minute or two the first time`)
  const ldflags = ['-s', '-w', ...(pinned.go.ldflags === undefined ? [] : [pinned.go.ldflags])].join(' ')
  const own = { GOBIN: workFolder, GOFLAGS: '-mod=mod', CGO_ENABLED: '0' }
  const args = ['install', '-trimpath', `-ldflags=${ldflags}`, what]
  await runMaker(`go install ${what}`, { program: go, args, environment: own, signal })
  say(`${name}: built in ${Math.round((performance.now() - startedAtMs) / 1_000)} s`)
  return join(workFolder, pinned.go.executable)
}

export interface Maker {
  readonly program: string
  readonly args: readonly string[]
  /** Beside our own: compilers and package clients are set up there. */
  readonly environment?: Readonly<Record<string, string>>
  readonly cwd?: string
  readonly signal: AbortSignal
}

/** Runs what makes a tool, and nothing of it stays behind. @throws BuildError with the last that it said */
export async function runMaker(what: string, { program, args, environment, cwd, signal }: Maker): Promise<void> {
  const child = spawn(program, args, {
    env: { ...process.env, ...environment },
    ...(cwd !== undefined && { cwd }),
    stdio: ['ignore', 'pipe', 'pipe'],
    // A group of its own: Go leaves its compilers behind when it is ended alone.
    detached: true,
  })
  using _group = groupEndsWith(child, signal)
  const { promise, resolve, reject } = Promise.withResolvers<number | null>()
  let said: string[] = []
  for (const stream of [child.stdout, child.stderr]) {
    stream.setEncoding('utf8').on('data', (text: string) => {
      const lines = text.split('\n').filter((line) => line !== '')
      said = [...said, ...lines].slice(-LINES_KEPT)
    })
  }
  child.once('error', reject)
  child.once('close', resolve)
  const exitCode = await promise
  if (exitCode !== 0) throw new BuildError({ code: 'build_failed', exitCode }, `${what} failed: ${said.join(' ')}`)
}

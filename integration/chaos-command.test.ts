/** The command around the scenarios: what it refuses, and what an interruption leaves. */
import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { existsSync, mkdirSync, readdirSync, readFileSync, readlinkSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, it, vi } from 'vitest'
import { EXIT } from '../harness/suite.ts'
import { toolThere } from '../harness/tools.ts'
import { cleanEnvironment, ROOT, run } from './support/command-line.ts'
import { temporaryFolder } from './support/git.ts'

const COMMAND = join(ROOT, 'chaos/chaos-command.ts')
const REPORTS = join(ROOT, 'reports/chaos')
const TOXIPROXY = toolThere('toxiproxy-server')

describe('npm run chaos refuses', () => {
  it.each([
    { name: 'a scenario that there is not', args: ['full-partitoin'], says: 'did you mean full-partition?' },
    { name: 'a flag that there is not', args: ['--sede', '1'], says: 'did you mean --seed?' },
    { name: 'a seed that is no number', args: ['--seed', '-1'], says: '--seed' },
  ])('$name', async ({ args, says }) => {
    const { exitCode, stdout, stderr } = await run(process.execPath, [COMMAND, ...args])
    expect(exitCode).toBe(EXIT.wrongUse)
    expect(stderr).toContain(says)
    expect(stdout).toBe('')
  })
})

describe.skipIf(TOXIPROXY === undefined)('npm run chaos, interrupted', () => {
  it.each([
    { name: 'once, writes what it has', signals: 1, partial: true },
    { name: 'once, waits for no node that hangs', signals: 1, partial: true, hangs: 'home' },
    { name: 'twice, ends at once', signals: 2, partial: false },
  ])('$name, and leaves no process and no folder behind', async ({ signals, partial, hangs }) => {
    using folder = temporaryFolder('interrupted')
    using _kept = keepReports()
    const child = spawn(process.execPath, [COMMAND, 'smoke', '--seed', '1'], {
      env: cleanEnvironment({ TMPDIR: folder.path }),
      stdio: ['ignore', 'pipe', 'pipe'],
    })
    const said = sayingOf(child)
    const ended = once(child, 'exit')
    await vi.waitFor(() => expect(said()).toContain('kill -9 of mirror-2'), { timeout: 120_000, interval: 100 })
    if (hangs !== undefined) await hang(folder.path, hangs)
    const before = processesOf(folder.path)
    // Both are there before it goes on, so that the second finds nothing closed down yet; two of one kind would be one.
    child.kill('SIGSTOP')
    child.kill('SIGINT')
    if (signals === 2) child.kill('SIGTERM')
    child.kill('SIGCONT')
    const [exitCode] = (await ended) as [number | null]
    expect(exitCode).toBe(EXIT.interrupted)
    // The nodes, the proxy, and perhaps somebody's git.
    expect(before.length).toBeGreaterThanOrEqual(3)
    await vi.waitFor(() => expect(processesOf(folder.path)).toEqual([]), { timeout: 10_000 })
    expect(readdirSync(folder.path)).toEqual([])
    expect(existsSync(join(REPORTS, 'summary.json'))).toBe(partial)
    if (!partial) return
    const summary: unknown = JSON.parse(readFileSync(join(REPORTS, 'summary.json'), 'utf8'))
    expect(summary).toMatchObject({ suite: 'chaos', seed: 1, executed: 0, skipped: 1 })
    expect(readFileSync(join(REPORTS, 'smoke.html'), 'utf8')).toContain('>interrupted<')
  })
})

/** Has a node stand still, until somebody's git is there that has no answer from it. */
async function hang(folder: string, node: string): Promise<void> {
  const isNode = (pid: string): boolean => read(`/proc/${pid}/environ`).includes(`/${node}\0`)
  const pids = processesOf(folder).filter(isNode)
  expect(pids).toHaveLength(1)
  const [, address] = /GUTS_API_ADDR=([^\0]+)/.exec(read(`/proc/${pids[0]}/environ`)) ?? []
  process.kill(Number(pids[0]), 'SIGSTOP')
  const isGit = (pid: string): boolean => read(`/proc/${pid}/cmdline`).includes(`${address}/git/`)
  await vi.waitFor(() => expect(processesOf(folder).some(isGit)).toBe(true), { timeout: 60_000, interval: 50 })
}

function read(path: string): string {
  try {
    return readFileSync(path, 'utf8')
  } catch {
    // Of a process that has ended meanwhile.
    return ''
  }
}

function sayingOf({ stdout, stderr }: ChildProcess): () => string {
  let text = ''
  for (const stream of [stdout, stderr]) stream?.setEncoding('utf8').on('data', (chunk: string) => (text += chunk))
  return () => text
}

/** Those that run in a folder, or were told of it. */
function processesOf(folder: string): string[] {
  return readdirSync('/proc').filter((entry) => {
    if (!/^[0-9]+$/.test(entry) || Number(entry) === process.pid) return false
    try {
      // One that has ended and was not waited for has neither.
      const places = [readlinkSync(`/proc/${entry}/cwd`), readFileSync(`/proc/${entry}/environ`, 'utf8')]
      return places.some((place) => place.includes(join(folder, 'guts-chaos-')))
    } catch {
      return false
    }
  })
}

/** The report of an earlier run, which somebody may want to read, is put back in the end. */
function keepReports(): Disposable {
  mkdirSync(REPORTS, { recursive: true })
  const files = readdirSync(REPORTS).map((name) => ({
    path: join(REPORTS, name),
    bytes: readFileSync(join(REPORTS, name)),
  }))
  const clear = (): void => {
    for (const name of readdirSync(REPORTS)) rmSync(join(REPORTS, name))
  }
  clear()
  return {
    [Symbol.dispose]() {
      clear()
      for (const { path, bytes } of files) writeFileSync(path, bytes)
    },
  }
}

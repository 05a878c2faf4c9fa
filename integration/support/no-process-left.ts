/**
 * Set-up of every test file (vitest.config.ts): what it replaced, and the processes that it started, end with it. The next
 * file may be run by the same worker, and a process that is left holds on to that: a run that should have failed would
 * never end.
 */
import type { ChildProcess } from 'node:child_process'
import { subscribe, unsubscribe } from 'node:diagnostics_channel'
import { afterAll, vi } from 'vitest'
import { runGitBy } from './git.ts'
import { endElsewhere, isStarter, runElsewhere } from './run-elsewhere.ts'

runGitBy(runElsewhere)

const running = new Set<ChildProcess>()

function track(message: unknown): void {
  const { process: child } = message as { process: ChildProcess }
  running.add(child)
  for (const end of ['exit', 'error']) child.once(end, () => running.delete(child))
}

// Node tells of each process made by spawn, execFile and their like, before it runs
// (https://nodejs.org/api/diagnostics_channel.html, "Child Process").
subscribe('child_process', track)

afterAll(() => {
  vi.useRealTimers()
  vi.restoreAllMocks()
  vi.unstubAllEnvs()
  vi.unstubAllGlobals()
  unsubscribe('child_process', track)
  // Those that were told to end are on their way.
  const left = [...running].filter((child) => !child.killed && !isStarter(child))
  for (const child of running) if (!isStarter(child)) child.kill('SIGKILL')
  const lines = left.map(({ pid, spawnargs }) => `${pid}: ${spawnargs.join(' ').slice(0, 200)}`)
  lines.push(...endElsewhere())
  if (lines.length > 0) throw new Error(`The file left processes running, now killed:\n${lines.join('\n')}`)
})

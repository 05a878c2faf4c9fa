/**
 * Set-up of every test file (vitest.config.ts): a process that a test started ends with its file. One that is left
 * holds on to the test's worker, and a run that should have failed never ends.
 */
import type { ChildProcess } from 'node:child_process'
import { subscribe } from 'node:diagnostics_channel'
import { afterAll } from 'vitest'
import { runGitBy } from './git.ts'
import { endElsewhere, isStarter, runElsewhere } from './run-elsewhere.ts'

runGitBy(runElsewhere)

const running = new Set<ChildProcess>()

// Node tells of each process made by spawn, execFile and their like, before it runs
// (https://nodejs.org/api/diagnostics_channel.html, "Child Process").
subscribe('child_process', (message) => {
  const { process: child } = message as { process: ChildProcess }
  running.add(child)
  for (const end of ['exit', 'error']) child.once(end, () => running.delete(child))
})

afterAll(() => {
  // Those that were told to end are on their way.
  const left = [...running].filter((child) => !child.killed && !isStarter(child))
  for (const child of running) if (!isStarter(child)) child.kill('SIGKILL')
  const lines = left.map(({ pid, spawnargs }) => `${pid}: ${spawnargs.join(' ').slice(0, 200)}`)
  lines.push(...endElsewhere())
  if (lines.length > 0) throw new Error(`The file left processes running, now killed:\n${lines.join('\n')}`)
})

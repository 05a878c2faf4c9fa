/**
 * Set-up of every test file (vitest.config.ts): a process that a test started ends with its file. One that is left
 * holds on to the test's worker, and a run that should have failed never ends.
 */
import type { ChildProcess } from 'node:child_process'
import { subscribe } from 'node:diagnostics_channel'
import { afterAll } from 'vitest'

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
  const left = [...running].filter((child) => !child.killed)
  for (const child of running) child.kill('SIGKILL')
  const lines = left.map(({ pid, spawnargs }) => `${pid}: ${spawnargs.join(' ').slice(0, 200)}`)
  if (left.length > 0) throw new Error(`The file left processes running, now killed:\n${lines.join('\n')}`)
})

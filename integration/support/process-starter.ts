/** Starts processes for a larger one (run-elsewhere.ts), each of which ends with it. */
import type { ChildProcess } from 'node:child_process'
import { subscribe } from 'node:diagnostics_channel'
import { runToEnd, type Task } from './run-to-end.ts'

const running = new Set<ChildProcess>()
subscribe('child_process', (message) => {
  const { process: child } = message as { process: ChildProcess }
  running.add(child)
  child.once('exit', () => running.delete(child))
})

process.on('message', ({ id, task }: { id: number; task: Task }) => {
  void runToEnd(task).then((outcome) => process.send?.({ id, outcome }))
})
process.on('disconnect', () => {
  for (const child of running) child.kill('SIGKILL')
  process.exit()
})

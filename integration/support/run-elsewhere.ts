/**
 * Programs that a small process of ours starts. To start one, Node copies the tables of its own memory (fork(2)): that
 * costs a test of 150 MB 9 ms of processor time, more than most of what it starts, and the small one 1.5 ms. Tests start
 * git some ten thousand times.
 */
import { type ChildProcess, fork } from 'node:child_process'
import { join } from 'node:path'
import type { Outcome, Task } from './run-to-end.ts'

let starter: ChildProcess | undefined
let lastId = 0
const running = new Map<number, { readonly task: Task; resolve(outcome: Outcome): void }>()

export function runElsewhere(task: Task): Promise<Outcome> {
  starter ??= begin()
  const id = ++lastId
  const { promise, resolve } = Promise.withResolvers<Outcome>()
  running.set(id, { task, resolve })
  starter.send({ id, task })
  return promise
}

/** Ends what has not ended by itself. @returns the command lines */
export function endElsewhere(): string[] {
  const left = Array.from(running.values(), ({ task: { program, args } }) => [program, ...args].join(' '))
  if (left.length > 0) starter?.disconnect()
  return left
}

/** Whether it is the process that starts the others. */
export const isStarter = (child: ChildProcess): boolean => child === starter

function begin(): ChildProcess {
  const child = fork(join(import.meta.dirname, 'process-starter.ts'), {
    // Those of a worker of vitest are of no use to it.
    execArgv: [],
    // Input may be bytes.
    serialization: 'advanced',
  })
  child.on('message', ({ id, outcome }: { id: number; outcome: Outcome }) => {
    running.get(id)?.resolve(outcome)
    running.delete(id)
  })
  child.on('exit', (code) => {
    if (starter === child) starter = undefined
    for (const { resolve } of running.values()) {
      resolve({ code: -1, stdout: '', stderr: `The process that started it ended with ${code}` })
    }
    running.clear()
  })
  // It ends with this process, which need not wait for it.
  child.unref()
  child.channel?.unref()
  return child
}

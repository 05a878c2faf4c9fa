/** What a property really did, counted where it is run: what was asked for proves nothing. */
import assert from 'node:assert/strict'
import childProcess from 'node:child_process'
import { syncBuiltinESMExports } from 'node:module'
import { promisify } from 'node:util'
import { TestRunner } from 'vitest'

export interface Executed {
  /** That came to their end; values that a precondition turned away are none. */
  runs: number
  /** Programs that these runs started, which is git each time. */
  programs: number
}

declare module 'vitest' {
  interface TaskMeta {
    /** Set by `counted`, and written by vitest into its JSON report. */
    executed?: Executed
  }
}

/** All that start a program; `exec` and `fork` too, so that nobody gets round the count. */
const STARTERS = ['spawn', 'spawnSync', 'execFile', 'execFileSync', 'exec', 'execSync', 'fork'] as const
let programs = 0

function counting<F extends (...args: never[]) => unknown>(start: F): F {
  const replacement = (...args: never[]): unknown => {
    programs++
    return start(...args)
  }
  // execFile and exec have their own form for it, which starts the program by itself.
  const custom = (start as { [promisify.custom]?: F })[promisify.custom]
  if (custom !== undefined) Object.assign(replacement, { [promisify.custom]: counting(custom) })
  return replacement as F
}

for (const name of STARTERS) Object.assign(childProcess, { [name]: counting(childProcess[name]) })
syncBuiltinESMExports()

/** @returns the same property, whose runs are counted in what vitest reports of the test */
export function counted<Ts extends unknown[]>(
  run: (...values: Ts) => Promise<void> | void,
): (...values: Ts) => Promise<void> {
  return async (...values) => {
    const test = TestRunner.getCurrentTest()
    assert(test !== undefined, 'a property is run by its test')
    const executed = (test.meta.executed ??= { runs: 0, programs: 0 })
    const before = programs
    await run(...values)
    executed.runs++
    executed.programs += programs - before
  }
}

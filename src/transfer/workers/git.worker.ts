/** What runs in the worker threads: one function a task, called by its name (pool.ts). */
import { move, transferableSymbol, valueSymbol } from 'piscina'
import { runBrowse } from './browse-task.ts'
import { runBuild, runDeepen, runMeasure, runNegotiate } from './build-task.ts'
import { collectAll, collectWhereMuchIsLeft } from './collect.ts'
import { runCount } from './count-task.ts'
import { runHelps } from './helps-task.ts'
import { runIndex } from './index-task.ts'
import { forgetStores, releaseStores } from './open-stores.ts'
import { runPlanPrune } from './plan-prune-task.ts'
import { runRepack } from './repack-task.ts'
import type { IndexResult, IndexTask } from './tasks.ts'

function released<Task, Result>(run: (task: Task) => Result | Promise<Result>): (task: Task) => Promise<Result> {
  return async (task) => {
    try {
      return await run(task)
    } finally {
      releaseStores()
      collectWhereMuchIsLeft()
    }
  }
}

export const helps = released(runHelps)
export const planPrune = released(runPlanPrune)
export const count = released(runCount)
export const browse = released(runBrowse)
export const deepen = released(runDeepen)
export const measure = released(runMeasure)
export const negotiate = released(runNegotiate)

export const build = released(runBuild)
export const repack = released(runRepack)

export const index = released(async (task: IndexTask): Promise<IndexResult | ReturnType<typeof move>> => {
  const result = await runIndex(task)
  // Handed over and not copied: 28 bytes for each object.
  return result.accepted ? move({ [transferableSymbol]: [result.index.buffer], [valueSymbol]: result }) : result
})

export function rest(): void {
  forgetStores()
  collectAll()
}

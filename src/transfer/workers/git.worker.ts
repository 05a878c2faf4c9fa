/** What runs in the worker threads: one function a task, called by its name (pool.ts). */
import { move, transferableSymbol, valueSymbol } from 'piscina'
import { runBuild } from './build-task.ts'
import { collectAfter } from './collect.ts'
import { runIndex } from './index-task.ts'
import { runRepack } from './repack-task.ts'
import type { BuildResult, BuildTask, IndexResult, IndexTask, RepackResult, RepackTask } from './tasks.ts'

export { runHelps as helps } from './helps-task.ts'
export { runBrowse as browse } from './browse-task.ts'
export { runDeepen as deepen, runMeasure as measure, runNegotiate as negotiate } from './build-task.ts'

export async function build(task: BuildTask): Promise<BuildResult> {
  const result = await runBuild(task)
  if (result.kind !== 'refused') collectAfter(result.objects)
  return result
}

export async function index(task: IndexTask): Promise<IndexResult | ReturnType<typeof move>> {
  const result = await runIndex(task)
  if (!result.accepted) return result
  collectAfter(result.objects)
  // Handed over and not copied: 28 bytes for each object.
  return move({ [transferableSymbol]: [result.index.buffer], [valueSymbol]: result })
}

export async function repack(task: RepackTask): Promise<RepackResult> {
  const result = await runRepack(task)
  collectAfter(result.objects)
  return result
}

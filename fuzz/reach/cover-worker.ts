/** A process that runs inputs of fuzz targets on the modules as they are shipped, and says which of their branches ran. */
import { readFileSync } from 'node:fs'
import { type Profiler, Session } from 'node:inspector'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { ModuleBranches } from './branches.ts'
import type { CoverJob, CoverReport } from './messages.ts'

process.once('message', (job: CoverJob) => void cover(job))

async function cover({ root, modules, targets, isEach }: CoverJob): Promise<void> {
  const known = new Map(
    modules.map((module) => [join(root, module), new ModuleBranches(readFileSync(join(root, module), 'utf8'))]),
  )
  const session = new Session()
  session.connect()
  session.post('Profiler.enable')
  // From before anything of them is loaded: functions compiled earlier would not be counted block by block.
  session.post('Profiler.startPreciseCoverage', { callCount: true, detailed: true })
  const take = (): CoverReport['taken'][number] => {
    const taken: Record<string, readonly number[]> = {}
    for (const { url, functions } of since(session)) {
      const path = url.startsWith('file:') ? fileURLToPath(url) : ''
      const branches = known.get(path)
      if (branches !== undefined) taken[path.slice(root.length + 1)] = branches.taken(functions)
    }
    return taken
  }
  const taken: CoverReport['taken'][number][] = []
  for (const { path, inputs } of targets) {
    const { fuzz } = (await import(path)) as { fuzz(data: Buffer): void | Promise<void> }
    for (const input of inputs) {
      await fuzz(Buffer.from(input))
      if (isEach) taken.push(take())
    }
  }
  if (!isEach) taken.push(take())
  const branches = Object.fromEntries(
    Array.from(known, ([path, module]) => [path.slice(root.length + 1), module.branches]),
  )
  const report: CoverReport = { branches, taken }
  // Whatever a target has left open.
  process.send?.(report, () => process.exit())
}

/** What ran since the last time. */
function since(session: Session): readonly Profiler.ScriptCoverage[] {
  let found: readonly Profiler.ScriptCoverage[] = []
  // In the same process the answer comes at once.
  session.post('Profiler.takePreciseCoverage', (error, answer) => {
    if (error !== null) throw error
    found = answer.result
  })
  return found
}

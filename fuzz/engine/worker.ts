/** A process that runs a target's inputs in plain Node, where they may crash, hang or exhaust it. */
import { readFileSync } from 'node:fs'
import { type Profiler, Session } from 'node:inspector'
import { createRequire } from 'node:module'
import { setImmediate } from 'node:timers/promises'
import { pathToFileURL } from 'node:url'
import { inspect } from 'node:util'
import { BundleMap, type DrivenCoverage } from './coverage.ts'
import { Growth } from './memory.ts'
import { minimise } from './minimise.ts'
import { printable } from './printable.ts'
import { PrototypeWatch } from './prototypes.ts'
import type { Failure, Job, Report } from './worker-messages.ts'

/** What calls a target, which in a stack says nothing of what failed. */
const OWN_FOLDER = 'fuzz/engine/'

interface Target {
  fuzz(data: Buffer): void | Promise<void>
  simpler?(data: Buffer): readonly Buffer[]
}

process.once('message', (job: Job) => {
  const done = job.type === 'replay' ? replay(job) : minimiseInput(job)
  // A worker that fails by itself is seen to end with a code.
  void done.then(() => process.disconnect())
})

function say(report: Report): void {
  process.send?.(report)
}

async function replay({ bundle, inputs, root, memoryMbMax }: Job & { type: 'replay' }): Promise<void> {
  const session = new Session()
  session.connect()
  session.post('Profiler.enable')
  // From before the bundle is loaded: functions compiled earlier would not be counted block by block.
  session.post('Profiler.startPreciseCoverage', { callCount: true, detailed: true })
  const target = load(bundle)
  await failureOf(target, Buffer.alloc(0), root)
  const before = take(session, bundle)
  for (const [index, input] of inputs.entries()) {
    say({ type: 'trying', index })
    const growth = new Growth()
    const failure = (await failureOf(target, Buffer.from(input), root)) ?? greed(growth, memoryMbMax)
    if (failure !== undefined) say({ type: 'failed', index, failure })
  }
  say({ type: 'tried' })
  const after = take(session, bundle)
  const map = new BundleMap(bundle, readFileSync(bundle, 'utf8'), root)
  const coverage: DrivenCoverage = { before: map.coverage(before), after: map.coverage(after) }
  say({ type: 'done', coverage })
}

function greed({ mostMb }: Growth, memoryMbMax: number): Failure | undefined {
  if (mostMb <= memoryMbMax) return undefined
  const signature = `memory: more than ${memoryMbMax} MB`
  return { signature, message: signature }
}

/** Since the last time. */
function take(session: Session, bundle: string): readonly Profiler.FunctionCoverage[] {
  let functions: readonly Profiler.FunctionCoverage[] = []
  // In the same process the answer comes at once.
  session.post('Profiler.takePreciseCoverage', (error, answer) => {
    if (error !== null) throw error
    functions = answer.result.find(({ url }) => url === pathToFileURL(bundle).href)?.functions ?? []
  })
  return functions
}

async function minimiseInput({ bundle, input, root, attemptsMax }: Job & { type: 'minimise' }): Promise<void> {
  const target = load(bundle)
  const start = Buffer.from(input)
  const signature = (await failureOf(target, start, root))?.signature
  const fails = async (candidate: Buffer): Promise<boolean> =>
    (await failureOf(target, candidate, root))?.signature === signature
  const onSmaller = (smaller: Buffer): void => say({ type: 'smaller', input: smaller })
  if (signature !== undefined) await minimise(start, { ...target, fails, attemptsMax, onSmaller })
  say({ type: 'done' })
}

function load(bundle: string): Target {
  return createRequire(import.meta.url)(bundle) as Target
}

const prototypes = new PrototypeWatch()

async function failureOf(target: Target, input: Buffer, root: string): Promise<Failure | undefined> {
  const thrown = await thrownBy(target, input, root)
  const polluted = prototypes.restore()
  if (polluted.length === 0) return thrown
  const signature = `prototype pollution: ${polluted.join(', ')} changed`
  return { signature, message: thrown === undefined ? signature : `${signature}\n${thrown.message}` }
}

/** Also what it left behind, which comes when the event loop turns: between inputs alone it would not, and blame the next. */
async function thrownBy(target: Target, input: Buffer, root: string): Promise<Failure | undefined> {
  const left = Promise.withResolvers<never>()
  process.on('uncaughtException', left.reject)
  let failure: Failure | undefined
  for (const step of [() => target.fuzz(input), () => setImmediate()]) {
    try {
      await Promise.race([left.promise, step()])
    } catch (thrown) {
      failure ??= describe(thrown, root)
    }
  }
  process.off('uncaughtException', left.reject)
  return failure
}

function describe(thrown: unknown, root: string): Failure {
  if (!(thrown instanceof Error)) return { signature: 'no error', message: printable(`Error: ${inspect(thrown)}`) }
  const stack = (thrown.stack ?? '').replaceAll(`${root}/`, '')
  const frames = stack.split('\n').filter((line) => /^ +at .*(src|fuzz)\//.test(line) && !line.includes(OWN_FOLDER))
  const message = [`${thrown.name}: ${thrown.message}`, ...frames.slice(0, 6)].join('\n')
  return { signature: `${thrown.name} ${frames[0]?.trim() ?? thrown.message}`, message: printable(message) }
}

/** From what a node did to every state in which a crash may leave its data directory. */
import { createHash } from 'node:crypto'
import { Random } from '../support/random.ts'
import { type Change, DiskModel, type FileNode, type Outcome, type Tree } from './disk-model.ts'
import { contentsAfterCrash } from './torn-file.ts'
import { describeStep, type Step, withoutIds } from './trace.ts'

export interface CrashState {
  /** Number of the operation that was under way, or was the last one. */
  readonly operation: number
  /** The client had its answer. */
  readonly acknowledged: boolean
  /** So many steps were done. */
  readonly point: number
  readonly database: string
  readonly tree: Tree
  /** Equal where what is found after the crash, and what may be found, is equal. */
  readonly key: string
  /** For people: where it crashed, and what of the un-synced is not as it was written. */
  describe(): string
}

export interface EnumerateOptions {
  /** What is there, durably, when the trace begins. */
  readonly initial: Tree
  /**
   * Where the un-synced effects of an operation allow more states than this at one point, so many of them are taken: all
   * kept, all lost, each alone lost or torn, and others as they are drawn. What earlier operations left un-synced is kept
   * or lost as a whole, but in some of those drawn.
   */
  readonly statesPerPointMax: number
  readonly seed: number
  /** Only crashes after so many steps at least, and at most. */
  readonly between?: readonly [number, number]
}

/** Every state before which a step was done and after which none was; equal ones come as often as there are ways to them. */
export function* crashStates(steps: readonly Step[], options: EnumerateOptions): Generator<CrashState> {
  const [from, to] = options.between ?? [0, steps.length]
  const model = new DiskModel(options.initial)
  const commits = new Map(steps.flatMap((step) => (step.kind === 'committed' ? [[step.commit, step.database]] : [])))
  let operation = -1
  let begunAt = 0
  let acknowledged = true
  let databases: readonly string[] = []
  for (const [at, step] of steps.slice(0, to).entries()) {
    const mayDiffer = model.play(step)
    if (step.kind === 'asked') [operation, begunAt, acknowledged] = [step.operation, at + 1, false]
    if (step.kind === 'acknowledged') acknowledged = true
    if (step.kind === 'committed') databases = [step.database]
    const next = step.kind === 'commit begun' ? commits.get(step.commit) : undefined
    if (next !== undefined) databases = [...databases, next]
    const point = at + 1
    if (!mayDiffer || operation === -1 || point < from) continue
    // Of its own at each point: what is drawn there does not depend on what was drawn before.
    const random = new Random(options.seed + point)
    for (const outcome of outcomes(model, begunAt, options.statesPerPointMax, random)) {
      const tree = model.treeOf(outcome)
      const hash = hashOf(tree)
      const lost = lostOf(model, outcome, steps)
      const describe = (): string =>
        `after step ${point} (${describeStep(step)}), with ${lost().join(', ') || 'all kept'}`
      for (const database of databases) {
        const key = `${operation} ${acknowledged} ${database} ${hash}`
        yield { operation, acknowledged, point, database, tree, key, describe }
      }
    }
  }
}

/** Something un-synced, with so many fates: 0 kept, 1 lost, more torn. */
interface Unit {
  readonly fates: number
  apply(fate: number, outcome: Draft): void
}

interface Draft {
  readonly kept: Set<Change>
  readonly contents: Map<FileNode, Buffer>
}

function* outcomes(model: DiskModel, begunAt: number, max: number, random: Random): Generator<Outcome> {
  const isOlder = (step: number): boolean => step <= begunAt
  const changes = model.changes.map((change) => ({ older: isOlder(change.step), unit: unitOfChange(change) }))
  const files = Array.from(model.dirtyFiles, (file) => ({ older: isOlder(file.writtenAt), unit: unitOfFile(file) }))
  const all = [...changes, ...files]
  const older = all.filter((one) => one.older).map(({ unit }) => unit)
  const current = all.filter((one) => !one.older).map(({ unit }) => unit)
  const together: Unit = {
    fates: older.length === 0 ? 1 : 2,
    apply: (fate, outcome) => older.forEach((unit) => unit.apply(Math.min(fate, unit.fates - 1), outcome)),
  }
  const units = [...current, together]
  if (units.reduce((product, { fates }) => product * fates, 1) <= max) {
    for (const fates of everyCombination(units)) yield outcomeOf(units, fates)
    return
  }
  yield outcomeOf(units, () => 0)
  yield outcomeOf(units, () => 1)
  const each = units.flatMap((unit) => Array.from({ length: unit.fates - 1 }, (_, at) => ({ unit, fate: at + 1 })))
  const alone = random.shuffled(each).slice(0, max - 2)
  for (const { unit, fate } of alone) yield outcomeOf(units, (one) => (one === unit ? fate : 0))
  for (let drawn = 2 + alone.length; drawn < max; drawn++)
    yield draw(units, drawn % 4 === 0 ? [...current, ...older] : units, random)
}

/** One alone kept, or each as it happens. */
function draw(units: readonly Unit[], each: readonly Unit[], random: Random): Outcome {
  const one = random.pick(units)
  if (each === units && random.chance(0.3)) return outcomeOf(units, (unit) => (unit === one ? 0 : 1))
  const keptProbability = random.pick([0.1, 0.5, 0.9])
  return outcomeOf(each, ({ fates }) => (random.chance(keptProbability) ? 0 : random.below(fates)))
}

function outcomeOf(units: readonly Unit[], fateOf: (unit: Unit, at: number) => number): Outcome {
  const draft: Draft = { kept: new Set(), contents: new Map() }
  for (const [at, unit] of units.entries()) unit.apply(Math.min(fateOf(unit, at), unit.fates - 1), draft)
  return draft
}

function* everyCombination(units: readonly Unit[]): Generator<(unit: Unit, at: number) => number> {
  const fates = units.map(() => 0)
  for (;;) {
    yield (_, at) => fates[at] ?? 0
    // Counts up, as a number whose digits have each a base of their own.
    let at = 0
    for (; at < units.length; at++) {
      const next = ((fates[at] ?? 0) + 1) % (units[at]?.fates ?? 1)
      fates[at] = next
      if (next !== 0) break
    }
    if (at === units.length) return
  }
}

function unitOfChange(change: Change): Unit {
  return {
    fates: 2,
    apply(fate, { kept }) {
      if (fate === 0) kept.add(change)
    },
  }
}

function unitOfFile(file: FileNode): Unit {
  const possible = contentsAfterCrash(file.durable, file.live)
  return {
    fates: possible.length,
    apply: (fate, { contents }) => void contents.set(file, possible[fate] ?? file.live),
  }
}

/** Told when somebody asks: the model has gone on by then. */
function lostOf({ changes }: DiskModel, { kept, contents }: Outcome, steps: readonly Step[]): () => string[] {
  const files = Array.from(contents, ([{ path, live }, content]) => ({ path, live, content }))
  return () => [
    ...changes.filter((change) => !kept.has(change)).map(({ step }) => `lost: ${describeStep(steps[step - 1])}`),
    ...files
      .filter(({ live, content }) => !content.equals(live))
      .map(({ path, live, content }) => `torn: ${withoutIds(path)} (${content.length} of ${live.length} bytes)`),
  ]
}

const hashes = new WeakMap<Buffer, string>()

/** Of names and bytes, however they came to be. */
export function hashOf(tree: Buffer | Tree): string {
  if (Buffer.isBuffer(tree)) {
    const known = hashes.get(tree)
    if (known !== undefined) return known
    const hash = createHash('sha1').update(tree).digest('hex')
    hashes.set(tree, hash)
    return hash
  }
  const hash = createHash('sha1')
  for (const name of [...tree.keys()].sort()) {
    const node = tree.get(name) as Buffer | Tree
    hash.update(`${name}/${Buffer.isBuffer(node) ? 'file' : 'folder'} ${hashOf(node)}\n`)
  }
  return hash.digest('hex')
}

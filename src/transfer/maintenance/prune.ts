import { join } from 'node:path'
import { setImmediate } from 'node:timers/promises'
import { withSpan } from '../../observability/tracing.ts'
import { encodeMtimes } from '../../git/pack/mtimes-file.ts'
import { writeDurably } from '../../storage/file-system.ts'
import type { KnownPack, RepositoryRow } from '../../storage/repositories/pack-rows.ts'
import type { RefTips } from '../../storage/repositories/ref-tips.ts'
import type { IncomingPack } from '../../storage/repositories/pack-files.ts'
import { listStoredPacks, type StoredPack } from '../../storage/repositories/stored-packs.ts'
import type { GitWorkers } from '../workers/pool.ts'
import type { PrunePlan, RepackResult, TakenPack } from '../workers/tasks.ts'
import type { PruneAim } from './pruning-limits.ts'
import { assertRoom, publishPacks } from './publish.ts'
import { makePack, oldestFirst, type Repacked, type RepackParts } from './repack.ts'

/** Refs that change while packs are made: so often they are made anew, and then without letting anything go. */
const ATTEMPTS_MAX = 3

export interface PruneParts extends RepackParts {
  readonly workers: Pick<GitWorkers, 'repack' | 'planPrune'>
  readonly tips: RefTips
  /** For so long what no ref reaches stays, in seconds. */
  readonly pruneGraceS: number
}

export interface PruneOrder {
  readonly aim: PruneAim
  /** Since 1970. */
  readonly nowMs: number
}

export interface Pruned extends Repacked {
  /** Objects that no ref reaches, and that stay for now. */
  readonly unreachable: number
  readonly prunedObjects: number
  /** Of their entries. */
  readonly prunedBytes: number
}

/**
 * Two packs of all: what refs reach, and what they do not, with the time since when. What has lain there for longer than
 * the grace goes, but for what something needs that stays.
 *
 * Nothing that is needed can go: what goes was not reached by any ref within the grace; refs and packs are under the lock
 * what they were when that was found; and a push that was checked against what goes is refused, and made again (I2).
 *
 * @returns undefined where everything is as it should be
 * @throws as `repack`
 */
export async function prune(
  repository: RepositoryRow,
  order: PruneOrder,
  parts: PruneParts,
  signal: AbortSignal,
): Promise<Pruned | undefined> {
  parts.writeGate.assertWritable()
  const run = new PruneRun(repository, order, parts, signal)
  if (order.aim === 'needed' && (await run.plan(parts.pruneGraceS, true)).plan.scope === 'none') return undefined
  for (let attempt = 1; ; attempt++) {
    const graceS = attempt < ATTEMPTS_MAX ? parts.pruneGraceS : Number.POSITIVE_INFINITY
    const planned = await run.plan(graceS, false)
    if (planned.plan.scope === 'none') return undefined
    const pruned = await run.write(planned)
    if (pruned !== undefined) return pruned
  }
}

interface Planned {
  readonly plan: PrunePlan
  readonly stored: readonly StoredPack[]
  readonly sequence: number
}

interface MadePack extends RepackResult {
  readonly incoming: IncomingPack
}

class PruneRun {
  readonly #repository: RepositoryRow
  readonly #order: PruneOrder
  readonly #parts: PruneParts
  readonly #signal: AbortSignal

  constructor(repository: RepositoryRow, order: PruneOrder, parts: PruneParts, signal: AbortSignal) {
    this.#repository = repository
    this.#order = order
    this.#parts = parts
    this.#signal = signal
  }

  async plan(graceS: number, trusting: boolean): Promise<Planned> {
    const { files, tips, workers } = this.#parts
    const { id } = this.#repository
    const repositoryPath = files.path(this.#repository)
    const nowS = Math.floor(this.#order.nowMs / 1_000)
    // Asked first: where something changes in between, it is not still so in the end.
    const sequence = tips.sequence(id)
    const stored = await listStoredPacks(repositoryPath)
    const lately = new Set<string>()
    for (const oids of tips.since(id, (nowS - this.#parts.pruneGraceS) * 1_000)) {
      for (const oid of oids) lately.add(oid)
      await setImmediate()
    }
    const task = {
      repositoryPath,
      tips: tips.of(id),
      lately: [...lately],
      ordinary: oldestFirst(stored.filter(({ kind }) => kind === 'ordinary')),
      cruft: oldestFirst(stored.filter(({ kind }) => kind === 'cruft')),
      nowS,
      graceS,
      aim: this.#order.aim,
      trusting,
    }
    const plan = await withSpan('maintenance.plan', { packs: stored.length }, () =>
      workers.planPrune(task, this.#signal),
    )
    return { plan, stored, sequence }
  }

  /** @returns undefined where something has changed meanwhile, and nothing was done */
  async write({ plan, stored, sequence }: Planned): Promise<Pruned | undefined> {
    const { files, tips, rows } = this.#parts
    const bytesBefore = stored.reduce((sum, { name, bytes }) => sum + (plan.replaced.includes(name) ? bytes : 0), 0)
    assertRoom(bytesBefore, await this.#parts.roomBytes())
    const quarantines: string[] = []
    try {
      const made: MadePack[] = []
      for (const [taken, timesS] of [
        [plan.main, undefined],
        [plan.cruft, plan.timesS],
      ] as const) {
        if (taken.length === 0) continue
        const directory = await files.openQuarantine()
        quarantines.push(directory)
        const pack = await this.#make(directory, taken, timesS)
        // Of a pack that is gone nothing was taken.
        if (pack.packs.length < taken.length) return undefined
        made.push(pack)
      }
      const { replaced, figures, isGraphStale } = plan
      const areObjectsGone = figures.gone.objects > 0
      const isStill = async (): Promise<boolean> => {
        if (!areObjectsGone) return true
        const now = await listStoredPacks(files.path(this.#repository))
        return tips.sequence(this.#repository.id) === sequence && isSame(plan, now)
      }
      const rowsOf = (after: readonly StoredPack[]): ReturnType<typeof newRows> =>
        newRows(made, plan, rows.of(this.#repository.id), after)
      const incoming = made.map((pack) => pack.incoming)
      const packs = { incoming, replaced, areObjectsGone, isGraphStale, isStill, rowsOf }
      if (!(await publishPacks(this.#repository, packs, this.#parts, this.#signal))) return undefined
      return {
        packs: replaced.length,
        objects: made.reduce((sum, pack) => sum + pack.objects, 0),
        bytesBefore,
        bytesAfter: made.reduce((sum, { packBytes, index }) => sum + packBytes + index.length, 0),
        unreachable: plan.timesS.length,
        prunedObjects: figures.gone.objects,
        prunedBytes: figures.gone.bytes,
      }
    } finally {
      for (const directory of quarantines) await files.closeQuarantine(directory)
    }
  }

  async #make(directory: string, taken: readonly TakenPack[], timesS: Uint32Array | undefined): Promise<MadePack> {
    const made = await makePack(this.#repository, taken, directory, this.#parts, this.#signal)
    const { packName } = made
    if (timesS !== undefined) {
      const times = encodeMtimes(timesS, Buffer.from(packName, 'hex'))
      await writeDurably(this.#parts.fileSystem, join(directory, 'incoming.mtimes'), times)
    }
    return { ...made, incoming: { quarantine: directory, packName, hasTimes: timesS !== undefined } }
  }
}

function isSame({ packs, replaced }: PrunePlan, stored: readonly StoredPack[]): boolean {
  const names = new Set(stored.map(({ name }) => name))
  const isKept = stored.some(({ name, kind }) => kind === 'kept' && replaced.includes(name))
  return !isKept && names.size === packs.length && packs.every((name) => names.has(name))
}

/** What the database says of the new packs: what is in them; and nothing more of packs that are gone. */
function newRows(
  made: readonly MadePack[],
  { replaced, timesS }: PrunePlan,
  known: readonly KnownPack[],
  stored: readonly StoredPack[],
): { readonly rows: readonly KnownPack[]; readonly gone: readonly string[] } {
  const staying = new Set(stored.map(({ name }) => name).filter((name) => !replaced.includes(name)))
  const rows = made.map(({ packName, packBytes, index, counts, incoming }) => ({
    name: packName,
    bytes: packBytes + index.length,
    ...counts,
    unreachableSinceMs: incoming.hasTimes ? timesS.reduce((first, timeS) => Math.min(first, timeS)) * 1_000 : null,
  }))
  return { rows, gone: known.map(({ name }) => name).filter((name) => !staying.has(name)) }
}

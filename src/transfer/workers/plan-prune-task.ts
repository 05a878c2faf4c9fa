import { BitSet } from '../../git/bitmap/bit-set.ts'
import { selectObjects } from '../../git/object-graph/select.ts'
import type { ObjectStore } from '../../storage/objects/object-store.ts'
import type { PackFile } from '../../storage/objects/pack-file.ts'
import { readPackTimes } from '../../storage/objects/pack-times.ts'
import { ChosenObjects } from '../chosen-objects.ts'
import { type PruneFigures, scopeOf } from '../maintenance/pruning-limits.ts'
import { JUST_SEEN, Unreached } from '../maintenance/unreached.ts'
import { holdStore, readerOf } from './open-stores.ts'
import type { PrunePlan, PrunePlanTask, TakenPack } from './tasks.ts'

interface Packs {
  /** The one that is taken from first first. */
  readonly ordinary: readonly PackFile[]
  readonly cruft: readonly { readonly pack: PackFile; readonly timesS: Uint32Array }[]
  readonly kept: readonly PackFile[]
}

/** @throws PackError, StorageError: something stored is damaged */
export function runPlanPrune(task: PrunePlanTask): PrunePlan {
  const store = holdStore(task.repositoryPath)
  // Before: of what comes meanwhile the plan knows nothing, and whoever carries it out must see that.
  const packs = store.packs.map(nameOf)
  return { ...new Planning(store, task).run(), packs }
}

/** Tells what refs reach from what they do not, and of that, what stays from what goes. */
class Planning {
  readonly #store: ObjectStore
  readonly #task: PrunePlanTask
  readonly #packs: Packs
  readonly #reached: ChosenObjects
  readonly #unreached: Unreached
  readonly #oid = Buffer.alloc(20)

  constructor(store: ObjectStore, task: PrunePlanTask) {
    this.#store = store
    this.#task = task
    this.#packs = sorted(store, task)
    const { read, sizeOf, graph, reachability } = readerOf(store)
    const reader = task.trusting ? { read, sizeOf, graph, reachability } : { read, sizeOf }
    const wants = task.tips.map((tip) => Buffer.from(tip, 'hex'))
    this.#reached = ChosenObjects.of(store, selectObjects(reader, { wants, haves: [] }))
    this.#unreached = new Unreached(store, (oid, at) => this.#reached.has(oid, at))
  }

  run(): Omit<PrunePlan, 'packs'> {
    const { ordinary, cruft } = this.#packs
    const newly = { objects: 0, bytes: 0 }
    let ordinaryBytes = 0
    for (const pack of ordinary) {
      this.#forEach(pack, (oid, position) => {
        const bytes = pack.order.endAt(position) - pack.order.offsetAt(position)
        ordinaryBytes += bytes
        if (this.#reached.has(oid, 0)) return
        this.#unreached.add(oid, 0, JUST_SEEN)
        newly.objects++
        newly.bytes += bytes
      })
    }
    for (const { pack, timesS } of cruft) {
      this.#forEach(pack, (oid, _position, rank) => {
        if (!this.#reached.has(oid, 0)) this.#unreached.add(oid, 0, timesS[rank] as number)
      })
    }
    this.#keep()
    const { returned, gone, isGraphStale } = this.#lookAtCruft()
    const packs = { ordinary: ordinary.length, cruft: cruft.length }
    const figures = { packs, ordinaryBytes, newly, returned, gone }
    const scope = scopeOf(figures, this.#task.aim)
    const replaced = [...cruft.map(({ pack }) => pack), ...(scope === 'both' ? ordinary : [])].map(nameOf)
    const chosen = scope === 'both' ? this.#chooseBoth() : this.#chooseCruft()
    return { scope, figures, replaced, isGraphStale, ...chosen }
  }

  /**
   * What is older than the grace, and nothing that stays needs, is not kept. Not where it lies in several packs, which
   * become one before that: a crash between the ends of two would leave what needs something that is gone.
   */
  #keep(): void {
    const { nowS, graceS, lately } = this.#task
    this.#unreached.keepSince(this.#packs.cruft.length > 1 ? Number.NEGATIVE_INFINITY : nowS - graceS)
    for (const oid of lately) {
      const name = Buffer.from(oid, 'hex')
      if (this.#store.has(name)) this.#unreached.keep(name)
    }
    for (const oid of this.#store.looseNames()) this.#unreached.keep(oid)
    for (const pack of this.#packs.kept) this.#forEach(pack, (oid) => this.#unreached.keep(oid))
  }

  #lookAtCruft(): Pick<PruneFigures, 'returned' | 'gone'> & Pick<PrunePlan, 'isGraphStale'> {
    const gone = { objects: 0, bytes: 0 }
    let returned = 0
    let isGraphStale = false
    const inGraph = this.#store.graph?.names
    for (const [at, { pack }] of this.#packs.cruft.entries()) {
      const before = this.#packs.cruft.slice(0, at)
      this.#forEach(pack, (oid, position) => {
        if (before.some((one) => one.pack.index.rankOf(oid) >= 0)) return
        if (this.#reached.has(oid, 0)) returned++
        else if (this.#unreached.keptSince(oid) === undefined) {
          gone.objects++
          gone.bytes += pack.order.endAt(position) - pack.order.offsetAt(position)
          isGraphStale ||= inGraph !== undefined && inGraph.rankOf(oid) >= 0
        }
      })
    }
    return { returned, gone, isGraphStale }
  }

  /** One pack of what is reached, one of what stays all the same. */
  #chooseBoth(): Pick<PrunePlan, 'main' | 'cruft' | 'timesS'> {
    const cruft = this.#packs.cruft.map(({ pack }) => pack)
    const all = [...this.#packs.ordinary, ...cruft]
    const main = this.#choose(all, (oid) => this.#reached.has(oid, 0))
    return { main, ...this.#chooseTimed(all, (oid) => this.#unreached.keptSince(oid)) }
  }

  /** What lies in an ordinary pack as well is left to that. What is reached again is as if it were just seen. */
  #chooseCruft(): Pick<PrunePlan, 'main' | 'cruft' | 'timesS'> {
    const { ordinary, cruft } = this.#packs
    const packs = cruft.map(({ pack }) => pack)
    const timed = this.#chooseTimed(packs, (oid) => {
      if (ordinary.some(({ index }) => index.rankOf(oid) >= 0)) return undefined
      return this.#reached.has(oid, 0) ? JUST_SEEN : this.#unreached.keptSince(oid)
    })
    return { main: [], ...timed }
  }

  #chooseTimed(
    packs: readonly PackFile[],
    timeOf: (oid: Buffer) => number | undefined,
  ): Pick<PrunePlan, 'cruft' | 'timesS'> {
    const timed: { readonly oid: Buffer; readonly timeS: number }[] = []
    const cruft = this.#choose(packs, (oid) => {
      const timeS = timeOf(oid)
      if (timeS === undefined) return false
      timed.push({ oid: Buffer.from(oid), timeS: Math.min(timeS, this.#task.nowS) })
      return true
    })
    // As its index will have them.
    timed.sort((a, b) => a.oid.compare(b.oid))
    return { cruft, timesS: Uint32Array.from(timed, ({ timeS }) => timeS) }
  }

  /** Each object from the first pack that has it. */
  #choose(packs: readonly PackFile[], isChosen: (oid: Buffer) => boolean): TakenPack[] {
    return packs.flatMap((pack, at) => {
      const before = packs.slice(0, at)
      const positions = new BitSet(pack.index.count)
      this.#forEach(pack, (oid, position) => {
        if (before.every(({ index }) => index.rankOf(oid) < 0) && isChosen(oid)) positions.add(position)
      })
      return positions.next(0) < 0 ? [] : [{ name: nameOf(pack), positions: positions.words.slice() }]
    })
  }

  /** @param visit gets a name that is valid only during the call */
  #forEach({ index, order }: PackFile, visit: (oid: Buffer, position: number, rank: number) => void): void {
    for (let rank = 0; rank < index.count; rank++) {
      index.copyOid(rank, this.#oid, 0)
      visit(this.#oid, order.positionOf(rank), rank)
    }
  }
}

/** A pack of what is not reached that does not say since when is as good as any other. */
function sorted(store: ObjectStore, task: PrunePlanTask): Packs {
  const byName = new Map(store.packs.map((pack) => [nameOf(pack), pack]))
  const ordinary = task.ordinary.flatMap((name) => byName.get(name) ?? [])
  const cruft: { pack: PackFile; timesS: Uint32Array }[] = []
  for (const name of task.cruft) {
    const pack = byName.get(name)
    const timesS = pack && readPackTimes(pack)
    if (pack === undefined) continue
    if (timesS === undefined) ordinary.push(pack)
    else cruft.push({ pack, timesS })
  }
  const sortedOut = new Set([...ordinary, ...cruft.map(({ pack }) => pack)])
  return { ordinary, cruft, kept: store.packs.filter((pack) => !sortedOut.has(pack)) }
}

function nameOf({ name }: PackFile): string {
  return name.slice('pack-'.length)
}

import { BitSet } from '../git/bitmap/bit-set.ts'
import type { Selection } from '../git/object-graph/select.ts'
import type { ObjectStore } from '../storage/objects/object-store.ts'
import type { PackFile } from '../storage/objects/pack-file.ts'

/** Of one pack, the objects that are to be sent from it. */
export interface ChosenFromPack {
  readonly pack: PackFile
  /** In the pack's order. */
  readonly positions: BitSet
  readonly count: number
}

/** Where the selected objects are taken from: each from one place, and from the largest pack that has it. */
export class ChosenObjects {
  readonly count: number
  readonly packs: readonly ChosenFromPack[]
  /** 20 bytes each: in no pack. */
  readonly loose: readonly Buffer[]
  readonly #selection: Selection

  constructor(store: ObjectStore, selection: Selection) {
    const { oids, count, numbered } = selection
    const packs = [...store.packs].sort((a, b) => b.index.count - a.index.count)
    const sets = packs.map((pack) => new BitSet(pack.index.count))
    const counts = new Float64Array(packs.length)
    const loose: Buffer[] = []
    if (numbered !== undefined) {
      // Bitmaps number the objects of their pack as they lie.
      const at = packs.findIndex((pack) => pack === store.bitmap?.pack)
      sets[at] = numbered.numbers
      counts[at] = numbered.numbers.count()
    }
    for (let i = 0; i < count; i++) {
      const at = packs.findIndex((pack, place) => {
        const rank = pack.index.rankOf(oids, i * 20)
        if (rank >= 0) (sets[place] as BitSet).add(pack.order.positionOf(rank))
        return rank >= 0
      })
      if (at >= 0) counts[at]! += 1
      else loose.push(oids.subarray(i * 20, i * 20 + 20))
    }
    this.packs = packs
      .map((pack, at) => ({ pack, positions: sets[at] as BitSet, count: counts[at] as number }))
      .filter((chosen) => chosen.count > 0)
    this.loose = loose
    this.count = this.packs.reduce((sum, chosen) => sum + chosen.count, loose.length)
    this.#selection = selection
  }

  /** The receiver has this object already: it may serve as a base of a thin pack. */
  isKnown(oid: Buffer): boolean {
    return this.#selection.isKnown(oid, 0)
  }

  /** The pack that holds just the selected objects, and nothing that the receiver may not see. */
  exactPack(): PackFile | undefined {
    const [only] = this.packs
    return only !== undefined && only.count === this.count && only.count === only.pack.index.count
      ? only.pack
      : undefined
  }
}

import assert from 'node:assert/strict'
import { BitSet } from '../git/bitmap/bit-set.ts'
import type { Selection } from '../git/object-graph/select.ts'
import type { ObjectStore } from '../storage/objects/object-store.ts'
import type { PackFile } from '../storage/objects/pack-file.ts'

/** Of one pack, the objects that are taken from it. */
export interface ChosenFromPack {
  readonly pack: PackFile
  /** In the pack's order. */
  readonly positions: BitSet
  readonly count: number
}

/** Where the selected objects are taken from: each from one place. */
export class ChosenObjects {
  readonly count: number
  readonly packs: readonly ChosenFromPack[]
  /** 20 bytes each: in no pack. */
  readonly loose: readonly Buffer[]
  readonly #isKnown: Selection['isKnown']

  private constructor(
    sets: readonly BitSet[],
    packs: readonly PackFile[],
    loose: readonly Buffer[],
    isKnown: Selection['isKnown'],
  ) {
    this.packs = packs
      .map((pack, at) => ({ pack, positions: sets[at] as BitSet, count: (sets[at] as BitSet).count() }))
      .filter(({ count }) => count > 0)
    this.loose = loose
    this.count = this.packs.reduce((sum, { count }) => sum + count, loose.length)
    this.#isKnown = isKnown
  }

  /** What a receiver needs, from the largest packs that have it: what is taken whole need not be looked at. */
  static of(store: ObjectStore, { oids, count, numbered, isKnown }: Selection): ChosenObjects {
    const packs = store.packsBySize
    const sets = packs.map((pack) => new BitSet(pack.index.count))
    // Bitmaps number the objects of their pack as they lie.
    if (numbered !== undefined) {
      const at = packs.findIndex((pack) => pack === store.bitmap?.pack)
      assert(at >= 0)
      sets[at] = numbered.numbers
    }
    const loose: Buffer[] = []
    for (let i = 0; i < count; i++) {
      const isPacked = packs.some((pack, at) => {
        const rank = pack.index.rankOf(oids, i * 20)
        if (rank >= 0) (sets[at] as BitSet).add(pack.order.positionOf(rank))
        return rank >= 0
      })
      if (!isPacked) loose.push(oids.subarray(i * 20, i * 20 + 20))
    }
    return new ChosenObjects(sets, packs, loose, isKnown)
  }

  /** Everything in some packs, from the first of them that has it. */
  static allOf(packs: readonly PackFile[]): ChosenObjects {
    const oid = Buffer.alloc(20)
    const sets = packs.map((pack, at) => {
      const before = packs.slice(0, at)
      const set = new BitSet(pack.index.count)
      for (let rank = 0; rank < pack.index.count; rank++) {
        pack.index.copyOid(rank, oid, 0)
        if (!before.some(({ index }) => index.rankOf(oid) >= 0)) set.add(pack.order.positionOf(rank))
      }
      return set
    })
    return new ChosenObjects(sets, packs, [], () => false)
  }

  /** Those at these places. */
  static at(places: readonly { readonly pack: PackFile; readonly positions: BitSet }[]): ChosenObjects {
    const sets = places.map(({ positions }) => positions)
    const packs = places.map(({ pack }) => pack)
    return new ChosenObjects(sets, packs, [], () => false)
  }

  /** Whether it is chosen, from whichever pack. */
  has(oid: Buffer, at: number): boolean {
    return this.packs.some(({ pack, positions }) => {
      const rank = pack.index.rankOf(oid, at)
      return rank >= 0 && positions.has(pack.order.positionOf(rank))
    })
  }

  /** The receiver has this object already: it may serve as a base of a thin pack. */
  isKnown(oid: Buffer): boolean {
    return this.#isKnown(oid, 0)
  }

  /** The pack that holds just the chosen objects, and nothing that the receiver may not see. */
  exactPack(): PackFile | undefined {
    const [only] = this.packs
    return only !== undefined && only.count === this.count && only.count === only.pack.index.count
      ? only.pack
      : undefined
  }
}

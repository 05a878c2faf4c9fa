import { BitRanks } from '../git/bitmap/bit-ranks.ts'
import { PACK_HEADER_BYTES } from '../git/pack/header.ts'
import { BASE } from '../storage/objects/pack-bases.ts'
import type { ChosenFromPack } from './chosen-objects.ts'

/** Part of a pack's objects from which on it takes longer to look ranks up than to make room for all of them. */
const FEW = 1 / 4

/** What becomes of the objects that one pack gives to a new one. */
export class PackPart {
  readonly chosen: ChosenFromPack
  /** What is below goes by these where few of very many objects are taken; by position where it is most of them. */
  readonly #ranks: BitRanks | undefined
  /** Where each begins in the new pack; 0: nowhere yet. Nothing where all were copied as they lie. */
  readonly #written: Float64Array
  readonly #depths: Uint8Array
  readonly #begun: Uint8Array
  /** Where the pack's own header would begin. */
  #copiedTo: number | undefined

  constructor(chosen: ChosenFromPack) {
    this.chosen = chosen
    const total = chosen.pack.index.count
    const areFew = chosen.count < total * FEW
    const count = areFew ? chosen.count : total
    this.#ranks = areFew ? new BitRanks(chosen.positions) : undefined
    this.#written = new Float64Array(count)
    this.#depths = new Uint8Array(count)
    this.#begun = new Uint8Array(count)
  }

  /** All of the pack is taken. */
  get isWhole(): boolean {
    return this.chosen.count === this.chosen.pack.index.count
  }

  /** Everything comes one after another, from there on. */
  copiedTo(position: number): void {
    this.#copiedTo = position - PACK_HEADER_BYTES
  }

  /**
   * Takes what can be copied as it lies, one after another: whole objects, and deltas that are as far from their bases in
   * the new pack as they are in this one.
   *
   * @param at where the first would begin in the new pack
   * @returns the position behind them: `position` where there are none
   */
  takeRun(position: number, at: number, depthMax: number): number {
    const { pack, positions } = this.chosen
    const { order, bases } = pack
    const shift = at - order.offsetAt(position)
    let end = position
    // Of objects that lie one after another, each has the rank behind the last one's.
    for (let rank = this.#rankOf(position); positions.has(end) && this.#begun[rank] === 0; end++, rank++) {
      const base = bases.of(end)
      let depth = 0
      if (base !== BASE.none) {
        if (base === BASE.named || !positions.has(base)) break
        const baseRank = this.#rankOf(base)
        const baseAt = this.#written[baseRank] as number
        if (baseAt === 0 || baseAt - order.offsetAt(base) !== shift) break
        depth = (this.#depths[baseRank] as number) + 1
        if (depth > depthMax) break
      }
      this.#begun[rank] = 1
      this.#written[rank] = shift + order.offsetAt(end)
      this.#depths[rank] = depth
    }
    return end
  }

  /** @returns whether it has been written */
  begin(position: number): boolean {
    this.#begun[this.#rankOf(position)] = 1
    return this.writtenAt(position) > 0
  }

  isBegun(position: number): boolean {
    return this.#copiedTo !== undefined || this.#begun[this.#rankOf(position)] === 1
  }

  written(position: number, at: number, depth: number): void {
    const rank = this.#rankOf(position)
    this.#written[rank] = at
    this.#depths[rank] = depth
  }

  #rankOf(position: number): number {
    return this.#ranks === undefined ? position : this.#ranks.of(position)
  }

  /** 0: nowhere yet */
  writtenAt(position: number): number {
    if (this.#copiedTo === undefined) return this.#written[this.#rankOf(position)] as number
    return this.#copiedTo + this.chosen.pack.order.offsetAt(position)
  }

  /** How many deltas lie between it and something whole, counted up to `depthMax`. */
  depthOf(position: number, depthMax: number): number {
    if (this.#copiedTo === undefined) return this.#depths[this.#rankOf(position)] as number
    const { pack } = this.chosen
    let depth = 0
    let entry = pack.entryAt(pack.order.offsetAt(position))
    for (; entry.baseOffset >= 0 && depth < depthMax; depth++) entry = pack.entryAt(entry.baseOffset)
    return depth
  }
}

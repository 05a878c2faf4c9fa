import { PACK_HEADER_BYTES } from '../git/pack/header.ts'
import { BASE } from '../storage/objects/pack-bases.ts'
import type { ChosenFromPack } from './chosen-objects.ts'

/** What becomes of the objects that one pack gives to a new one. */
export class PackPart {
  readonly chosen: ChosenFromPack
  /** Where each begins in the new pack; 0: nowhere yet. Nothing where all were copied as they lie. */
  readonly #written: Float64Array
  readonly #depths: Uint8Array
  readonly #begun: Uint8Array
  /** Where the pack's own header would begin. */
  #copiedTo: number | undefined

  constructor(chosen: ChosenFromPack) {
    this.chosen = chosen
    const { count } = chosen.pack.index
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
    for (; positions.has(end) && this.#begun[end] === 0; end++) {
      const base = bases.of(end)
      let depth = 0
      if (base !== BASE.none) {
        const baseAt = base === BASE.named ? 0 : (this.#written[base] as number)
        if (baseAt === 0 || baseAt - order.offsetAt(base) !== shift) break
        depth = (this.#depths[base] as number) + 1
        if (depth > depthMax) break
      }
      this.#begun[end] = 1
      this.written(end, shift + order.offsetAt(end), depth)
    }
    return end
  }

  /** @returns whether it has been written */
  begin(position: number): boolean {
    this.#begun[position] = 1
    return this.writtenAt(position) > 0
  }

  isBegun(position: number): boolean {
    return this.#copiedTo !== undefined || this.#begun[position] === 1
  }

  written(position: number, at: number, depth: number): void {
    this.#written[position] = at
    this.#depths[position] = depth
  }

  /** 0: nowhere yet */
  writtenAt(position: number): number {
    if (this.#copiedTo === undefined) return this.#written[position] as number
    return this.#copiedTo + this.chosen.pack.order.offsetAt(position)
  }

  /** How many deltas lie between it and something whole, counted up to `depthMax`. */
  depthOf(position: number, depthMax: number): number {
    if (this.#copiedTo === undefined) return this.#depths[position] as number
    const { pack } = this.chosen
    let depth = 0
    let entry = pack.entryAt(pack.order.offsetAt(position))
    for (; entry.baseOffset >= 0 && depth < depthMax; depth++) entry = pack.entryAt(entry.baseOffset)
    return depth
  }
}

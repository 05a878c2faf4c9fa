import type { PackIndex } from '../../git/pack/index-file.ts'

/** Objects of one pack by position: the order in which they lie, which is how bitmaps number them. 16 bytes an object. */
export class PackOrder {
  readonly #offsets: Float64Array
  readonly #ranks: Uint32Array
  readonly #positions: Uint32Array
  /** Where the last object ends. */
  readonly end: number

  /** @param end where the last object ends */
  constructor(index: PackIndex, end: number) {
    const { count } = index
    this.#offsets = new Float64Array(count)
    for (let rank = 0; rank < count; rank++) this.#offsets[rank] = index.offsetOf(rank)
    this.#offsets.sort()
    this.end = end
    this.#ranks = new Uint32Array(count)
    this.#positions = new Uint32Array(count)
    for (let rank = 0; rank < count; rank++) {
      const position = this.positionAt(index.offsetOf(rank))
      this.#ranks[position] = rank
      this.#positions[rank] = position
    }
  }

  get count(): number {
    return this.#offsets.length
  }

  /** @param rank in the order of names */
  positionOf(rank: number): number {
    return this.#positions[rank] as number
  }

  rankAt(position: number): number {
    return this.#ranks[position] as number
  }

  offsetAt(position: number): number {
    return this.#offsets[position] as number
  }

  /** Where the object's entry ends. */
  endAt(position: number): number {
    return this.#offsets[position + 1] ?? this.end
  }

  /** @param offset at which an entry begins */
  positionAt(offset: number): number {
    const offsets = this.#offsets
    let low = 0
    let high = offsets.length - 1
    while (low < high) {
      const middle = (low + high) >>> 1
      if ((offsets[middle] as number) < offset) low = middle + 1
      else high = middle
    }
    return low
  }
}

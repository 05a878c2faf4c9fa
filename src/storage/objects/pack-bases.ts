import type { PackOrder } from './pack-order.ts'

/** In the place of a base's position. */
export const BASE = {
  /** The object is whole. */
  none: -1,
  /** It is named, and not told by where it lies. */
  named: -2,
} as const

const UNKNOWN = -3

interface Based {
  /** Where the base's entry begins; -1: there is none. */
  readonly baseOffset: number
  readonly isBaseNamed: boolean
}

/** What the objects of one pack are deltas of, by position; each is looked at once. 4 bytes an object. */
export class PackBases {
  readonly #order: PackOrder
  readonly #entryAt: (offset: number) => Based
  readonly #bases: Int32Array

  constructor(order: PackOrder, entryAt: (offset: number) => Based) {
    this.#order = order
    this.#entryAt = entryAt
    this.#bases = new Int32Array(order.count).fill(UNKNOWN)
  }

  /** @returns the base's position, or one of `BASE`. @throws PackError: the pack is damaged */
  of(position: number): number {
    const known = this.#bases[position] as number
    return known === UNKNOWN ? this.#look(position) : known
  }

  #look(position: number): number {
    const { baseOffset, isBaseNamed } = this.#entryAt(this.#order.offsetAt(position))
    const base = baseOffset < 0 ? BASE.none : isBaseNamed ? BASE.named : this.#order.positionAt(baseOffset)
    this.#bases[position] = base
    return base
  }
}

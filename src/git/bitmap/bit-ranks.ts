import { type BitSet, bitsOf } from './bit-set.ts'

/** Numbers the members of a set that changes no more, from 0 on and in rising order. 4 bytes for 32 numbers of the set. */
export class BitRanks {
  readonly #words: Uint32Array
  /** Members in the words before each. */
  readonly #before: Uint32Array

  constructor({ words }: BitSet) {
    this.#words = words
    this.#before = new Uint32Array(words.length)
    for (let at = 1; at < words.length; at++) {
      this.#before[at] = (this.#before[at - 1] as number) + bitsOf(words[at - 1] as number)
    }
  }

  /** @param number a member. @returns how many are smaller */
  of(number: number): number {
    const at = number >>> 5
    return (this.#before[at] as number) + bitsOf((this.#words[at] as number) & ((1 << (number & 31)) - 1))
  }
}

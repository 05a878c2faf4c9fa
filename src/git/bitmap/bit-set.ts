/** A set of small numbers, one bit each: number `i` is bit `i % 32` of word `i / 32`. */
export class BitSet {
  /** An even number of words, as files hold them in pairs. */
  #words: Uint32Array

  /** @param size numbers below it find room at once; the set grows where larger ones are added */
  constructor(size: number, words = new Uint32Array(wordsFor(size))) {
    this.#words = words
  }

  /** Valid until the set grows. */
  get words(): Uint32Array {
    return this.#words
  }

  has(number: number): boolean {
    return ((this.#words[number >>> 5] ?? 0) & (1 << (number & 31))) !== 0
  }

  add(number: number): void {
    const at = number >>> 5
    if (at >= this.#words.length) this.#grow(at + 1)
    this.#words[at]! |= 1 << (number & 31)
  }

  remove(number: number): void {
    const at = number >>> 5
    if (at < this.#words.length) this.#words[at]! &= ~(1 << (number & 31))
  }

  /** Drops all from `size` on. */
  truncate(size: number): void {
    const at = size >>> 5
    if (at >= this.#words.length) return
    this.#words.fill(0, at + 1)
    this.#words[at]! &= 2 ** (size & 31) - 1
  }

  addAll({ words }: BitSet): void {
    if (words.length > this.#words.length) this.#grow(words.length)
    const mine = this.#words
    for (let at = 0; at < words.length; at++) mine[at]! |= words[at] as number
  }

  removeAll({ words }: BitSet): void {
    const mine = this.#words
    const both = Math.min(words.length, mine.length)
    for (let at = 0; at < both; at++) mine[at]! &= ~(words[at] as number)
  }

  /** What is in exactly one of the two. */
  flipAll({ words }: BitSet): void {
    if (words.length > this.#words.length) this.#grow(words.length)
    const mine = this.#words
    for (let at = 0; at < words.length; at++) mine[at]! ^= words[at] as number
  }

  copy(): BitSet {
    return new BitSet(0, this.#words.slice())
  }

  /** How many numbers are in it. */
  count(): number {
    let count = 0
    for (const word of this.#words) count += bitsOf(word)
    return count
  }

  /** @returns the smallest that is not below `from`, or -1 */
  next(from: number): number {
    const words = this.#words
    let at = from >>> 5
    if (at >= words.length) return -1
    let word = (words[at] as number) & (0xffffffff << (from & 31))
    while (word === 0) {
      at++
      if (at >= words.length) return -1
      word = words[at] as number
    }
    return at * 32 + 31 - Math.clz32(word & -word)
  }

  /** In rising order. */
  forEach(visit: (number: number) => void): void {
    const words = this.#words
    for (let at = 0; at < words.length; at++) {
      for (let word = words[at] as number; word !== 0; word &= word - 1) {
        visit(at * 32 + 31 - Math.clz32(word & -word))
      }
    }
  }

  #grow(words: number): void {
    const bigger = new Uint32Array(Math.max(words + (words & 1), this.#words.length * 2))
    bigger.set(this.#words)
    this.#words = bigger
  }
}

export function wordsFor(size: number): number {
  return 2 * Math.ceil(size / 64)
}

/** How many bits are set (Hacker's Delight, 5-1). */
export function bitsOf(word: number): number {
  let sum = word - ((word >>> 1) & 0x55555555)
  sum = (sum & 0x33333333) + ((sum >>> 2) & 0x33333333)
  return Math.imul((sum + (sum >>> 4)) & 0x0f0f0f0f, 0x01010101) >>> 24
}

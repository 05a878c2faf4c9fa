/** Makes an input that fails smaller, as long as it fails in the same way. */

const SIMPLEST = 0x30

export interface Minimisation {
  /** Whether an input still fails in the way that is looked for. */
  fails(candidate: Buffer): boolean
  /** Calls of `fails`. */
  readonly attemptsMax: number
  /** Shorter inputs of the same grammar, where there is one. */
  simpler?(input: Buffer): readonly Buffer[]
  /** Each time a simpler one is found. */
  onSmaller?(smaller: Buffer): void
}

/** Asks the grammar, then leaves out pieces of a half, a quarter, … down to single bytes, then makes bytes plain. */
export function minimise(input: Buffer, options: Minimisation): Buffer {
  const search = new Search(input, options)
  while (search.askGrammar() || search.leaveOut()) continue
  search.makePlain()
  return search.best
}

class Search {
  best: Buffer
  readonly #options: Minimisation
  #attempts = 0

  constructor(input: Buffer, options: Minimisation) {
    this.best = input
    this.#options = options
  }

  /** @returns whether it became smaller */
  askGrammar(): boolean {
    const { simpler } = this.#options
    const shorter = simpler?.(this.best).filter(({ length }) => length < this.best.length) ?? []
    return shorter.some((candidate) => this.#isGoingOn() && this.#attempt(candidate))
  }

  /** @returns whether it became smaller */
  leaveOut(): boolean {
    const before = this.best.length
    for (let size = Math.ceil(before / 2); size >= 1; size = size === 1 ? 0 : Math.ceil(size / 2)) {
      for (let at = 0; at < this.best.length && this.#isGoingOn();) {
        const without = Buffer.concat([this.best.subarray(0, at), this.best.subarray(at + size)])
        if (!this.#attempt(without)) at += size
      }
    }
    return this.best.length < before
  }

  makePlain(): void {
    for (let at = 0; at < this.best.length && this.#isGoingOn(); at++) {
      if (this.best[at] === SIMPLEST) continue
      const plain = Buffer.from(this.best)
      plain.writeUInt8(SIMPLEST, at)
      this.#attempt(plain)
    }
  }

  #isGoingOn(): boolean {
    return this.#attempts < this.#options.attemptsMax
  }

  #attempt(candidate: Buffer): boolean {
    this.#attempts++
    if (!this.#options.fails(candidate)) return false
    this.best = candidate
    this.#options.onSmaller?.(candidate)
    return true
  }
}

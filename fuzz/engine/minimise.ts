/** Makes an input that fails smaller, as long as it fails in the same way. */

const SIMPLEST = 0x30

export interface Minimisation {
  /** Whether an input still fails in the way that is looked for. */
  fails(candidate: Buffer): boolean | Promise<boolean>
  /** Calls of `fails`. */
  readonly attemptsMax: number
  /** Shorter inputs of the same grammar, where there is one. */
  simpler?(input: Buffer): readonly Buffer[]
  /** Each time a simpler one is found. */
  onSmaller?(smaller: Buffer): void
}

/** Asks the grammar, then leaves out pieces of a half, a quarter, … down to single bytes, then makes bytes plain. */
export async function minimise(input: Buffer, options: Minimisation): Promise<Buffer> {
  const search = new Search(input, options)
  while ((await search.askGrammar()) || (await search.leaveOut())) continue
  await search.makePlain()
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
  async askGrammar(): Promise<boolean> {
    const { simpler } = this.#options
    const shorter = simpler?.(this.best).filter(({ length }) => length < this.best.length) ?? []
    for (const candidate of shorter) if (this.#isGoingOn() && (await this.#attempt(candidate))) return true
    return false
  }

  /** @returns whether it became smaller */
  async leaveOut(): Promise<boolean> {
    const before = this.best.length
    for (let size = Math.ceil(before / 2); size >= 1; size = size === 1 ? 0 : Math.ceil(size / 2)) {
      for (let at = 0; at < this.best.length && this.#isGoingOn();) {
        const without = Buffer.concat([this.best.subarray(0, at), this.best.subarray(at + size)])
        if (!(await this.#attempt(without))) at += size
      }
    }
    return this.best.length < before
  }

  async makePlain(): Promise<void> {
    for (let at = 0; at < this.best.length && this.#isGoingOn(); at++) {
      if (this.best[at] === SIMPLEST) continue
      const plain = Buffer.from(this.best)
      plain.writeUInt8(SIMPLEST, at)
      await this.#attempt(plain)
    }
  }

  #isGoingOn(): boolean {
    return this.#attempts < this.#options.attemptsMax
  }

  async #attempt(candidate: Buffer): Promise<boolean> {
    this.#attempts++
    if (!(await this.#options.fails(candidate))) return false
    this.best = candidate
    this.#options.onSmaller?.(candidate)
    return true
  }
}

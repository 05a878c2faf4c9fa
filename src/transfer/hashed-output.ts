import { createHash } from 'node:crypto'

export const CHUNK_BYTES = 256 * 1024

/** A call that copies memory costs more than to copy so few bytes one by one. */
const FEW_BYTES = 32

/** Gathers small writes into large pieces, and hashes what goes by for the pack's trailer. */
export class HashedOutput {
  bytes = 0
  readonly #emit: (chunk: Buffer) => Promise<void>
  readonly #hash = createHash('sha1')
  /** Handed on next, in this order. */
  readonly #full: Buffer[] = []
  /** To be filled next. */
  readonly #empty: Buffer[] = []
  #chunk: Buffer = Buffer.allocUnsafeSlow(CHUNK_BYTES)
  #filled = 0

  /** @param emit resolves when the bytes are out of the piece, which is then used again */
  constructor(emit: (chunk: Buffer) => Promise<void>) {
    this.#emit = emit
  }

  /**
   * Copies a part of `bytes`. Nothing waits here, as most writes are of a few bytes: who writes looks at `isOver`, and
   * writes no more than a piece between two looks.
   */
  write(bytes: Buffer, start = 0, end = bytes.length): void {
    this.bytes += end - start
    for (let at = start; at < end;) {
      const next = Math.min(end, at + CHUNK_BYTES - this.#filled)
      if (next - at <= FEW_BYTES) for (let i = at; i < next; i++) this.#chunk[this.#filled++] = bytes[i] as number
      else this.#filled += bytes.copy(this.#chunk, this.#filled, at, next)
      at = next
      if (this.#filled === CHUNK_BYTES) this.#nextChunk()
    }
  }

  /** Pieces are full that `drain` is to hand on. */
  get isOver(): boolean {
    return this.#full.length > 0
  }

  async drain(): Promise<void> {
    for (let chunk = this.#full.shift(); chunk !== undefined; chunk = this.#full.shift()) {
      await this.#emit(chunk)
      this.#empty.push(chunk)
    }
  }

  async finish(): Promise<void> {
    const rest = this.#chunk.subarray(0, this.#filled)
    this.#hash.update(rest)
    await this.drain()
    await this.#emit(Buffer.concat([rest, this.#hash.digest()]))
  }

  #nextChunk(): void {
    this.#hash.update(this.#chunk)
    this.#full.push(this.#chunk)
    this.#chunk = this.#empty.pop() ?? Buffer.allocUnsafeSlow(CHUNK_BYTES)
    this.#filled = 0
  }
}

import { createHash } from 'node:crypto'
import { BufferPool } from './buffer-pool.ts'

export const CHUNK_BYTES = 256 * 1024

/** As many as one pack takes that is handed on at once. */
const IDLE_CHUNKS_MAX = 4
const TRAILER_BYTES = 20
const pool = new BufferPool(CHUNK_BYTES + TRAILER_BYTES, IDLE_CHUNKS_MAX)

/** A call that copies memory costs more than to copy so few bytes one by one. */
const FEW_BYTES = 32

/** Gathers small writes into large pieces, and hashes what goes by for the pack's trailer. */
export class HashedOutput {
  bytes = 0
  readonly #emit: (chunk: Buffer) => Promise<void>
  readonly #hash = createHash('sha1')
  /** Handed on next, in this order. */
  readonly #full: Buffer[] = []
  #chunk: Buffer = pool.take()
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
      await this.#emit(chunk.subarray(0, CHUNK_BYTES))
      pool.give(chunk)
    }
  }

  async finish(): Promise<void> {
    this.#hash.update(this.#chunk.subarray(0, this.#filled))
    await this.drain()
    const end = this.#filled + this.#hash.digest().copy(this.#chunk, this.#filled)
    await this.#emit(this.#chunk.subarray(0, end))
    pool.give(this.#chunk)
  }

  #nextChunk(): void {
    this.#hash.update(this.#chunk.subarray(0, CHUNK_BYTES))
    this.#full.push(this.#chunk)
    this.#chunk = pool.take()
    this.#filled = 0
  }
}

import { createHash } from 'node:crypto'

export const CHUNK_BYTES = 256 * 1024

/** Gathers small writes into large pieces, and hashes what goes by for the pack's trailer. */
export class HashedOutput {
  bytes = 0
  readonly #emit: (chunk: Buffer) => Promise<void>
  readonly #hash = createHash('sha1')
  #chunk = Buffer.allocUnsafeSlow(CHUNK_BYTES)
  #filled = 0

  constructor(emit: (chunk: Buffer) => Promise<void>) {
    this.#emit = emit
  }

  /** Copies `bytes`; resolves at once unless a piece had to be handed on. */
  write(bytes: Buffer): Promise<void> | undefined {
    this.bytes += bytes.length
    if (bytes.length <= CHUNK_BYTES - this.#filled) {
      bytes.copy(this.#chunk, this.#filled)
      this.#filled += bytes.length
      return undefined
    }
    return this.#writeLarge(bytes)
  }

  async finish(): Promise<void> {
    this.#hash.update(this.#chunk.subarray(0, this.#filled))
    const trailer = this.#hash.digest()
    await this.#emit(Buffer.concat([this.#chunk.subarray(0, this.#filled), trailer]))
  }

  async #writeLarge(bytes: Buffer): Promise<void> {
    for (let done = 0; done < bytes.length;) {
      const count = bytes.copy(this.#chunk, this.#filled, done)
      done += count
      this.#filled += count
      if (this.#filled < CHUNK_BYTES) continue
      this.#hash.update(this.#chunk)
      await this.#emit(this.#chunk)
      this.#chunk = Buffer.allocUnsafeSlow(CHUNK_BYTES)
      this.#filled = 0
    }
  }
}

import { createHash } from 'node:crypto'

import { type ByteSource, truncated } from './source.ts'

const CHUNK_BYTES = 1024 * 1024

/** A source that is read from its beginning on, and whose bytes are hashed as they come by, each once. */
export class SummedSource implements ByteSource {
  readonly #source: ByteSource
  readonly #hash = createHash('sha1')
  #summedBytes = 0

  constructor(source: ByteSource) {
    this.#source = source
  }

  get bytes(): number {
    return this.#source.bytes
  }

  reach(end: number): void {
    this.#source.reach?.(end)
  }

  read(target: Buffer, position: number): number {
    const count = this.#source.read(target, position)
    const known = this.#summedBytes - position
    if (known >= 0 && known < count) {
      this.#hash.update(target.subarray(known, count))
      this.#summedBytes = position + count
    }
    return count
  }

  /** @returns SHA-1 of the bytes before `end`, of which none behind it was read; once. @throws PackError pack_truncated */
  sumUpTo(end: number): Buffer {
    const buffer = Buffer.allocUnsafe(Math.min(CHUNK_BYTES, end - this.#summedBytes))
    while (this.#summedBytes < end) {
      if (this.read(buffer.subarray(0, end - this.#summedBytes), this.#summedBytes) === 0) throw truncated()
    }
    return this.#hash.digest()
  }
}

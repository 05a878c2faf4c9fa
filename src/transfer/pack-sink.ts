import { PACK_HEADER_BYTES } from '../git/pack/header.ts'
import type { WritableFile } from '../storage/file-system.ts'
import { BufferPool } from './buffer-pool.ts'

/** So much is gathered before it is written: small writes cost more than their bytes. */
const GATHERED_BYTES = 512 * 1024
/** Two for each of as many packs as keep a machine busy. */
const IDLE_BUFFERS_MAX = 16
const pool = new BufferPool(GATHERED_BYTES, IDLE_BUFFERS_MAX)

/** Where a pack's bytes go, in order. */
export interface PackSink {
  /** How many are there already: what a second attempt need not bring again. */
  readonly bytes: number
  write(bytes: Uint8Array): Promise<void>
}

/** Gathers pieces into large writes, one of which is under way while the next pieces come; two buffers take turns. */
export class FileSink implements PackSink {
  /** Taken, written or not. */
  bytes = 0
  readonly #file: WritableFile
  readonly #onWritten: (bytes: number) => void
  readonly #head = Buffer.alloc(PACK_HEADER_BYTES)
  #filling: Buffer | undefined
  #writing: Buffer | undefined
  /** Of the one that is being filled. */
  #filledBytes = 0
  #written: Promise<void> = Promise.resolve()

  /** @param onWritten is told how many bytes are in the file, from its beginning on */
  constructor(file: WritableFile, onWritten: (bytes: number) => void) {
    this.#file = file
    this.#onWritten = onWritten
  }

  /** Of the pack; undefined where it is not all there. */
  get header(): Buffer | undefined {
    return this.bytes < PACK_HEADER_BYTES ? undefined : this.#head
  }

  /** What the pack says of itself; 0 where it is too short to say anything. */
  get declaredObjects(): number {
    return this.header?.readUInt32BE(8) ?? 0
  }

  async write(bytes: Uint8Array): Promise<void> {
    if (this.bytes < PACK_HEADER_BYTES) this.#head.set(bytes.subarray(0, PACK_HEADER_BYTES - this.bytes), this.bytes)
    for (let taken = 0; taken < bytes.length;) {
      this.#filling ??= pool.take()
      const part = bytes.subarray(taken, taken + GATHERED_BYTES - this.#filledBytes)
      this.#filling.set(part, this.#filledBytes)
      this.#filledBytes += part.length
      this.bytes += part.length
      taken += part.length
      if (this.#filledBytes === GATHERED_BYTES) await this.#writeGathered(this.#filling)
    }
  }

  /** After the last piece. */
  async flush(): Promise<void> {
    if (this.#filling !== undefined && this.#filledBytes > 0) await this.#writeGathered(this.#filling)
    await this.#written
  }

  /** After the last use, however it ended: nothing of it is under way then. */
  async close(): Promise<void> {
    await this.#written.catch(() => {})
    for (const buffer of [this.#filling, this.#writing]) if (buffer !== undefined) pool.give(buffer)
    this.#filling = this.#writing = undefined
  }

  async #writeGathered(filling: Buffer): Promise<void> {
    await this.#written
    this.#written = this.#writeOut(filling.subarray(0, this.#filledBytes), this.bytes - this.#filledBytes)
    // It is awaited before the next one; should it fail before that, nobody else has to hear of it.
    this.#written.catch(() => {})
    ;[this.#filling, this.#writing] = [this.#writing, filling]
    this.#filledBytes = 0
  }

  async #writeOut(bytes: Buffer, position: number): Promise<void> {
    await this.#file.write(bytes, position)
    this.#onWritten(position + bytes.length)
  }
}

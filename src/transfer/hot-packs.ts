import assert from 'node:assert/strict'
import { LRUCache } from 'lru-cache'
import { FLUSH } from '../git/pkt-line.ts'
import { framedBytes, pieceBytesOf, readPiece } from './pack-framing.ts'
import type { PackReader } from './pack-reader.ts'

/** What all clients of today ask for; the others are served from files. */
export const HOT_FRAMING = 'side-band-64k'
/** Of the memory for packs, frames included. A pack larger than all of it is read from its file each time. */
export const HOT_BYTES_MAX = 64 * 1024 ** 2

export interface PackFile {
  readonly path: string
  readonly bytes: number
  readonly objects: number
}

/** A pack as it goes over the wire, with the flush packet that ends it, in pieces that stay in memory once they were read. */
export class HotPack {
  readonly path: string
  readonly bytes: number
  readonly objects: number
  readonly #pieces: (Promise<Buffer> | undefined)[]
  readonly #read: Buffer[] = []
  #readCount = 0

  constructor({ path, bytes, objects }: PackFile) {
    this.path = path
    this.bytes = bytes
    this.objects = objects
    this.#pieces = Array.from({ length: Math.ceil(bytes / pieceBytesOf(HOT_FRAMING)) }, () => undefined)
  }

  get pieces(): number {
    return this.#pieces.length
  }

  /** All of it was read: no file is needed any more. */
  get isComplete(): boolean {
    return this.#readCount === this.#pieces.length
  }

  /**
   * One read for all who want it at the same time.
   *
   * @param reader of this pack; undefined where it is complete
   * @throws Error what the disk does
   */
  piece(number: number, reader: PackReader | undefined): Promise<Buffer> {
    const known = this.#pieces[number]
    if (known !== undefined) return known
    assert(reader !== undefined, 'what is not complete has a file')
    const piece = this.#readPiece(number, reader)
    this.#pieces[number] = piece
    return piece
  }

  /** Of one that is complete. */
  all(): readonly Buffer[] {
    assert(this.isComplete)
    return this.#read
  }

  async #readPiece(number: number, reader: PackReader): Promise<Buffer> {
    const position = number * pieceBytesOf(HOT_FRAMING)
    const left = Math.min(pieceBytesOf(HOT_FRAMING), this.bytes - position)
    const framed = framedBytes(left, HOT_FRAMING)
    const isLast = number === this.#pieces.length - 1
    const buffer = Buffer.allocUnsafeSlow(framed + (isLast ? FLUSH.length : 0))
    if (isLast) FLUSH.copy(buffer, framed)
    try {
      await readPiece(reader, buffer.subarray(0, framed), position, this.bytes, HOT_FRAMING)
    } catch (error) {
      // The next one reads it by its own file.
      this.#pieces[number] = undefined
      throw error
    }
    this.#read[number] = buffer
    this.#readCount++
    return buffer
  }
}

/**
 * Packs that were asked for more than once. From a file each byte is copied twice on its way to the socket, and a small
 * pack goes through four turns of the threads of libuv: a pack of 45 MiB took 44 ms of processor time from its file and 18
 * from memory, and reading was more than half of what a small fetch cost (`npm run bench -- clones`).
 */
export class HotPacks {
  readonly #packs = new LRUCache<string, HotPack>({
    maxSize: HOT_BYTES_MAX,
    maxEntrySize: HOT_BYTES_MAX,
    sizeCalculation: ({ bytes }) => Math.max(1, framedBytes(bytes, HOT_FRAMING)),
  })

  get(key: string): HotPack | undefined {
    return this.#packs.get(key)
  }

  /**
   * The pack that is filled from this file: another one may hold the same objects in other bytes.
   *
   * @returns undefined: it is too large
   */
  of(key: string, file: PackFile): HotPack | undefined {
    const known = this.#packs.get(key)
    if (known?.path === file.path) return known
    this.#packs.set(key, new HotPack(file))
    return this.#packs.get(key)
  }
}

import { open } from 'node:fs/promises'
import { decodePackHeader, PACK_HEADER_BYTES } from '../git/pack/header.ts'
import type { WritableFile } from '../storage/file-system.ts'
import type { ReadyPack } from './pack-cache.ts'
import { PIECE_BYTES } from './pack-framing.ts'
import { type PackReader, readPack } from './pack-reader.ts'
import type { Extent } from './pack-stream.ts'

/**
 * Smaller packs are waited for: they go out in one piece or two, and their length is told. Larger ones are sent while they
 * are made: to send 5.6 MB took a third of the time of a fetch of that, and a clone that has to be built begins at once.
 */
const SENT_EARLY_BYTES = 2 * PIECE_BYTES
const OBJECTS_MAX = 2 ** 32 - 1

/** A pack whose first part lies in its file while a worker thread makes the rest. The caller closes it. */
export interface GrowingPack {
  readonly growth: PackGrowth
  readonly reader: PackReader
  readonly objects: number
}

export function extentOf(pack: ReadyPack | GrowingPack): Extent {
  return 'growth' in pack ? (bytes) => pack.growth.reached(bytes) : () => pack.bytes
}

/**
 * Hands on what is written of a pack, from its begin to its end, and lets who reads the file know how far it is. The file
 * grows at its own pace: a client that reads slowly holds no worker thread.
 */
export class PackGrowth implements Pick<WritableFile, 'write'> {
  readonly #file: Pick<WritableFile, 'write'>
  readonly #path: string
  readonly #onBegun: ((pack: GrowingPack) => void) | undefined
  #bytes = 0
  #isOver = false
  #failure: { readonly error: unknown } | undefined
  #opening: Promise<GrowingPack | undefined> | undefined
  /** Never rejects. */
  #writing: Promise<void> | undefined
  #grown = Promise.withResolvers<void>()

  /**
   * @param path of the file, once something is written
   * @param onBegun called at most once: there is enough of it to be sent
   */
  constructor(file: Pick<WritableFile, 'write'>, path: string, onBegun?: (pack: GrowingPack) => void) {
    this.#file = file
    this.#path = path
    this.#onBegun = onBegun
  }

  /** Written so far. */
  get bytes(): number {
    return this.#bytes
  }

  /**
   * @param position where the last write ended
   * @throws what the file does, or what it failed with meanwhile
   */
  async write(bytes: Uint8Array, position: number): Promise<void> {
    // Of a thread that was ended, more may have come than was written so far.
    if (this.#failure !== undefined) throw this.#failure.error
    const writing = this.#file.write(bytes, position)
    this.#writing = writing.catch(() => {})
    await writing
    // Nobody would close what was opened now: the file is about to go.
    if (this.#isOver) return
    this.#bytes = position + bytes.length
    if (this.#onBegun !== undefined && this.#bytes >= SENT_EARLY_BYTES) this.#opening ??= this.#open(this.#onBegun)
    // It is awaited at the end.
    this.#opening?.catch(() => {})
    this.#tell()
  }

  /**
   * @returns how many bytes there are: as many as asked for, or more; fewer only where that is all
   * @throws what it failed with, and so has no end
   */
  async reached(bytes: number): Promise<number> {
    while (this.#bytes < bytes && !this.#isOver) await this.#grown.promise
    if (this.#failure !== undefined) throw this.#failure.error
    return this.#bytes
  }

  /** All is written. @returns what `onBegun` was told, if it was */
  end(): Promise<GrowingPack | undefined> | undefined {
    this.#isOver = true
    this.#tell()
    return this.#opening
  }

  /** Nothing more comes: who has begun to send it hears of it, and still closes it. Then nothing is under way any more. */
  async fail(error: unknown): Promise<void> {
    this.#failure = { error }
    const opening = this.end()
    // While room is made for it on a full disk, the file is not there yet: closed before that, it would stay.
    await this.#writing
    await opening?.catch(() => {})
  }

  #tell(): void {
    const { resolve } = this.#grown
    this.#grown = Promise.withResolvers()
    resolve()
  }

  /** @returns undefined where it cannot be opened: who waits for its end will hear why */
  async #open(onBegun: (pack: GrowingPack) => void): Promise<GrowingPack | undefined> {
    const reader = await open(this.#path, 'r').catch(() => undefined)
    if (reader === undefined) return undefined
    try {
      const header = Buffer.alloc(PACK_HEADER_BYTES)
      await readPack(reader, [header], header.length, 0)
      const pack = { growth: this, reader, objects: decodePackHeader(header, OBJECTS_MAX) }
      onBegun(pack)
      return pack
    } catch (error) {
      await reader.close()
      throw error
    }
  }
}

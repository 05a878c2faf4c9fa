import { LRUCache } from 'lru-cache'

import type { StoredObject } from './pack-file.ts'

/** Of an entry beside its bytes: key, objects, buffer, place in the list. */
const OVERHEAD_BYTES = 400

/** An object as the entry of a pack holds it that is no delta. */
export interface WholeEntry {
  readonly type: number
  /** Of the object. */
  readonly sizeBytes: number
  /** Its zlib stream. */
  readonly deflated: Buffer
}

/**
 * Inflated objects, so that walking history does not resolve the same chain of deltas again and again; and whole entries of
 * what is stored as a delta, as each shallow clone wants nearly the same ones as the last.
 */
export class ObjectCache {
  readonly #kept: LRUCache<string, StoredObject | WholeEntry>
  readonly #objectBytesMax: number

  constructor(bytesMax: number) {
    this.#kept = new LRUCache({
      maxSize: bytesMax,
      sizeCalculation: (one) => ('data' in one ? one.data : one.deflated).length + OVERHEAD_BYTES,
    })
    this.#objectBytesMax = bytesMax / 8
  }

  get(pack: number, offset: number): StoredObject | undefined {
    return this.#kept.get(`${pack}:${offset}`) as StoredObject | undefined
  }

  set(pack: number, offset: number, object: StoredObject): void {
    // Blobs are nearly never read twice; one as large as the cache would empty it.
    if (object.data.length <= this.#objectBytesMax) this.#kept.set(`${pack}:${offset}`, object)
  }

  getWhole(pack: number, offset: number): WholeEntry | undefined {
    return this.#kept.get(`${pack}:${offset}:whole`) as WholeEntry | undefined
  }

  setWhole(pack: number, offset: number, entry: WholeEntry): void {
    if (entry.deflated.length <= this.#objectBytesMax) this.#kept.set(`${pack}:${offset}:whole`, entry)
  }

  clear(): void {
    this.#kept.clear()
  }
}

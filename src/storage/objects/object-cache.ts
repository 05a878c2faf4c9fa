import { LRUCache } from 'lru-cache'

import type { StoredObject } from './pack-file.ts'

/** Of an entry beside its bytes: key, objects, buffer, place in the list. */
const OVERHEAD_BYTES = 400

/** Inflated objects, so that walking history does not resolve the same chain of deltas again and again. */
export class ObjectCache {
  readonly #objects: LRUCache<string, StoredObject>
  readonly #objectBytesMax: number

  constructor(bytesMax: number) {
    this.#objects = new LRUCache({
      maxSize: bytesMax,
      sizeCalculation: (object) => object.data.length + OVERHEAD_BYTES,
    })
    this.#objectBytesMax = bytesMax / 8
  }

  get(pack: number, offset: number): StoredObject | undefined {
    return this.#objects.get(`${pack}:${offset}`)
  }

  set(pack: number, offset: number, object: StoredObject): void {
    // Blobs are nearly never read twice; one as large as the cache would empty it.
    if (object.data.length <= this.#objectBytesMax) this.#objects.set(`${pack}:${offset}`, object)
  }
}

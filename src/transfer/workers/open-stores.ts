import { existsSync } from 'node:fs'
import { LRUCache } from 'lru-cache'

import type { SizedObjectReader } from '../../git/object-graph/object-reader.ts'
import { ObjectCache } from '../../storage/objects/object-cache.ts'
import { ObjectStore } from '../../storage/objects/object-store.ts'
import type { StoredObject } from '../../storage/objects/pack-file.ts'

/** Inflated objects kept between tasks, for all repositories of a worker. */
const cache = new ObjectCache(32 * 1024 * 1024)
const OPEN_STORES_MAX = 4

const stores = new LRUCache<string, ObjectStore>({ max: OPEN_STORES_MAX, dispose: (store) => store.close() })

/** The repository's objects as they are now. */
export function openStore(repositoryPath: string): ObjectStore {
  const known = stores.get(repositoryPath)
  if (known !== undefined) {
    try {
      known.refresh()
    } catch (error) {
      // Deleted.
      stores.delete(repositoryPath)
      throw error
    }
    return known
  }
  const store = new ObjectStore(repositoryPath, cache)
  stores.set(repositoryPath, store)
  return store
}

/**
 * Between tasks nothing is open, and what was deleted is forgotten: its space on the disk would not be free as long as a
 * thread remembers it, and its indexes would stay in memory.
 */
export function releaseStores(): void {
  for (const [path, store] of stores.entries()) {
    store.release()
    if (!existsSync(path)) stores.delete(path)
  }
}

/** Between tasks, of which none may come for long: what was read is read again where one comes. */
export function forgetStores(): void {
  stores.clear()
  cache.clear()
}

/**
 * Of objects that are known to be here.
 *
 * @param after each read, with what was read
 */
export function readerOf(store: ObjectStore, after = (read: StoredObject): StoredObject => read): SizedObjectReader {
  return {
    get graph() {
      return store.graph
    },
    get reachability() {
      return store.bitmap
    },
    read: (oid, at) => after(store.mustRead(oid, at)),
    sizeOf: (oid, at) => store.sizeOf(oid, at) ?? store.mustRead(oid, at).data.length,
  }
}

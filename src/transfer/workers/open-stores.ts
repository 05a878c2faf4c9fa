import { existsSync } from 'node:fs'
import { LRUCache } from 'lru-cache'

import type { SizedObjectReader } from '../../git/object-graph/object-reader.ts'
import { ObjectCache } from '../../storage/objects/object-cache.ts'
import { ObjectStore } from '../../storage/objects/object-store.ts'
import type { StoredObject } from '../../storage/objects/pack-file.ts'

/** Inflated objects kept between tasks, for all repositories of a worker. */
const cache = new ObjectCache(32 * 1024 * 1024)

/**
 * Stores that may take much: they were walked, and know the order of packs, the commit-graph and bitmaps, or have large
 * indexes.
 */
const LARGE_MAX = 4
const LARGE_INDEX_BYTES = 4 * 1024 * 1024
/** Of the indexes of all others: those of ten thousand small pushes. */
const SMALL_INDEX_BYTES_MAX = 16 * 1024 * 1024
/** What a store takes beside its indexes. */
const STORE_BYTES = 16 * 1024

interface Opened {
  readonly store: ObjectStore
  isLarge: boolean
}

/** By the task that runs, by path. */
const opened = new Map<string, Opened>()
/** Between tasks, by path; each store in one of the two. */
const large = new LRUCache<string, ObjectStore>({ max: LARGE_MAX })
const small = new LRUCache<string, ObjectStore>({
  maxSize: SMALL_INDEX_BYTES_MAX,
  sizeCalculation: ({ indexBytes }) => STORE_BYTES + indexBytes,
})

/** The repository's objects as they are now, for who asks for them by their names. */
export function openStore(repositoryPath: string): ObjectStore {
  return taken(repositoryPath, false).store
}

/** As `openStore`, for walks, and for who reads of packs: they stay as they are until the task ends. */
export function holdStore(repositoryPath: string): ObjectStore {
  return taken(repositoryPath, true).store
}

function taken(path: string, isHeld: boolean): Opened {
  let taking = opened.get(path)
  if (taking === undefined) {
    const known = large.get(path) ?? small.get(path)
    const open = isHeld ? ObjectStore.held : ObjectStore.open
    taking = { store: known ?? open(path, cache), isLarge: isHeld || large.has(path) }
    opened.set(path, taking)
    large.delete(path)
    small.delete(path)
    if (known === undefined) return taking
  }
  taking.isLarge ||= isHeld
  if (isHeld) taking.store.hold()
  else taking.store.refresh()
  return taking
}

/**
 * Between tasks nothing is open: the space of what was deleted would not be free on the disk as long as a thread reads from
 * it. Nor does it stay in memory, but for what is small.
 */
export function releaseStores(): void {
  for (const [path, { store, isLarge }] of opened) {
    store.release()
    if (existsSync(path)) (isLarge || store.indexBytes > LARGE_INDEX_BYTES ? large : small).set(path, store)
  }
  opened.clear()
  for (const path of large.keys()) if (!existsSync(path)) large.delete(path)
}

/** Between tasks, of which none may come for long: what was read is read again where one comes. */
export function forgetStores(): void {
  large.clear()
  small.clear()
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

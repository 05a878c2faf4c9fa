import { existsSync } from 'node:fs'
import { LRUCache } from 'lru-cache'

import type { SizedObjectReader } from '../../git/object-graph/object-reader.ts'
import { ObjectCache } from '../../storage/objects/object-cache.ts'
import { ObjectStore } from '../../storage/objects/object-store.ts'
import type { StoredObject } from '../../storage/objects/pack-file.ts'

/** Inflated objects kept between tasks, for all repositories of a worker. */
const cache = new ObjectCache(32 * 1024 * 1024)

/** Stores that were walked: they know the order of packs, the commit-graph and bitmaps, which may be large. */
const WALKED_MAX = 4
/** Of the indexes of stores that were only asked for names: those of ten thousand small pushes. */
const ASKED_INDEX_BYTES_MAX = 16 * 1024 * 1024
/** So many stay whatever they take: who pushes to few repositories reads their indexes once. */
const ASKED_MIN = 4
/** What a store takes beside its indexes. */
const STORE_BYTES = 16 * 1024

interface Opened {
  readonly store: ObjectStore
  isWalked: boolean
}

/** By the task that runs, by path. */
const opened = new Map<string, Opened>()
/** Between tasks, by path; in one of the two. */
const walked = new LRUCache<string, ObjectStore>({ max: WALKED_MAX })
const asked = new LRUCache<string, ObjectStore>({
  maxSize: ASKED_INDEX_BYTES_MAX,
  sizeCalculation: ({ indexBytes }) => Math.min(STORE_BYTES + indexBytes, ASKED_INDEX_BYTES_MAX / ASKED_MIN),
})

/** The repository's objects as they are now, for who asks for them by their names. */
export function openStore(repositoryPath: string): ObjectStore {
  const { store } = taken(repositoryPath)
  store.refresh()
  return store
}

/** As `openStore`, for walks, and for who reads of packs: they stay as they are until the task ends. */
export function holdStore(repositoryPath: string): ObjectStore {
  const taking = taken(repositoryPath)
  taking.isWalked = true
  taking.store.hold()
  return taking.store
}

function taken(path: string): Opened {
  const known = opened.get(path)
  if (known !== undefined) return known
  const ofWalk = walked.get(path)
  const store = ofWalk ?? asked.get(path) ?? new ObjectStore(path, cache)
  const taking = { store, isWalked: ofWalk !== undefined }
  opened.set(path, taking)
  walked.delete(path)
  asked.delete(path)
  return taking
}

/** Between tasks nothing is open: the space of what was deleted would not be free as long as a thread reads from it. */
export function releaseStores(): void {
  for (const [path, { store, isWalked }] of opened) {
    store.release()
    if (existsSync(path)) (isWalked ? walked : asked).set(path, store)
  }
  opened.clear()
}

/** Between tasks, of which none may come for long: what was read is read again where one comes. */
export function forgetStores(): void {
  walked.clear()
  asked.clear()
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

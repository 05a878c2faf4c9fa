import { LRUCache } from 'lru-cache'
import type { RefSnapshot } from '../storage/repositories/ref-store.ts'
import type { PackSpec } from './pack-cache.ts'

/** Longer requests name what a client has, or very much that it wants: few are made twice. */
const REQUEST_BYTES_MAX = 4_096
const BYTES_MAX = 8 * 1024 * 1024
/** About what is kept for each, whatever it is. */
const ENTRY_BYTES = 2_048
/** Of an object's name as text, and of where a filter's patterns lie. */
const WANT_BYTES = 64
const SPARSE_BYTES = 256

/** What a request for a pack is answered with. */
export interface KnownFetch {
  readonly spec: PackSpec
  readonly capabilities: ReadonlyMap<string, string>
  /** Goes before the pack. */
  readonly answer: Buffer
  /** Everything is said in bands. */
  readonly sidebandAll: boolean
}

/**
 * Fetches whose answer follows from their words and the refs alone. Machines that clone say the same words each time, and
 * to read them and to find out what they come to took a sixth of what the main thread did for the pack of a small repository.
 */
export class KnownFetches {
  readonly #fetches = new LRUCache<string, KnownFetch & { readonly refs: WeakRef<RefSnapshot> }>({
    maxSize: BYTES_MAX,
    sizeCalculation: ({ spec: { annotatedTags, wants, sparse }, answer }, key) =>
      [ENTRY_BYTES, key.length, answer.length, annotatedTags.length].reduce((sum, bytes) => sum + bytes) +
      wants.length * WANT_BYTES +
      sparse.length * SPARSE_BYTES,
  })

  /** @param refs as they are now; asked for where the words are known, as all of them may have to be read */
  find(repositoryId: string, refs: () => RefSnapshot, body: Buffer): KnownFetch | undefined {
    if (body.length > REQUEST_BYTES_MAX) return undefined
    const known = this.#fetches.get(keyOf(repositoryId, body))
    // What another state of the refs came to gives way when the same is asked of this one.
    return known !== undefined && known.refs.deref() === refs() ? known : undefined
  }

  /** @param fetch follows from the body and `refs`, and from nothing else that may change */
  remember(repositoryId: string, refs: RefSnapshot, body: Buffer, fetch: KnownFetch): void {
    if (body.length > REQUEST_BYTES_MAX) return
    // In memory of its own: what Node cuts small buffers from would stay as a whole, 64 KiB for each.
    const answer = Buffer.from(new Uint8Array(fetch.answer).buffer)
    this.#fetches.set(keyOf(repositoryId, body), { ...fetch, answer, refs: new WeakRef(refs) })
  }
}

const keyOf = (repositoryId: string, body: Buffer): string => `${repositoryId} ${body.toString('latin1')}`

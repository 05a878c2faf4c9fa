import { LRUCache } from 'lru-cache'
import type { RefSnapshot } from '../storage/repositories/ref-store.ts'
import type { PackSpec } from './pack-cache.ts'

/** Longer requests name what a client has, or very much that it wants: few are made twice. */
const REQUEST_BYTES_MAX = 4_096
const BYTES_MAX = 8 * 1024 * 1024
/** About what is kept for each, beside what is asked and the tags. */
const ENTRY_BYTES = 2_048
/** Of an object's name as text. */
const WANT_BYTES = 64

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
 * to read them and to find out what they come to took a quarter of the time between the request for a small repository and
 * its answer.
 */
export class KnownFetches {
  readonly #fetches = new LRUCache<string, KnownFetch & { readonly refs: WeakRef<RefSnapshot> }>({
    maxSize: BYTES_MAX,
    sizeCalculation: ({ spec }, key) =>
      ENTRY_BYTES + key.length + spec.annotatedTags.length + spec.wants.length * WANT_BYTES,
  })

  /** @param refs as they are now */
  find(repositoryId: string, refs: RefSnapshot, body: Buffer): KnownFetch | undefined {
    if (body.length > REQUEST_BYTES_MAX) return undefined
    const known = this.#fetches.get(keyOf(repositoryId, body))
    // What another state of the refs came to gives way when the same is asked of this one.
    return known?.refs.deref() === refs ? known : undefined
  }

  /** @param fetch follows from the body and `refs`, and from nothing else that may change */
  remember(repositoryId: string, refs: RefSnapshot, body: Buffer, fetch: KnownFetch): void {
    if (body.length > REQUEST_BYTES_MAX) return
    this.#fetches.set(keyOf(repositoryId, body), { ...fetch, refs: new WeakRef(refs) })
  }
}

const keyOf = (repositoryId: string, body: Buffer): string => `${repositoryId} ${body.toString('latin1')}`

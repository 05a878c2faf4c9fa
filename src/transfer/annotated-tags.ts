import type { RefSnapshot } from '../storage/repositories/ref-store.ts'

/** No annotated tag. */
export const NO_TAGS: Uint8Array = new Uint8Array(0)

const known = new WeakMap<RefSnapshot, Uint8Array>()

/**
 * Names of the annotated tags that refs point to, 20 bytes each: in one piece, as they go to another thread with each
 * fetch that includes tags, and strings take a hundred times as long.
 */
export function annotatedTagsOf(snapshot: RefSnapshot): Uint8Array {
  let names = known.get(snapshot)
  if (names === undefined) {
    names = Buffer.from(snapshot.refs.map(({ oid, peeled }) => (peeled === null ? '' : oid)).join(''), 'hex')
    known.set(snapshot, names)
  }
  return names
}

/** What refs name, once for each state of them. */
import type { RefSnapshot } from '../storage/repositories/ref-store.ts'

/** No annotated tag. */
export const NO_TAGS: Uint8Array = new Uint8Array(0)

const tags = new WeakMap<RefSnapshot, Uint8Array>()
const tips = new WeakMap<RefSnapshot, ReadonlySet<string>>()

/**
 * Names of the annotated tags that refs point to, 20 bytes each: in one piece, as they go to another thread with each
 * fetch that includes tags, and strings take a hundred times as long.
 */
export function annotatedTagsOf(snapshot: RefSnapshot): Uint8Array {
  let names = tags.get(snapshot)
  if (names === undefined) {
    names = Buffer.from(snapshot.refs.map(({ oid, peeled }) => (peeled === null ? '' : oid)).join(''), 'hex')
    tags.set(snapshot, names)
  }
  return names
}

/** What refs point to, 40 hex digits each. */
export function tipsOf(snapshot: RefSnapshot): ReadonlySet<string> {
  let oids = tips.get(snapshot)
  if (oids === undefined) {
    oids = new Set(snapshot.refs.map(({ oid }) => oid))
    tips.set(snapshot, oids)
  }
  return oids
}

/** What refs name, once for each state of them. */
import { hash } from 'node:crypto'
import type { RefSnapshot } from '../storage/repositories/ref-store.ts'

/** No annotated tag. */
export const NO_TAGS: Uint8Array = new Uint8Array(0)

/**
 * Names of the annotated tags that refs point to, 20 bytes each: in one piece, as they go to another thread with each
 * fetch that includes tags, and strings take a hundred times as long; and in memory of its own, for all that it is cut from
 * would go with it.
 */
export const annotatedTagsOf = onceForEach(
  ({ refs }: RefSnapshot): Uint8Array =>
    new Uint8Array(Buffer.from(refs.map(({ oid, peeled }) => (peeled === null ? '' : oid)).join(''), 'hex')),
)

/** Of what `annotatedTagsOf` returns: all who fetch from the same refs have the same tags in the same array. */
export const digestOfTags = onceForEach((tags: Uint8Array): string => hash('sha256', tags, 'base64'))

/** What refs point to, 40 hex digits each. */
export const tipsOf = onceForEach(({ refs }: RefSnapshot): ReadonlySet<string> => new Set(refs.map(({ oid }) => oid)))

/** What is made of an object when it is asked for first, and forgotten with it. */
function onceForEach<From extends WeakKey, Made>(make: (from: From) => Made): (from: From) => Made {
  const made = new WeakMap<From, Made>()
  return (from) => {
    let one = made.get(from)
    if (one === undefined) made.set(from, (one = make(from)))
    return one
  }
}

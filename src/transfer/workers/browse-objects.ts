import { OBJECT_TYPE } from '../../git/object/type.ts'
import { parseTag } from '../../git/object/tag.ts'
import type { ObjectStore } from '../../storage/objects/object-store.ts'
import { BROWSE_LIMITS } from './browse-limits.ts'
import type { BrowseRefusal } from './browse-task.ts'

/** Ends a look at a repository with an answer. */
export class Refused extends Error {
  readonly refusal: BrowseRefusal

  constructor(refusal: BrowseRefusal) {
    super(refusal.code)
    this.refusal = refusal
  }
}

export function overLimit(limit: keyof typeof BROWSE_LIMITS): Refused {
  return new Refused({ kind: 'refused', code: 'over_limit', limit })
}

/** Nobody tags tags of tags deeper. */
const TAG_DEPTH_MAX = 100

/**
 * Reads an object whose size is checked first.
 *
 * @throws StorageError object_missing: what names it is here, so the repository is damaged
 */
export function readBounded(
  store: ObjectStore,
  oid: Buffer,
  limit: keyof typeof BROWSE_LIMITS,
): { readonly type: number; readonly data: Buffer } {
  if ((store.sizeOf(oid) ?? 0) > BROWSE_LIMITS[limit].value) throw overLimit(limit)
  return store.mustRead(oid)
}

/** What a tag finally points to, and anything else as it is. */
export function peel(store: ObjectStore, oid: string): { readonly oid: Buffer; readonly type: number } {
  let name = Buffer.from(oid, 'hex')
  for (let depth = 0; depth < TAG_DEPTH_MAX; depth++) {
    const type = store.typeOf(name)
    if (type === undefined) throw new Refused({ kind: 'refused', code: 'object_missing' })
    if (type !== OBJECT_TYPE.tag) return { oid: name, type }
    name = Buffer.from(parseTag(readBounded(store, name, 'commit_bytes').data).object, 'hex')
  }
  throw new Refused({ kind: 'refused', code: 'wrong_type' })
}

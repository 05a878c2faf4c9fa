import { forEachLink } from '../../git/fsck/links.ts'
import { ObjectError } from '../../git/object/error.ts'
import { OBJECT_TYPE, typeNameOf } from '../../git/object/type.ts'
import { OidMap } from '../../git/pack/oid-map.ts'
import { StorageError } from '../error.ts'
import type { ObjectStore } from '../objects/object-store.ts'

/**
 * Walks from these objects to everything that they need (I2). Blobs are only looked for, not read. Synchronous, and as
 * long as the history.
 *
 * @param tips 40 hex digits each
 * @returns how many objects that is
 * @throws StorageError object_missing, object_damaged
 */
export function walkClosure(store: ObjectStore, tips: Iterable<string>): number {
  /** By name: the type it is needed as. */
  const seen = new OidMap()
  const open: Buffer[] = []
  const need = (oids: Buffer, at: number, type: number): void => {
    const before = seen.get(oids, at)
    if (before === -1) {
      seen.set(oids, at, type)
      if (type === OBJECT_TYPE.blob) assertType(store, oids, at, type)
      else open.push(Buffer.from(oids.subarray(at, at + 20)))
    } else if (before !== type) throw conflict(oids, at, before)
  }
  for (const tip of tips) {
    const oid = Buffer.from(tip, 'hex')
    need(oid, 0, store.typeOf(oid) ?? store.mustRead(oid).type)
  }
  for (let oid = open.pop(); oid !== undefined; oid = open.pop()) {
    const { type, data } = store.mustRead(oid)
    if (type !== seen.get(oid)) throw conflict(oid, 0, seen.get(oid))
    try {
      forEachLink(type, data, need)
    } catch (cause) {
      if (!(cause instanceof ObjectError)) throw cause
      const name = oid.toString('hex')
      throw new StorageError({ code: 'object_damaged', oid: name }, `Object ${name} is damaged`, { cause })
    }
  }
  return seen.size
}

function assertType(store: ObjectStore, oids: Buffer, at: number, type: number): void {
  const found = store.typeOf(oids, at) ?? store.mustRead(oids, at).type
  if (found !== type) throw conflict(oids, at, type)
}

function conflict(oids: Buffer, at: number, type: number): StorageError {
  const oid = oids.toString('hex', at, at + 20)
  return new StorageError(
    { code: 'object_damaged', oid },
    `Object ${oid} is named as a ${typeNameOf(type)} and is none`,
  )
}

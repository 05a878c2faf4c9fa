import { forEachLink } from '../git/fsck/links.ts'
import { ObjectChecker, type ReadObject } from '../git/fsck/object-checker.ts'
import { typeNameOf } from '../git/object/type.ts'
import type { EntryTable } from '../git/pack/entry-table.ts'
import { PackError } from '../git/pack/error.ts'
import { OidMap } from '../git/pack/oid-map.ts'
import type { ObjectStore } from '../storage/objects/object-store.ts'
import type { ObjectCounts } from './workers/tasks.ts'

/**
 * What a received pack must be beyond a valid pack: every object well-formed as `git fsck --strict` wants it, and
 * everything that an object names either in the pack or here already, in the type it is named as.
 *
 * That is all it takes for a closed graph (I2), by induction: whatever is here came through this check, so its own
 * closure is here. Only what is new is looked at.
 */
export class PackChecker {
  readonly #store: ObjectStore
  readonly #fsck = new ObjectChecker()
  /** Named but not seen yet → the type it is named as. */
  readonly #named = new OidMap()
  readonly #newObjects = [0, 0, 0, 0, 0]
  #namesMax = 0

  constructor(store: ObjectStore) {
    this.#store = store
  }

  /**
   * Before the first object. A small pack of deltas can name hundreds of millions: once there are more names than
   * objects in the pack and here, one of them is missing, and none more is kept.
   *
   * @param objects that the pack declares
   */
  expect(objects: number): void {
    this.#namesMax = objects + this.#store.countMax()
  }

  /**
   * Each object of the pack, once.
   *
   * @throws FsckError, PackError object_collision, object_type_conflict, names_over_limit
   */
  add(type: number, data: Buffer, oids: Buffer, oidAt: number): void {
    this.#compareWithStored(type, data, oids, oidAt)
    this.#fsck.check(type, data, oids, oidAt)
    forEachLink(type, data, (bytes, at, expectedType) => {
      const before = this.#named.get(bytes, at)
      if (before === -1) this.#name(bytes, at, expectedType)
      else if (before !== expectedType) throw typeConflict(bytes, at, before, expectedType)
    })
  }

  /**
   * After the last object.
   *
   * @param readObject of the pack or from here
   * @throws FsckError, PackError object_missing, object_type_conflict
   */
  finish(entries: EntryTable, readObject: ReadObject): ObjectCounts {
    this.#fsck.finish(readObject)
    this.#named.forEach((bytes, at, expectedType) => {
      const entry = entries.byOid.get(bytes, at)
      const type = entry >= 0 ? entries.types[entry] : this.#store.typeOf(bytes, at)
      if (type === undefined) {
        const oid = bytes.toString('hex', at, at + 20)
        throw new PackError(
          { code: 'object_missing', oid },
          `The ${typeNameOf(expectedType)} ${oid} is named by an object of the pack and is neither in it nor here`,
        )
      }
      if (type !== expectedType) throw typeConflict(bytes, at, type, expectedType)
    })
    const [, commits = 0, trees = 0, blobs = 0, tags = 0] = this.#newObjects
    return { commits, trees, blobs, tags }
  }

  #name(bytes: Buffer, at: number, type: number): void {
    if (this.#named.size >= this.#namesMax) {
      throw new PackError(
        { code: 'names_over_limit', limitNames: this.#namesMax },
        'The objects of the pack name more objects than are in it and here together: some are missing',
      )
    }
    this.#named.set(bytes, at, type)
  }

  /** The same name for other bytes: a collision of SHA-1, and the first one stays (as in C git's index-pack). */
  #compareWithStored(type: number, data: Buffer, oids: Buffer, oidAt: number): void {
    const stored = this.#store.read(oids, oidAt)
    if (stored === undefined) this.#newObjects[type]! += 1
    else if (stored.type !== type || !stored.data.equals(data)) {
      const oid = oids.toString('hex', oidAt, oidAt + 20)
      throw new PackError({ code: 'object_collision', oid }, `Object ${oid} is here already with other contents`)
    }
  }
}

function typeConflict(bytes: Buffer, at: number, a: number, b: number): PackError {
  const oid = bytes.toString('hex', at, at + 20)
  return new PackError(
    { code: 'object_type_conflict', oid },
    `Object ${oid} is named both as a ${typeNameOf(a)} and as a ${typeNameOf(b)}`,
  )
}

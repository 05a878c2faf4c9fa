import { forEachLink } from '../git/fsck/links.ts'
import { ObjectChecker, type ReadObject } from '../git/fsck/object-checker.ts'
import { OBJECT_TYPE, typeNameOf } from '../git/object/type.ts'
import { EntryTable } from '../git/pack/entry-table.ts'
import { PackError } from '../git/pack/error.ts'
import type { ForEachPiece } from '../git/pack/name-object.ts'
import type { ObjectStore } from '../storage/objects/object-store.ts'
import type { StoredObject } from '../storage/objects/pack-file.ts'
import { LatelyNamed } from './lately-named.ts'
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
  #entries = new EntryTable()
  #namesMax = 0
  /** By number of a name: the type it is named as; 0: nothing names it. */
  #namedAs = new Uint8Array(1024)
  #lately = new LatelyNamed(0)
  readonly #newObjects = [0, 0, 0, 0, 0]

  constructor(store: ObjectStore) {
    this.#store = store
  }

  /**
   * Before the first object. A small pack of deltas can name hundreds of millions: once there are more names than
   * objects in the pack and here, one of them is missing, and none more is kept.
   *
   * @param objects that the pack declares
   * @param entries of the pack: each object's name is there before the object comes here, and the others join them
   */
  expect(objects: number, entries: EntryTable): void {
    this.#namesMax = objects + this.#store.countMax()
    this.#entries = entries
    this.#lately = new LatelyNamed(objects)
  }

  /**
   * Each object of the pack, once.
   *
   * @throws FsckError, PackError object_collision, object_type_conflict, names_over_limit
   */
  add(type: number, data: Buffer, oids: Buffer, oidAt: number): void {
    this.#compareWithStored(type, data, oids, oidAt)
    this.#fsck.check(type, data, oids, oidAt)
    forEachLink(type, data, this.#onLink)
  }

  /**
   * As `add`, for a blob that nobody holds.
   *
   * @throws FsckError, PackError object_collision
   */
  addLargeBlob(bytes: number, oids: Buffer, oidAt: number, forEachPiece: ForEachPiece): void {
    const stored = this.#store.read(oids, oidAt)
    if (stored === undefined) this.#newObjects[OBJECT_TYPE.blob]! += 1
    else if (!isSameBlob(stored, bytes, forEachPiece)) throw collision(oids, oidAt)
    if (this.#fsck.isSpecial(oids, oidAt)) {
      this.#fsck.check(OBJECT_TYPE.blob, stored?.data ?? joined(bytes, forEachPiece), oids, oidAt)
    }
  }

  readonly #onLink = (bytes: Buffer, at: number, expectedType: number): void => {
    // Each version of a tree names nearly all that the one before it names.
    if (!this.#lately.add(bytes, at, expectedType)) this.#name(bytes, at, expectedType)
  }

  /**
   * After the last object.
   *
   * @param readObject of the pack or from here
   * @throws FsckError, PackError object_missing, object_type_conflict
   */
  finish(readObject: ReadObject): ObjectCounts {
    this.#fsck.finish(readObject)
    const { oids, count } = this.#entries.nameTable
    for (let name = 0; name < count; name++) {
      const namedAs = this.#namedAs[name] ?? 0
      if (namedAs !== 0) this.#assertIs(name, oids, name * 20, namedAs)
    }
    const [, commits = 0, trees = 0, blobs = 0, tags = 0] = this.#newObjects
    return { commits, trees, blobs, tags }
  }

  #assertIs(name: number, bytes: Buffer, at: number, expectedType: number): void {
    const entry = this.#entries.ofName(name)
    const type = entry >= 0 ? this.#entries.types[entry] : this.#store.typeOf(bytes, at)
    if (type === undefined) {
      const oid = bytes.toString('hex', at, at + 20)
      throw new PackError(
        { code: 'object_missing', oid },
        `The ${typeNameOf(expectedType)} ${oid} is named by an object of the pack and is neither in it nor here`,
      )
    }
    if (type !== expectedType) throw typeConflict(bytes, at, type, expectedType)
  }

  #name(bytes: Buffer, at: number, type: number): void {
    const { nameTable } = this.#entries
    const name = nameTable.add(bytes, at)
    if (nameTable.count > this.#namesMax) {
      throw new PackError(
        { code: 'names_over_limit', limitNames: this.#namesMax },
        'The objects of the pack name more objects than are in it and here together: some are missing',
      )
    }
    if (name >= this.#namedAs.length) {
      const grown = new Uint8Array(Math.ceil(name * 1.5))
      grown.set(this.#namedAs)
      this.#namedAs = grown
    }
    const before = this.#namedAs[name] as number
    if (before !== 0 && before !== type) throw typeConflict(bytes, at, before, type)
    this.#namedAs[name] = type
  }

  /** The same name for other bytes: a collision of SHA-1, and the first one stays (as in C git's index-pack). */
  #compareWithStored(type: number, data: Buffer, oids: Buffer, oidAt: number): void {
    const stored = this.#store.read(oids, oidAt)
    if (stored === undefined) this.#newObjects[type]! += 1
    else if (stored.type !== type || !stored.data.equals(data)) throw collision(oids, oidAt)
  }
}

function collision(oids: Buffer, oidAt: number): PackError {
  const oid = oids.toString('hex', oidAt, oidAt + 20)
  return new PackError({ code: 'object_collision', oid }, `Object ${oid} is here already with other contents`)
}

function isSameBlob({ type, data }: StoredObject, bytes: number, forEachPiece: ForEachPiece): boolean {
  if (type !== OBJECT_TYPE.blob || data.length !== bytes) return false
  let at = 0
  let isSame = true
  forEachPiece((piece) => {
    isSame &&= data.compare(piece, 0, piece.length, at, at + piece.length) === 0
    at += piece.length
  })
  return isSame
}

function joined(bytes: number, forEachPiece: ForEachPiece): Buffer {
  const data = Buffer.allocUnsafeSlow(bytes)
  let at = 0
  forEachPiece((piece) => {
    data.set(piece, at)
    at += piece.length
  })
  return data
}

function typeConflict(bytes: Buffer, at: number, a: number, b: number): PackError {
  const oid = bytes.toString('hex', at, at + 20)
  return new PackError(
    { code: 'object_type_conflict', oid },
    `Object ${oid} is named both as a ${typeNameOf(a)} and as a ${typeNameOf(b)}`,
  )
}

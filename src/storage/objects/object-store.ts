import { existsSync } from 'node:fs'
import { join } from 'node:path'

import { errorCodeOf, hasErrorCode } from '../../errors.ts'
import type { CommitGraph } from '../../git/commit-graph/commit-graph.ts'
import { deflate } from '../../git/pack/deflate.ts'
import { PackError } from '../../git/pack/error.ts'
import { StorageError } from '../error.ts'
import { LooseError, LooseObjects, readLoose } from './loose-objects.ts'
import { ObjectCache, type WholeEntry } from './object-cache.ts'
import type { PackBitmap } from './pack-bitmap.ts'
import type { PackFile, StoredObject } from './pack-file.ts'
import { type PackPlace, PackSet } from './pack-set.ts'
import { WalkHelps } from './walk-helps.ts'

/**
 * The objects of one bare repository, read as C git reads them: packs first, then loose files (which the node never
 * writes, but an operator's `git` may). Synchronous; large walks belong into worker threads.
 */
export class ObjectStore {
  readonly #packs: PackSet
  /** undefined: of these nothing is read */
  readonly #loose: LooseObjects | undefined
  /** Its index files that speed up walks; read when somebody walks. */
  readonly #helps: WalkHelps

  /**
   * @param repositoryPath the bare repository
   * @param cache for inflated objects: one that is shared, or bytes for one of its own
   * @param only names of packs, without `pack-`: those alone, in this order, and nothing loose
   * @throws as `refresh`
   */
  static open(repositoryPath: string, cache: ObjectCache | number, only?: readonly string[]): ObjectStore {
    const store = new ObjectStore(repositoryPath, cache, only)
    store.refresh()
    return store
  }

  /** As `open`. @throws as `hold` */
  static held(repositoryPath: string, cache: ObjectCache | number, only?: readonly string[]): ObjectStore {
    const store = new ObjectStore(repositoryPath, cache, only)
    store.hold()
    return store
  }

  private constructor(repositoryPath: string, cache: ObjectCache | number, only?: readonly string[]) {
    const directory = join(repositoryPath, 'objects')
    this.#packs = new PackSet(join(directory, 'pack'), typeof cache === 'number' ? new ObjectCache(cache) : cache, only)
    this.#loose = only === undefined ? new LooseObjects(directory) : undefined
    this.#helps = new WalkHelps(directory)
  }

  get packs(): readonly PackFile[] {
    return this.#packs.packs
  }

  /** The one that holds most objects first. */
  get packsBySize(): readonly PackFile[] {
    return this.packs.toSorted((a, b) => b.index.count - a.index.count)
  }

  /** Trees, parents and times of commits, where `git commit-graph` or our maintenance wrote them down. */
  get graph(): CommitGraph | undefined {
    return this.#helps.graph()
  }

  /** What commits reach, where a pack has bitmaps. */
  get bitmap(): PackBitmap | undefined {
    return this.#helps.bitmap(this.packs)
  }

  /**
   * Looks for packs that came or went. Those that went are closed, so no reader may keep a pack across a refresh, which
   * every read by name may make: where the pack is gone that it wants to open, its objects are in another one.
   *
   * @throws PackError index_invalid, where an index is damaged
   */
  refresh(): void {
    this.#look(() => this.#packs.refresh())
  }

  /**
   * As `refresh`, and opens every pack: until `release`, what packs hold now stays readable, whatever goes, and `packs` are
   * as they are, but for those that come. For walks, and for who reads of packs and not of names.
   *
   * @throws PackError index_invalid, where an index or a pack is damaged; then nothing is open
   */
  hold(): void {
    this.#look(() => this.#packs.hold())
  }

  /** Loose ones first: what is packed meanwhile is in the packs then. */
  #look(look: () => void): void {
    if (this.#loose !== undefined) this.#loose.refresh()
    look()
    this.#helps.refresh(this.#packs.files)
  }

  /** Bytes of the indexes: most of what it keeps in memory. */
  get indexBytes(): number {
    return this.packs.reduce((sum, { index }) => sum + index.bytes, 0)
  }

  close(): void {
    this.#packs.close()
  }

  /** Closes its files, and keeps what it knows of them until a `refresh` or `hold`, which comes before any other use. */
  release(): void {
    this.#packs.release()
  }

  /** @returns where the object lies, or undefined if no pack holds it */
  locate(oid: Buffer, at = 0): PackPlace | undefined {
    return this.#packs.locate(oid, at)
  }

  /** No fewer objects than are here: one that lies in two packs counts twice. */
  countMax(): number {
    const loose = this.#loose?.countMax() ?? 0
    // What was packed since we looked is counted in neither else; where nothing lies loose, nothing was.
    if (this.#loose?.isEmpty === false) this.#lookAgain()
    return this.packs.reduce((sum, pack) => sum + pack.index.count, loose)
  }

  /** Names of the objects that lie loose, 20 bytes each. */
  looseNames(): Buffer[] {
    return this.#loose?.names() ?? []
  }

  has(oid: Buffer, at = 0): boolean {
    if (this.locate(oid, at) !== undefined) return true
    const path = this.#loose?.pathOf(oid, at)
    if (path === undefined) return false
    return existsSync(path)
  }

  /**
   * @returns 1–4, or undefined if the object is not here
   * @throws StorageError object_damaged
   */
  typeOf(oid: Buffer, at = 0): number | undefined {
    return this.#read(
      oid,
      at,
      (pack, offset) => pack.typeAt(offset),
      ({ type }) => type,
    )
  }

  /**
   * @returns bytes, mostly without inflating the object; undefined if it is not here
   * @throws StorageError object_damaged
   */
  sizeOf(oid: Buffer, at = 0): number | undefined {
    return this.#read(
      oid,
      at,
      (pack, offset) => pack.sizeAt(offset),
      ({ data }) => data.length,
    )
  }

  /** @throws StorageError object_damaged */
  read(oid: Buffer, at = 0): StoredObject | undefined {
    return this.#read(
      oid,
      at,
      (pack, offset) => pack.readAt(offset),
      (loose) => loose,
    )
  }

  readObject(oid: Buffer): StoredObject | undefined {
    return this.read(oid)
  }

  /** @throws StorageError object_missing: the caller knows it must be here, so the repository is damaged */
  mustRead(oid: Buffer, at = 0): StoredObject {
    const object = this.read(oid, at)
    if (object !== undefined) return object
    const name = oid.toString('hex', at, at + 20)
    throw new StorageError({ code: 'object_missing', oid: name }, `Object ${name} is missing`)
  }

  /**
   * The object as an entry of a pack holds it that is no delta; what is packed is made so once, for all who ask soon.
   *
   * @throws as `mustRead`
   */
  mustReadWhole(oid: Buffer): WholeEntry {
    const packed = this.#ofPack(oid, 0, (pack, offset) => pack.readWholeAt(offset))
    if (packed !== undefined) return packed
    const { type, data } = this.mustRead(oid)
    return { type, sizeBytes: data.length, deflated: Buffer.from(deflate(data)) }
  }

  #read<T>(
    oid: Buffer,
    at: number,
    ofPack: (pack: PackFile, offset: number) => T,
    ofLoose: (loose: StoredObject) => T,
  ): T | undefined {
    const packed = this.#ofPack(oid, at, ofPack)
    if (packed !== undefined) return packed
    const path = this.#loose?.pathOf(oid, at)
    if (path === undefined) return undefined
    const loose = orDamaged(oid, at, () => readLoose(path))
    return loose === undefined ? undefined : ofLoose(loose)
  }

  /**
   * In the middle of things: what helps walks stays as it is, as whoever walks goes by its numbers.
   *
   * @throws PackError index_invalid, where an index that came is damaged
   */
  #lookAgain(): void {
    this.#loose?.refresh()
    this.#packs.refresh()
  }

  /** @returns undefined if no pack holds the object */
  #ofPack<T>(oid: Buffer, at: number, read: (pack: PackFile, offset: number) => T): T | undefined {
    let missed: PackFile | undefined
    for (;;) {
      const found = this.locate(oid, at)
      if (found === undefined) return undefined
      try {
        return orDamaged(oid, at, () => read(found.pack, found.offset))
      } catch (error) {
        // It went since we looked; what it held lies in another one, unless it is kept no longer.
        if (!hasErrorCode(error, 'ENOENT') || missed === found.pack) throw error
        missed = found.pack
        this.#lookAgain()
      }
    }
  }
}

/** What is damaged here is nobody's mistake who reads it: a pusher must not be told that it is the pack he sent. */
function orDamaged<T>(oid: Buffer, at: number, read: () => T): T {
  try {
    return read()
  } catch (cause) {
    const isDamage = cause instanceof PackError || cause instanceof LooseError || isZlibError(cause)
    if (!isDamage) throw cause
    const name = oid.toString('hex', at, at + 20)
    throw new StorageError({ code: 'object_damaged', oid: name }, `Stored object ${name} is damaged`, { cause })
  }
}

function isZlibError(error: unknown): boolean {
  return errorCodeOf(error)?.startsWith('Z_') ?? false
}

import { existsSync, readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { inflateSync } from 'node:zlib'

import { errorCodeOf, hasErrorCode } from '../../errors.ts'
import type { CommitGraph } from '../../git/commit-graph/commit-graph.ts'
import { OBJECT_TYPE } from '../../git/object/type.ts'
import { deflate } from '../../git/pack/deflate.ts'
import { PackError } from '../../git/pack/error.ts'
import { StorageError } from '../error.ts'
import { ObjectCache, type WholeEntry } from './object-cache.ts'
import type { PackBitmap } from './pack-bitmap.ts'
import type { StoredObject } from './pack-file.ts'
import { PackFile } from './pack-file.ts'
import { WalkHelps } from './walk-helps.ts'

/** So many names come from one system call, which sees a folder at one moment (32 KiB of them, in glibc). */
const NAMES_AT_ONCE = 400

const LOOSE_NAME = /^[0-9a-f]{40}$/

const TYPE_CODES = new Map(Object.entries(OBJECT_TYPE))

/**
 * The objects of one bare repository, read as C git reads them: packs first, then loose files (which the node never
 * writes, but an operator's `git` may). Synchronous; large walks belong into worker threads.
 */
export class ObjectStore {
  readonly #directory: string
  readonly #cache: ObjectCache
  readonly #only: readonly string[] | undefined
  #packs: PackFile[] = []
  /** Its index files that speed up walks; read when somebody walks. */
  readonly #helps: WalkHelps
  /** The two-digit folders there are: mostly none, and then a missing object costs no look at the disk. */
  #looseDirectories: ReadonlySet<string> = new Set()

  /**
   * @param repositoryPath the bare repository
   * @param cache for inflated objects: one that is shared, or bytes for one of its own
   * @param only names of packs, without `pack-`: those alone, in this order, and nothing loose
   * @throws as `refresh`
   */
  constructor(repositoryPath: string, cache: ObjectCache | number, only?: readonly string[]) {
    this.#directory = join(repositoryPath, 'objects')
    this.#only = only?.map((name) => `pack-${name}.idx`)
    this.#cache = typeof cache === 'number' ? new ObjectCache(cache) : cache
    this.#helps = new WalkHelps(this.#directory)
    this.refresh()
  }

  get packs(): readonly PackFile[] {
    return this.#packs
  }

  /** The one that holds most objects first. */
  get packsBySize(): readonly PackFile[] {
    return this.#packs.toSorted((a, b) => b.index.count - a.index.count)
  }

  /** Trees, parents and times of commits, where `git commit-graph` or our maintenance wrote them down. */
  get graph(): CommitGraph | undefined {
    return this.#helps.graph()
  }

  /** What commits reach, where a pack has bitmaps. */
  get bitmap(): PackBitmap | undefined {
    return this.#helps.bitmap(this.#packs)
  }

  /**
   * Looks for packs that came or went. Those that went are closed, so no reader may hold one across a refresh, which every
   * read may make: where the pack is gone that it wants to open, its objects are in another one.
   *
   * @throws PackError index_invalid, where an index is damaged
   */
  refresh(): void {
    this.#look(() => {})
  }

  /**
   * As `refresh`, and opens every pack: until `release`, all that is here now stays readable, whatever goes, and `packs`
   * are as they are. For walks, and for who reads of packs and not of names.
   *
   * @throws PackError index_invalid, where an index or a pack is damaged
   */
  hold(): void {
    this.#look((pack) => pack.open())
  }

  /** @param ready throws ENOENT where the pack is gone */
  #look(ready: (pack: PackFile) => void): void {
    const directory = join(this.#directory, 'pack')
    const known = new Map(this.#packs.map((pack) => [pack.name, pack]))
    const missed = new Set<string>()
    try {
      for (;;) {
        const looseDirectories = this.#only === undefined ? readdirSync(this.#directory) : []
        const files = namesAtOnce(directory)
        const packs: PackFile[] = []
        let isWhole = true
        for (const name of this.#packNames(files)) {
          try {
            const pack = known.get(name) ?? new PackFile(join(directory, `${name}.pack`), name, this.#cache)
            known.set(name, pack)
            ready(pack)
            packs.push(pack)
          } catch (error) {
            // A new pack took the place of one that we have just read the name of, and of others, which go one by one.
            if (!hasErrorCode(error, 'ENOENT') || missed.has(name)) throw error
            missed.add(name)
            isWhole = false
          }
        }
        if (!isWhole) continue
        this.#looseDirectories = new Set(looseDirectories.filter((name) => name.length === 2))
        this.#helps.refresh(files)
        this.#packs = packs
        return
      }
    } finally {
      // Those that went; and those that came, where one of them is damaged.
      for (const pack of this.#packs) known.delete(pack.name)
      for (const pack of known.values()) pack.close()
    }
  }

  #packNames(files: ReadonlySet<string>): string[] {
    const indexes = this.#only?.filter((file) => files.has(file)) ?? [...files]
    return indexes
      .filter((file) => file.startsWith('pack-') && file.endsWith('.idx'))
      .map((file) => file.slice(0, -'.idx'.length))
      .filter((name) => files.has(`${name}.pack`)) // git, too, takes no notice of an index without its pack.
  }

  /** Bytes of the indexes: most of what it keeps in memory. */
  get indexBytes(): number {
    return this.#packs.reduce((sum, { index }) => sum + index.bytes, 0)
  }

  close(): void {
    this.release()
    this.#packs = []
  }

  /** Closes its files, and keeps what it knows of them until a `refresh` or `hold`, which comes before any other use. */
  release(): void {
    for (const pack of this.#packs) pack.close()
  }

  /** @returns where the object lies, or undefined if no pack holds it */
  locate(oid: Buffer, at = 0): { pack: PackFile; packNumber: number; rank: number; offset: number } | undefined {
    for (let packNumber = 0; packNumber < this.#packs.length; packNumber++) {
      const pack = this.#packs[packNumber] as PackFile
      const rank = pack.index.rankOf(oid, at)
      if (rank >= 0) return { pack, packNumber, rank, offset: pack.index.offsetOf(rank) }
    }
    return undefined
  }

  /** No fewer objects than are here: one that lies in two packs counts twice. */
  countMax(): number {
    const packed = this.#packs.reduce((sum, pack) => sum + pack.index.count, 0)
    const folders = Array.from(this.#looseDirectories, (name) => readdirSync(join(this.#directory, name)).length)
    return folders.reduce((sum, count) => sum + count, packed)
  }

  /** Names of the objects that lie loose, 20 bytes each. */
  looseNames(): Buffer[] {
    return Array.from(this.#looseDirectories, (folder) =>
      readdirSync(join(this.#directory, folder)).flatMap((name) =>
        LOOSE_NAME.test(folder + name) ? Buffer.from(folder + name, 'hex') : [],
      ),
    ).flat()
  }

  has(oid: Buffer, at = 0): boolean {
    if (this.locate(oid, at) !== undefined) return true
    const path = this.#loosePath(oid, at)
    return path !== undefined && existsSync(path)
  }

  /**
   * @returns 1–4, or undefined if the object is not here
   * @throws StorageError object_damaged
   */
  typeOf(oid: Buffer, at = 0): number | undefined {
    return this.#ofPack(oid, at, (pack, offset) => pack.typeAt(offset)) ?? this.#readLoose(oid, at)?.type
  }

  /**
   * @returns bytes, mostly without inflating the object; undefined if it is not here
   * @throws StorageError object_damaged
   */
  sizeOf(oid: Buffer, at = 0): number | undefined {
    return this.#ofPack(oid, at, (pack, offset) => pack.sizeAt(offset)) ?? this.#readLoose(oid, at)?.data.length
  }

  /** @throws StorageError object_damaged */
  read(oid: Buffer, at = 0): StoredObject | undefined {
    return this.#ofPack(oid, at, (pack, offset) => pack.readAt(offset)) ?? this.#readLoose(oid, at)
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
        this.refresh()
      }
    }
  }

  #loosePath(oid: Buffer, at: number): string | undefined {
    // As nearly always: a name in hex for each object of a push would be made for nothing.
    if (this.#looseDirectories.size === 0) return undefined
    const name = oid.toString('hex', at, at + 20)
    const folder = name.slice(0, 2)
    return this.#looseDirectories.has(folder) ? join(this.#directory, folder, name.slice(2)) : undefined
  }

  #readLoose(oid: Buffer, at: number): StoredObject | undefined {
    const path = this.#loosePath(oid, at)
    if (path === undefined) return undefined
    let compressed: Buffer
    try {
      compressed = readFileSync(path)
    } catch (error) {
      if (hasErrorCode(error, 'ENOENT')) return undefined
      throw error
    }
    return orDamaged(oid, at, () => decodeLoose(compressed))
  }
}

/**
 * A folder's names as they were at one moment. Else a reader might miss a pack that comes and, further on, those that go
 * for its sake: the new one is there before the first of the others goes, so two listings that are alike miss none.
 */
function namesAtOnce(directory: string): Set<string> {
  let names = readdirSync(directory)
  while (names.length > NAMES_AT_ONCE) {
    const before = names.join('/')
    names = readdirSync(directory)
    if (names.join('/') === before) break
  }
  return new Set(names)
}

/** `type size NUL` and the object's bytes, compressed (gitformat-*, "Loose object format"). */
function decodeLoose(compressed: Buffer): StoredObject {
  const whole = inflateSync(compressed)
  const headerEnd = whole.indexOf(0)
  const [, name = '', size] = /^([a-z]+) (0|[1-9][0-9]*)$/.exec(whole.toString('latin1', 0, headerEnd)) ?? []
  const type = TYPE_CODES.get(name)
  const data = whole.subarray(headerEnd + 1)
  if (type === undefined || Number(size) !== data.length) throw new LooseError('Its header is wrong')
  return { type, data }
}

class LooseError extends Error {}

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

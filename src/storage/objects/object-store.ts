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

/** Looks in a row at a folder whose packs go while we look. */
const LOOKS_MAX = 5
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
   * Looks for packs that came or went; those that went are closed, so no reader may hold one across a refresh.
   *
   * @throws PackError index_invalid, where a pack is damaged
   */
  refresh(): void {
    for (let looks = 1; ; looks++) {
      try {
        this.#look()
        return
      } catch (error) {
        // An operator's `git gc` puts a new pack in the place of one that we have just read the name of.
        if (!hasErrorCode(error, 'ENOENT') || looks === LOOKS_MAX) throw error
      }
    }
  }

  #look(): void {
    const isEverything = this.#only === undefined
    const looseDirectories = new Set(
      isEverything ? readdirSync(this.#directory).filter((name) => name.length === 2) : [],
    )
    const directory = join(this.#directory, 'pack')
    const files = namesAtOnce(directory)
    const known = new Map(this.#packs.map((pack) => [pack.name, pack]))
    const packs: PackFile[] = []
    try {
      for (const file of this.#only?.filter((name) => files.has(name)) ?? files) {
        if (!file.startsWith('pack-') || !file.endsWith('.idx')) continue
        const name = file.slice(0, -'.idx'.length)
        // git, too, takes no notice of an index without its pack.
        if (!files.has(`${name}.pack`)) continue
        const open = known.get(name)
        open?.reopen()
        packs.push(open ?? new PackFile(join(directory, `${name}.pack`), name, this.#cache))
      }
    } catch (error) {
      for (const pack of packs) if (!known.has(pack.name)) pack.close()
      throw error
    }
    this.#looseDirectories = looseDirectories
    this.#helps.refresh(files)
    this.#packs = packs
    for (const [name, pack] of known) if (!files.has(`${name}.idx`) || !files.has(`${name}.pack`)) pack.close()
  }

  close(): void {
    this.release()
    this.#packs = []
  }

  /** Closes its files, and keeps what it knows of them until a `refresh`, which comes before any other use. */
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
    const found = this.locate(oid, at)
    if (found === undefined) return this.#readLoose(oid, at)?.type
    return orDamaged(oid, at, () => found.pack.typeAt(found.offset))
  }

  /**
   * @returns bytes, mostly without inflating the object; undefined if it is not here
   * @throws StorageError object_damaged
   */
  sizeOf(oid: Buffer, at = 0): number | undefined {
    const found = this.locate(oid, at)
    if (found === undefined) return this.#readLoose(oid, at)?.data.length
    return orDamaged(oid, at, () => found.pack.sizeAt(found.offset))
  }

  /** @throws StorageError object_damaged */
  read(oid: Buffer, at = 0): StoredObject | undefined {
    const found = this.locate(oid, at)
    if (found === undefined) return this.#readLoose(oid, at)
    return orDamaged(oid, at, () => found.pack.readAt(found.offset))
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
    const found = this.locate(oid)
    if (found !== undefined) return orDamaged(oid, 0, () => found.pack.readWholeAt(found.offset))
    const { type, data } = this.mustRead(oid)
    return { type, sizeBytes: data.length, deflated: Buffer.from(deflate(data)) }
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

import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { inflateSync } from 'node:zlib'

import { StorageError } from '../error.ts'
import { ObjectCache } from './object-cache.ts'
import type { StoredObject } from './pack-file.ts'
import { PackFile } from './pack-file.ts'

const TYPE_CODES: Readonly<Record<string, number>> = { commit: 1, tree: 2, blob: 3, tag: 4 }

/**
 * The objects of one bare repository, read as C git reads them: packs first, then loose files (which the node never
 * writes, but an operator's `git` may). Synchronous; large walks belong into worker threads.
 */
export class ObjectStore {
  readonly #directory: string
  readonly #cache: ObjectCache
  #packs: PackFile[] = []
  /** The two-digit folders there are: mostly none, and then a missing object costs no look at the disk. */
  #looseDirectories: ReadonlySet<string> = new Set()

  /**
   * @param repositoryPath the bare repository
   * @param cacheBytesMax for inflated objects
   */
  constructor(repositoryPath: string, cacheBytesMax: number) {
    this.#directory = join(repositoryPath, 'objects')
    this.#cache = new ObjectCache(cacheBytesMax)
    this.refresh()
  }

  get packs(): readonly PackFile[] {
    return this.#packs
  }

  /** Looks for packs that came or went. A pack that went stays readable for whoever still holds it. */
  refresh(): void {
    this.#looseDirectories = new Set(readdirSync(this.#directory).filter((name) => name.length === 2))
    const directory = join(this.#directory, 'pack')
    const names = readdirSync(directory)
      .filter((name) => name.startsWith('pack-') && name.endsWith('.idx'))
      .map((name) => name.slice(0, -'.idx'.length))
    const known = new Map(this.#packs.map((pack) => [pack.name, pack]))
    this.#packs = names.map(
      (name) => known.get(name) ?? new PackFile(join(directory, `${name}.pack`), name, this.#cache),
    )
    for (const [name, pack] of known) if (!names.includes(name)) pack.close()
  }

  close(): void {
    for (const pack of this.#packs) pack.close()
    this.#packs = []
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

  has(oid: Buffer, at = 0): boolean {
    return this.locate(oid, at) !== undefined || this.#readLoose(oid, at) !== undefined
  }

  /** @returns 1–4, or undefined if the object is not here */
  typeOf(oid: Buffer, at = 0): number | undefined {
    const found = this.locate(oid, at)
    return found === undefined ? this.#readLoose(oid, at)?.type : found.pack.typeAt(found.offset)
  }

  read(oid: Buffer, at = 0): StoredObject | undefined {
    const found = this.locate(oid, at)
    return found === undefined ? this.#readLoose(oid, at) : found.pack.readAt(found.offset)
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

  #readLoose(oid: Buffer, at: number): StoredObject | undefined {
    const name = oid.toString('hex', at, at + 20)
    if (!this.#looseDirectories.has(name.slice(0, 2))) return undefined
    let compressed: Buffer
    try {
      compressed = readFileSync(join(this.#directory, name.slice(0, 2), name.slice(2)))
    } catch (error) {
      if (error instanceof Error && 'code' in error && error.code === 'ENOENT') return undefined
      throw error
    }
    const whole = inflateSync(compressed)
    const headerEnd = whole.indexOf(0)
    const type = TYPE_CODES[whole.toString('latin1', 0, Math.max(0, whole.indexOf(0x20)))]
    if (headerEnd < 0 || type === undefined) {
      throw new StorageError({ code: 'object_damaged', oid: name }, `Loose object ${name} is damaged`)
    }
    return { type, data: whole.subarray(headerEnd + 1) }
  }
}

import { readdirSync } from 'node:fs'
import { join } from 'node:path'

import { hasErrorCode } from '../../errors.ts'
import type { ObjectCache } from './object-cache.ts'
import { PackFile } from './pack-file.ts'

/** Looks in a row that miss one pack, which comes and goes. */
const MISSES_MAX = 5
/** So many names come from one system call, which sees a folder at one moment (32 KiB of them, in glibc). */
const NAMES_AT_ONCE = 400

export interface PackPlace {
  readonly pack: PackFile
  readonly packNumber: number
  readonly rank: number
  readonly offset: number
}

/** The packs of one repository, as they are when somebody looks. */
export class PackSet {
  readonly #directory: string
  readonly #cache: ObjectCache
  readonly #only: readonly string[] | undefined
  #packs: readonly PackFile[] = []
  /** Nothing of it is closed before `release`. */
  #isHeld = false
  /** Names of all files there were at the last look. */
  #files: ReadonlySet<string> = new Set()

  /**
   * @param directory `objects/pack` of the repository
   * @param only names of packs, without `pack-`: those alone, in this order
   */
  constructor(directory: string, cache: ObjectCache, only: readonly string[] | undefined) {
    this.#directory = directory
    this.#cache = cache
    this.#only = only?.map((name) => `pack-${name}.idx`)
  }

  get packs(): readonly PackFile[] {
    return this.#packs
  }

  /** Names of all files beside the packs, and of theirs, at the last look. */
  get files(): ReadonlySet<string> {
    return this.#files
  }

  /** As `ObjectStore.refresh`. */
  refresh(): void {
    this.#look()
  }

  /** As `ObjectStore.hold`. */
  hold(): void {
    this.#isHeld = true
    try {
      this.#look()
    } catch (error) {
      this.release()
      throw error
    }
  }

  /** As `ObjectStore.release`. */
  release(): void {
    this.#isHeld = false
    for (const pack of this.#packs) pack.close()
  }

  close(): void {
    this.release()
    this.#packs = []
  }

  /** @returns where the object lies, or undefined if no pack holds it */
  locate(oid: Buffer, at = 0): PackPlace | undefined {
    for (let packNumber = 0; packNumber < this.#packs.length; packNumber++) {
      const pack = this.#packs[packNumber] as PackFile
      const rank = pack.index.rankOf(oid, at)
      if (rank >= 0) return { pack, packNumber, rank, offset: pack.index.offsetOf(rank) }
    }
    return undefined
  }

  #look(): void {
    const known = new Map(this.#packs.flatMap((pack) => (pack.isAnother ? [] : [[pack.name, pack]])))
    const misses = new Map<string, number>()
    try {
      for (;;) {
        const files = namesAtOnce(this.#directory)
        // Of those that are held the numbers stay.
        const packs = new Set(this.#isHeld ? this.#packs.filter((pack) => pack.isOpen) : [])
        let isWhole = true
        for (const name of this.#packNames(files)) {
          try {
            const pack = known.get(name) ?? new PackFile(join(this.#directory, `${name}.pack`), name, this.#cache)
            known.set(name, pack)
            if (this.#isHeld) pack.open()
            packs.add(pack)
          } catch (error) {
            // A new pack took the place of one that we have just read the name of, and of others, which go one by one.
            const missed = (misses.get(name) ?? 0) + 1
            if (!hasErrorCode(error, 'ENOENT') || missed === MISSES_MAX) throw error
            misses.set(name, missed)
            isWhole = false
          }
        }
        if (!isWhole) continue
        this.#packs = [...packs]
        this.#files = files
        return
      }
    } finally {
      // Those that went; and those that came, where one of them is damaged.
      const staying = new Set(this.#packs)
      for (const pack of known.values()) if (!staying.has(pack)) pack.close()
    }
  }

  #packNames(files: ReadonlySet<string>): string[] {
    const indexes = this.#only?.filter((file) => files.has(file)) ?? [...files]
    return indexes
      .filter((file) => file.startsWith('pack-') && file.endsWith('.idx'))
      .map((file) => file.slice(0, -'.idx'.length))
      .filter((name) => files.has(`${name}.pack`)) // git, too, takes no notice of an index without its pack.
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

import { statSync } from 'node:fs'
import { readdir } from 'node:fs/promises'
import { join } from 'node:path'

import { LRUCache } from 'lru-cache'

import type { FileSystem } from '../file-system.ts'
import { ObjectStore } from '../objects/object-store.ts'
import type { ObserveStorage } from '../observe.ts'
import { keepPack, tidyPacks } from './kept-packs.ts'
import type { RepositoryName } from './repository-files.ts'
import { removePacks, unlinkIfThere } from './stored-packs.ts'

/** Open repositories: each costs its packs' descriptors and indexes. */
const OPEN_STORES_MAX = 64
/** For the small reads of the main thread; walks have their own cache in the workers. */
const STORE_CACHE_BYTES = 1024 * 1024

export interface PublishedPack {
  /** For when the ref transaction fails; does nothing to a pack that was here before. */
  takeBack(): Promise<void>
  /** When the refs on disk are written. */
  unkeep(): Promise<void>
}

/** A pack in quarantine, as `incoming.pack`, `incoming.idx` and, where it has times, `incoming.mtimes`. */
export interface IncomingPack {
  readonly quarantine: string
  /** Without `pack-`. */
  readonly packName: string
  /** Of what no ref reaches. */
  readonly hasTimes: boolean
}

export interface PackReplacement {
  readonly incoming: readonly IncomingPack[]
  /** Names of packs; a new one may be among them, where it is made of one alone. */
  readonly replaced: readonly string[]
  /** Some of what they hold is in none of the new ones. */
  readonly areObjectsGone: boolean
  /** Among them commits that the commit-graph names: it goes before they do, as `git fsck` looks for each of them. */
  readonly isGraphStale: boolean
}

/** The packs of repositories: how they come and go durably, and what reads them. */
export class PackFiles {
  readonly #pathOf: (repository: RepositoryName) => string
  readonly #fileSystem: FileSystem
  readonly #observe: ObserveStorage
  readonly #stores = new LRUCache<string, ObjectStore>({
    max: OPEN_STORES_MAX,
    dispose: (store) => store.close(),
  })
  /** By path. */
  readonly #withdrawals = new Map<string, number>()

  constructor(pathOf: (repository: RepositoryName) => string, fileSystem: FileSystem, observe: ObserveStorage) {
    this.#pathOf = pathOf
    this.#fileSystem = fileSystem
    this.#observe = observe
  }

  /** For small synchronous reads; refreshed by what is done here. */
  objects(repository: RepositoryName): ObjectStore {
    const path = this.#pathOf(repository)
    const known = this.#stores.get(path)
    if (known !== undefined) return known
    const store = ObjectStore.open(path, STORE_CACHE_BYTES)
    this.#stores.set(path, store)
    return store
  }

  /**
   * Moves a synced pack and its index from quarantine to where git finds them, durably: the index last, as git takes
   * a pack for complete once its index is there.
   *
   * @returns a function that takes them back, for when the ref transaction fails; it does nothing where they were here before
   */
  publish(repository: RepositoryName, quarantine: string, packName: string): Promise<PublishedPack> {
    return this.#observe('pack_publish', () => this.#publish(repository, quarantine, packName))
  }

  /**
   * Under the repository's lock: synced packs, in quarantine, take the place of others whose objects they hold. Whatever
   * cuts that short leaves every object somewhere that is in one of them.
   *
   * @param commit between coming and going; where it fails, nothing goes
   */
  replace(
    repository: RepositoryName,
    { incoming, replaced, areObjectsGone, isGraphStale }: PackReplacement,
    commit: () => Promise<void>,
  ): Promise<void> {
    return this.#observe('packs_replace', async () => {
      const directory = join(this.#pathOf(repository), 'objects', 'pack')
      for (const pack of incoming) await this.#rename(directory, pack)
      // What goes may come back with a power cut: whole, as it was.
      if (incoming.length > 0) await this.#fileSystem.syncDirectory(directory)
      this.#reload(repository)
      await commit()
      if (isGraphStale) await this.#removeGraph(repository)
      const gone = replaced.filter((name) => incoming.every(({ packName }) => packName !== name))
      try {
        await removePacks(this.#fileSystem, directory, gone)
      } finally {
        if (areObjectsGone) this.#withdrawn(repository)
      }
      this.#reload(repository)
    })
  }

  /**
   * Under the repository's lock: what helps walks takes the place of what did before. It is synced, and lies in quarantine
   * as `commit-graph` and `bitmap`. git reads the
   * bitmaps of one pack and warns of others, so those go first. No folder is synced: what a power cut takes away again is
   * only done without.
   *
   * @param placed `bitmapOf`: the pack, as its files begin
   */
  async placeHelps(
    repository: RepositoryName,
    quarantine: string,
    placed: { readonly graph: boolean; readonly bitmapOf: string | undefined },
  ): Promise<void> {
    const objects = join(this.#pathOf(repository), 'objects')
    if (placed.graph) {
      await this.#fileSystem.rename(join(quarantine, 'commit-graph'), join(objects, 'info', 'commit-graph'))
    }
    if (placed.bitmapOf !== undefined) {
      const directory = join(objects, 'pack')
      const name = `${placed.bitmapOf}.bitmap`
      for (const other of await readdir(directory)) {
        if (other.endsWith('.bitmap') && other !== name) await unlinkIfThere(this.#fileSystem, join(directory, other))
      }
      await this.#fileSystem.rename(join(quarantine, 'bitmap'), join(directory, name))
    }
    this.#reload(repository)
  }

  /**
   * How often objects went from here since the node began. Whoever checks something against the objects asks before that,
   * and once more under the repository's lock: where the answers differ, what was checked may lean on what is gone (I2).
   */
  withdrawals(repository: RepositoryName): number {
    return this.#withdrawals.get(this.#pathOf(repository)) ?? 0
  }

  /** Nothing is open of it any more. */
  forget(repository: RepositoryName): void {
    this.#stores.delete(this.#pathOf(repository))
  }

  close(): void {
    this.#stores.clear()
  }

  async #publish(repository: RepositoryName, quarantine: string, packName: string): Promise<PublishedPack> {
    const directory = join(this.#pathOf(repository), 'objects', 'pack')
    // Before the pack, and until the refs on disk need it: an operator's `git gc` in between would find it unreferenced.
    const unkeep = await keepPack(this.#fileSystem, directory, packName)
    const isThere = (extension: string): boolean => isFile(join(directory, `pack-${packName}.${extension}`))
    // Both: a power cut may have kept the index of a push that was never acknowledged, without its pack.
    if (isThere('pack') && isThere('idx')) return { takeBack: unkeep, unkeep }
    const takeBack = async (): Promise<void> => {
      try {
        for (const extension of ['idx', 'pack']) {
          await unlinkIfThere(this.#fileSystem, join(directory, `pack-${packName}.${extension}`))
        }
      } finally {
        this.#withdrawn(repository)
      }
      await unkeep()
      this.#reload(repository)
    }
    try {
      await this.#rename(directory, { quarantine, packName, hasTimes: false })
      await this.#fileSystem.syncDirectory(directory)
    } catch (error) {
      await takeBack()
      throw error
    }
    this.#reload(repository)
    return { takeBack, unkeep }
  }

  async #removeGraph(repository: RepositoryName): Promise<void> {
    const info = join(this.#pathOf(repository), 'objects', 'info')
    await unlinkIfThere(this.#fileSystem, join(info, 'commit-graph'))
    await this.#fileSystem.syncDirectory(info)
  }

  /** Once objects are gone, and not before: who asks in between would be told of it, and see them all the same. */
  #withdrawn(repository: RepositoryName): void {
    this.#withdrawals.set(this.#pathOf(repository), this.withdrawals(repository) + 1)
  }

  async #rename(directory: string, { quarantine, packName, hasTimes }: IncomingPack): Promise<void> {
    const move = (extension: string): Promise<void> =>
      this.#fileSystem.rename(
        join(quarantine, `incoming.${extension}`),
        join(directory, `pack-${packName}.${extension}`),
      )
    await move('pack')
    // A pack of the same bytes may have been one of what nothing reaches.
    const times = join(directory, `pack-${packName}.mtimes`)
    if (hasTimes) await move('mtimes')
    else if (isFile(times)) await unlinkIfThere(this.#fileSystem, times)
    await move('idx')
  }

  /** At start, when the refs on disk are as they should be: what a crash left kept, or left behind, is needed no more. */
  async tidy(repository: RepositoryName): Promise<void> {
    await tidyPacks(this.#fileSystem, join(this.#pathOf(repository), 'objects', 'pack'))
  }

  #reload(repository: RepositoryName): void {
    const path = this.#pathOf(repository)
    try {
      this.#stores.get(path)?.refresh()
    } catch {
      // Opened anew by whoever needs it next, who is told then.
      this.#stores.delete(path)
    }
  }
}

/** @throws what keeps us from knowing */
function isFile(path: string): boolean {
  return statSync(path, { throwIfNoEntry: false }) !== undefined
}

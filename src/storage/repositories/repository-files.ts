import { randomUUID } from 'node:crypto'
import { existsSync } from 'node:fs'
import { readdir, readFile } from 'node:fs/promises'
import { dirname, join } from 'node:path'

import { LRUCache } from 'lru-cache'

import { hasErrorCode } from '../../errors.ts'
import type { DataPaths } from '../data-directory.ts'
import { StorageError } from '../error.ts'
import type { FileSystem } from '../file-system.ts'
import { ObjectStore } from '../objects/object-store.ts'
import { type ObserveStorage, unobserved } from '../observe.ts'
import { createBareRepository, isUnusedRepository } from './bare-repository.ts'

/** Open repositories: each costs its packs' descriptors and indexes. */
const OPEN_STORES_MAX = 64
/** For the small reads of the main thread; walks have their own cache in the workers. */
const STORE_CACHE_BYTES = 1024 * 1024

/** `git gc` leaves a pack alone that has such a file beside it (git-repack, "-a"). */
const KEEP = '.keep'
const KEEP_MARK = Buffer.from('guts: until the refs are written\n')

export interface PublishedPack {
  /** For when the ref transaction fails; does nothing to a pack that was here before. */
  takeBack(): Promise<void>
  /** When the refs on disk are written. */
  unkeep(): Promise<void>
}

export interface RepositoryName {
  readonly owner: string
  readonly name: string
}

/** The repositories' folders: where they are, and how they come and go durably. */
export class RepositoryFiles {
  readonly #paths: DataPaths
  readonly #fileSystem: FileSystem
  readonly #observe: ObserveStorage
  readonly #stores = new LRUCache<string, ObjectStore>({
    max: OPEN_STORES_MAX,
    dispose: (store) => store.close(),
  })
  /** By path. */
  readonly #withdrawals = new Map<string, number>()

  constructor(paths: DataPaths, fileSystem: FileSystem, observe: ObserveStorage = unobserved) {
    this.#observe = observe
    this.#paths = paths
    this.#fileSystem = fileSystem
  }

  path({ owner, name }: RepositoryName): string {
    return join(this.#paths.repositories, owner, `${name}.git`)
  }

  /** For small synchronous reads; refreshed by `publishPack`. */
  objects(repository: RepositoryName): ObjectStore {
    const path = this.path(repository)
    const known = this.#stores.get(path)
    if (known !== undefined) return known
    const store = new ObjectStore(path, STORE_CACHE_BYTES)
    this.#stores.set(path, store)
    return store
  }

  /**
   * Makes the folder, durably. A folder in its place that holds nothing is what a crash left between here and the
   * database, and gives way.
   *
   * @throws StorageError directory_in_the_way
   */
  async create(repository: RepositoryName, head: string): Promise<void> {
    const path = this.path(repository)
    const made = join(this.#paths.quarantine, randomUUID())
    try {
      await createBareRepository(this.#fileSystem, made, head)
      await this.#makeOwnerDirectory(dirname(path))
      if (!(await this.removeUnused(repository))) {
        const name = `${repository.owner}/${repository.name}`
        throw new StorageError(
          { code: 'directory_in_the_way', repository: name },
          `A folder with something in it lies where ${name} belongs; move it away first`,
        )
      }
      await this.#fileSystem.rename(made, path)
      await this.#fileSystem.syncDirectory(dirname(path))
    } catch (error) {
      await this.#fileSystem.removeTree(made)
      throw error
    }
  }

  /** Takes the folder out of sight at once, then removes it. Nothing to do is fine. */
  async remove(repository: RepositoryName): Promise<void> {
    const path = this.path(repository)
    this.#stores.delete(path)
    const trash = join(this.#paths.trash, randomUUID())
    try {
      await this.#fileSystem.rename(path, trash)
    } catch (error) {
      if (hasErrorCode(error, 'ENOENT')) return
      throw error
    }
    await this.#fileSystem.syncDirectory(dirname(path))
    await this.#fileSystem.removeTree(trash)
  }

  /** Every repository's folder there is, whether the database knows it or not. */
  async folders(): Promise<RepositoryName[]> {
    const folders: RepositoryName[] = []
    for (const owner of await foldersIn(this.#paths.repositories)) {
      for (const name of await foldersIn(join(this.#paths.repositories, owner))) {
        if (name.endsWith('.git')) folders.push({ owner, name: name.slice(0, -'.git'.length) })
      }
    }
    return folders
  }

  /**
   * Removes a folder that was made and never put anything into; none at all is fine.
   *
   * @returns false if the folder holds something, and stays
   */
  async removeUnused(repository: RepositoryName): Promise<boolean> {
    const path = this.path(repository)
    if (!existsSync(path)) return true
    if (!(await isUnusedRepository(path))) return false
    await this.remove(repository)
    return true
  }

  /** A folder for one push, in which nothing is visible. The caller removes it. */
  async openQuarantine(): Promise<string> {
    const path = join(this.#paths.quarantine, randomUUID())
    await this.#fileSystem.makeDirectory(path)
    return path
  }

  async closeQuarantine(path: string): Promise<void> {
    await this.#fileSystem.removeTree(path)
  }

  /**
   * Moves a synced pack and its index from quarantine to where git finds them, durably: the index last, as git takes
   * a pack for complete once its index is there.
   *
   * @returns a function that takes them back, for when the ref transaction fails; it does nothing where they were here before
   */
  publishPack(repository: RepositoryName, quarantine: string, packName: string): Promise<PublishedPack> {
    return this.#observe('pack_publish', () => this.#publishPack(repository, quarantine, packName))
  }

  /**
   * How often objects went from here since the node began. Whoever checks something against the objects asks before that,
   * and once more under the repository's lock: where the answers differ, what was checked may lean on what is gone (I2).
   */
  withdrawals(repository: RepositoryName): number {
    return this.#withdrawals.get(this.path(repository)) ?? 0
  }

  close(): void {
    this.#stores.clear()
  }

  async #publishPack(repository: RepositoryName, quarantine: string, packName: string): Promise<PublishedPack> {
    const directory = join(this.path(repository), 'objects', 'pack')
    // Before the pack, and until the refs on disk need it: an operator's `git gc` in between would find it unreferenced.
    const unkeep = await this.#keepPack(join(directory, `pack-${packName}${KEEP}`))
    const present = await readdir(directory)
    // Both: a power cut may have kept the index of a push that was never acknowledged, without its pack.
    const isHere = ['pack', 'idx'].every((extension) => present.includes(`pack-${packName}.${extension}`))
    if (isHere) return { takeBack: unkeep, unkeep }
    const takeBack = async (): Promise<void> => {
      try {
        for (const extension of ['idx', 'pack']) {
          await unlinkIfThere(this.#fileSystem, join(directory, `pack-${packName}.${extension}`))
        }
      } finally {
        // Not before: who asks in between would be told of it, and see the pack all the same.
        const path = this.path(repository)
        this.#withdrawals.set(path, this.withdrawals(repository) + 1)
      }
      await unkeep()
      this.#reload(repository)
    }
    try {
      for (const extension of ['pack', 'idx']) {
        const target = join(directory, `pack-${packName}.${extension}`)
        await this.#fileSystem.rename(join(quarantine, `incoming.${extension}`), target)
      }
      await this.#fileSystem.syncDirectory(directory)
    } catch (error) {
      await takeBack()
      throw error
    }
    this.#reload(repository)
    return { takeBack, unkeep }
  }

  /** @returns a function that takes it away again, unless somebody else had put one there */
  async #keepPack(path: string): Promise<() => Promise<void>> {
    try {
      const file = await this.#fileSystem.create(path)
      try {
        await file.write(KEEP_MARK, 0)
      } finally {
        await file.close()
      }
    } catch (error) {
      if (hasErrorCode(error, 'EEXIST')) return async () => {}
      throw error
    }
    return () => unlinkIfThere(this.#fileSystem, path)
  }

  /** At start, when the refs on disk are as they should be: what a crash left kept needs it no more. */
  async unkeepAll(repository: RepositoryName): Promise<void> {
    const directory = join(this.path(repository), 'objects', 'pack')
    for (const name of await readdir(directory)) {
      if (!name.endsWith(KEEP)) continue
      const path = join(directory, name)
      // Others' are as their owners put them.
      if (isOurMark(await readFile(path))) await this.#fileSystem.unlink(path)
    }
  }

  #reload(repository: RepositoryName): void {
    const path = this.path(repository)
    try {
      this.#stores.get(path)?.refresh()
    } catch {
      // Opened anew by whoever needs it next, who is told then.
      this.#stores.delete(path)
    }
  }

  async #makeOwnerDirectory(path: string): Promise<void> {
    try {
      await this.#fileSystem.makeDirectory(path)
    } catch (error) {
      if (hasErrorCode(error, 'EEXIST')) return
      throw error
    }
    await this.#fileSystem.syncDirectory(this.#paths.repositories)
  }
}

/** It is never synced: what a power cut leaves of it may be empty, short or zeros. */
function isOurMark(content: Buffer): boolean {
  return content.length <= KEEP_MARK.length && content.every((byte, at) => byte === KEEP_MARK[at] || byte === 0)
}

async function foldersIn(path: string): Promise<string[]> {
  const entries = await readdir(path, { withFileTypes: true })
  return entries.filter((entry) => entry.isDirectory()).map((entry) => entry.name)
}

async function unlinkIfThere(fileSystem: FileSystem, path: string): Promise<void> {
  try {
    await fileSystem.unlink(path)
  } catch (error) {
    if (!hasErrorCode(error, 'ENOENT')) throw error
  }
}

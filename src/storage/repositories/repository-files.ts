import { randomUUID } from 'node:crypto'
import { existsSync } from 'node:fs'
import { readdir } from 'node:fs/promises'
import { dirname, join } from 'node:path'

import { hasErrorCode } from '../../errors.ts'
import type { DataPaths } from '../data-directory.ts'
import { StorageError } from '../error.ts'
import type { FileSystem } from '../file-system.ts'
import { type ObserveStorage, unobserved } from '../observe.ts'
import { createBareRepository, isUnusedRepository } from './bare-repository.ts'
import { PackFiles } from './pack-files.ts'

export interface RepositoryName {
  readonly owner: string
  readonly name: string
}

/** The repositories' folders: where they are, and how they come and go durably. */
export class RepositoryFiles {
  readonly packs: PackFiles
  readonly #paths: DataPaths
  readonly #fileSystem: FileSystem

  constructor(paths: DataPaths, fileSystem: FileSystem, observe: ObserveStorage = unobserved) {
    this.#paths = paths
    this.#fileSystem = fileSystem
    this.packs = new PackFiles((repository) => this.path(repository), fileSystem, observe)
  }

  path({ owner, name }: RepositoryName): string {
    return join(this.#paths.repositories, owner, `${name}.git`)
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
    this.packs.forget(repository)
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

  close(): void {
    this.packs.close()
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

async function foldersIn(path: string): Promise<string[]> {
  const entries = await readdir(path, { withFileTypes: true })
  return entries.filter((entry) => entry.isDirectory()).map((entry) => entry.name)
}

import { readdir, realpath } from 'node:fs/promises'
import { basename, dirname, join, resolve } from 'node:path'

import { hasErrorCode } from '../../errors.ts'
import { type DataPaths, dataPaths, DirectoryLock, makeDirectories, prepareDataDirectory } from '../data-directory.ts'
import { StorageError } from '../error.ts'
import type { FileSystem } from '../file-system.ts'
import { BackupError } from './error.ts'
import { copyFile } from './file-digest.ts'

const STORED_NAMES = ['guts.db', 'node.lock', 'repositories', 'quarantine', 'trash']

/** The data directory that a backup is restored to: until the end it is not touched. */
export class RestoreTarget {
  readonly path: string
  /** A complete data directory in the making, beside it, so that a rename publishes it. */
  readonly stage: DataPaths
  readonly #fileSystem: FileSystem
  /** No node can start on the old one, nor on the new one, before all is done. */
  readonly #locks: readonly DirectoryLock[]
  readonly #isOccupied: boolean

  private constructor(
    path: string,
    stage: DataPaths,
    fileSystem: FileSystem,
    locks: readonly DirectoryLock[],
    isOccupied: boolean,
  ) {
    this.path = path
    this.stage = stage
    this.#fileSystem = fileSystem
    this.#locks = locks
    this.#isOccupied = isOccupied
  }

  /**
   * @param replace whether what is there may go to another name
   * @throws BackupError directory_not_empty, not_a_data_directory, restore_under_way
   * @throws StorageError data_directory_in_use
   */
  static async take(directory: string, replace: boolean, fileSystem: FileSystem): Promise<RestoreTarget> {
    const path = await realOrResolved(directory)
    const names = await namesIn(path)
    if (names.length > 0) assertReplaceable(path, names, replace)
    await makeDirectories(dirname(path))
    const locks: DirectoryLock[] = []
    try {
      if (names.length > 0) locks.push(DirectoryLock.take(dataPaths(path)))
      const stage = await takeStage(`${path}.restoring`, locks, fileSystem)
      return new RestoreTarget(path, stage, fileSystem, locks, names.length > 0)
    } catch (error) {
      for (const lock of locks) lock.release()
      throw error
    }
  }

  /**
   * Puts the new directory into the place of the old one. What in the old one is no part of a backup, such as the
   * identity that `guts dev` keeps there, comes along.
   *
   * @returns where the old one lies now; undefined where there was none
   */
  async swap(): Promise<string | undefined> {
    const { path, stage } = this
    if (!this.#isOccupied) {
      await this.#fileSystem.syncDirectory(stage.root)
      await this.#fileSystem.rename(stage.root, path)
      await this.#fileSystem.syncDirectory(dirname(path))
      return undefined
    }
    await this.#takeAlong()
    await this.#fileSystem.syncDirectory(stage.root)
    const kept = await freeName(`${path}.replaced`)
    await this.#fileSystem.rename(path, kept)
    try {
      await this.#fileSystem.rename(stage.root, path)
    } catch (error) {
      await this.#fileSystem.rename(kept, path)
      throw error
    }
    await this.#fileSystem.syncDirectory(dirname(path))
    return kept
  }

  async discard(): Promise<void> {
    await this.#fileSystem.removeTree(this.stage.root)
  }

  release(): void {
    for (const lock of this.#locks) lock.release()
  }

  async #takeAlong(): Promise<void> {
    for (const entry of await readdir(this.path, { withFileTypes: true })) {
      if (!entry.isFile() || isStored(entry.name)) continue
      const target = join(this.stage.root, entry.name)
      await copyFile(join(this.path, entry.name), target, this.#fileSystem, { onBytes: () => {} })
    }
  }
}

/** Its own files, and those that SQLite puts beside them. */
function isStored(name: string): boolean {
  return STORED_NAMES.some((stored) => name === stored || name.startsWith(`${stored}-`))
}

/** What an earlier restore left that broke off goes; nobody else works on it, as the lock says. */
async function takeStage(root: string, locks: DirectoryLock[], fileSystem: FileSystem): Promise<DataPaths> {
  await makeDirectories(root)
  const paths = dataPaths(root)
  try {
    locks.push(DirectoryLock.take(paths))
  } catch (cause) {
    if (!(cause instanceof StorageError) || cause.detail.code !== 'data_directory_in_use') throw cause
    const message = `Another restore is under way in ${root}`
    throw new BackupError({ code: 'restore_under_way', directory: root }, message, { cause })
  }
  for (const name of await readdir(root)) {
    if (!name.startsWith(basename(paths.lock))) await fileSystem.removeTree(join(root, name))
  }
  return prepareDataDirectory(root)
}

/** A directory of anything else has been named by mistake: it stays where it is. */
function assertReplaceable(path: string, names: readonly string[], replace: boolean): void {
  if (!replace) {
    const message = `${path} is not empty; with --replace it goes to another name`
    throw new BackupError({ code: 'directory_not_empty', directory: path }, message)
  }
  if (names.includes(basename(dataPaths(path).database))) return
  const message = `${path} is no data directory of Guts, and is not replaced`
  throw new BackupError({ code: 'not_a_data_directory', directory: path }, message)
}

/** Renames put something into the place of a link, and not where it leads to. */
async function realOrResolved(directory: string): Promise<string> {
  try {
    return await realpath(directory)
  } catch (error) {
    if (hasErrorCode(error, 'ENOENT')) return resolve(directory)
    throw error
  }
}

async function namesIn(path: string): Promise<string[]> {
  try {
    return await readdir(path)
  } catch (error) {
    if (hasErrorCode(error, 'ENOENT')) return []
    throw error
  }
}

async function freeName(wanted: string): Promise<string> {
  const taken = new Set(await readdir(dirname(wanted)))
  for (let number = 1; ; number++) if (!taken.has(`${basename(wanted)}-${number}`)) return `${wanted}-${number}`
}

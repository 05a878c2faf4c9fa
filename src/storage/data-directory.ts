import { mkdir, readdir } from 'node:fs/promises'
import { dirname, join } from 'node:path'

import { hasErrorCode } from '../errors.ts'
import { StorageError } from './error.ts'
import { FileLock } from './file-lock.ts'
import type { FileSystem } from './file-system.ts'

/** Where everything lies below the data directory. */
export interface DataPaths {
  readonly root: string
  /** `<owner>/<name>.git`, plain bare repositories */
  readonly repositories: string
  /** What is being received or made; emptied at start. On the same file system, so that a rename publishes it. */
  readonly quarantine: string
  /** What is being deleted; emptied at start. */
  readonly trash: string
  readonly database: string
  readonly lock: string
}

export function dataPaths(root: string): DataPaths {
  return {
    root,
    repositories: join(root, 'repositories'),
    quarantine: join(root, 'quarantine'),
    trash: join(root, 'trash'),
    database: join(root, 'guts.db'),
    lock: join(root, 'node.lock'),
  }
}

/** Makes the folders that are missing. @throws StorageError data_directory_unusable */
export async function prepareDataDirectory(root: string): Promise<DataPaths> {
  const paths = dataPaths(root)
  try {
    for (const path of [paths.root, paths.repositories, paths.quarantine, paths.trash]) {
      await makeDirectories(path)
    }
  } catch (cause) {
    throw unusable(root, cause)
  }
  return paths
}

/**
 * For the owner alone. Not `mkdir` with `recursive`, which tries for ever where a parent is there and nothing can be made
 * in it, as below /proc.
 */
export async function makeDirectories(path: string): Promise<void> {
  try {
    await mkdir(path, 0o700)
  } catch (error) {
    if (hasErrorCode(error, 'ENOENT') && dirname(path) !== path) {
      await makeDirectories(dirname(path))
      await mkdir(path, 0o700).catch(ignoreExisting)
    } else ignoreExisting(error)
  }
}

/** Whether it is a directory, whoever uses it finds out. */
function ignoreExisting(error: unknown): void {
  if (hasErrorCode(error, 'EEXIST')) return
  throw error
}

export function unusable(directory: string, cause: unknown): StorageError {
  const reason = cause instanceof Error ? cause.message : String(cause)
  return new StorageError(
    { code: 'data_directory_unusable', directory },
    `The data directory ${directory} cannot be used (GUTS_DATA_DIR): ${reason}`,
    { cause },
  )
}

/** Removes what a crash left half received, half made or half deleted: nothing in these folders was ever visible. */
export async function clearLeftovers(paths: DataPaths, fileSystem: FileSystem): Promise<void> {
  for (const directory of [paths.quarantine, paths.trash]) {
    for (const name of await readdir(directory)) await fileSystem.removeTree(join(directory, name))
  }
}

/** One node per data directory. */
export class DirectoryLock {
  readonly #lock: FileLock

  private constructor(lock: FileLock) {
    this.#lock = lock
  }

  /** @throws StorageError data_directory_in_use, data_directory_unusable */
  static take(paths: DataPaths): DirectoryLock {
    const lock = takeLock(paths)
    if (lock !== undefined) return new DirectoryLock(lock)
    throw new StorageError(
      { code: 'data_directory_in_use', directory: paths.root },
      `Another node is running on the data directory ${paths.root}; stop it, or choose another one (GUTS_DATA_DIR)`,
    )
  }

  release(): void {
    this.#lock.release()
  }
}

function takeLock({ lock, root }: DataPaths): FileLock | undefined {
  try {
    return FileLock.take(lock)
  } catch (cause) {
    throw unusable(root, cause)
  }
}

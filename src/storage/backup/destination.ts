import { readdir, realpath } from 'node:fs/promises'
import { join, relative } from 'node:path'

import { hasErrorCode } from '../../errors.ts'
import { makeDirectories } from '../data-directory.ts'
import { FileLock } from '../file-lock.ts'
import type { FileSystem } from '../file-system.ts'
import { BackupError } from './error.ts'
import { backupId, type Manifest, readManifest } from './manifest.ts'

const LOCK_FILE = 'backup.lock'
/** Until its manifest is written, a backup has a name that nobody takes for one. */
const INCOMPLETE = 'incomplete-'

export interface StoredBackup {
  readonly path: string
  readonly manifest: Manifest
}

/** @returns ids, oldest first; whatever else lies there is left out */
export async function backupIds(destination: string): Promise<string[]> {
  try {
    return (await readdir(destination)).filter((name) => backupId.safeParse(name).success).sort()
  } catch (error) {
    if (hasErrorCode(error, 'ENOENT')) return []
    throw error
  }
}

/**
 * @param id without one the newest
 * @throws BackupError backup_missing, backup_damaged, backup_version
 */
export async function findBackup(destination: string, id: string | undefined): Promise<StoredBackup> {
  const ids = await backupIds(destination)
  const wanted = id ?? ids.at(-1)
  if (wanted === undefined || !ids.includes(wanted)) {
    const what = id === undefined ? 'no backup' : `no backup ${id}`
    throw new BackupError({ code: 'backup_missing', destination }, `There is ${what} in ${destination}`)
  }
  const path = join(destination, wanted)
  return { path, manifest: await readManifest(path) }
}

/**
 * Makes the folder where it is missing, and takes it for this process.
 *
 * @throws BackupError destination_in_use, destination_in_data
 */
export async function takeDestination(destination: string, dataDirectory: string): Promise<FileLock> {
  await makeDirectories(destination)
  const way = relative(await realpath(dataDirectory), await realpath(destination))
  if (!way.startsWith('..')) {
    const message = `The destination ${destination} lies in the data directory: what takes the one takes the other`
    throw new BackupError({ code: 'destination_in_data', destination }, message)
  }
  const lock = FileLock.take(join(destination, LOCK_FILE))
  if (lock !== undefined) return lock
  throw new BackupError({ code: 'destination_in_use', destination }, `Another backup into ${destination} is under way`)
}

/** The newest one, if it can be read: what lies in it need not be copied again. */
export async function newestReadable(destination: string): Promise<StoredBackup | undefined> {
  for (const id of (await backupIds(destination)).toReversed()) {
    try {
      return await findBackup(destination, id)
    } catch (error) {
      // A damaged one is nothing to build on; whoever verifies or restores it is told.
      if (!(error instanceof BackupError)) throw error
    }
  }
  return undefined
}

/** Removes what a backup left that broke off, then makes the folder of a new one, later than all others by name. */
export async function beginBackup(
  destination: string,
  fileSystem: FileSystem,
  nowMs: number,
): Promise<{ readonly id: string; readonly createdAt: Date; readonly folder: string }> {
  for (const name of await readdir(destination)) {
    if (name.startsWith(INCOMPLETE)) await fileSystem.removeTree(join(destination, name))
  }
  const newest = (await backupIds(destination)).at(-1)
  // Also where the clock was put back, or two are made within a millisecond.
  const id = idOf(Math.max(nowMs, newest === undefined ? 0 : timeOf(newest) + 1))
  const folder = join(destination, `${INCOMPLETE}${id}`)
  await fileSystem.makeDirectory(folder, 0o700)
  return { id, createdAt: new Date(nowMs), folder }
}

/** From here on it is a backup. */
export async function publishBackup(
  destination: string,
  fileSystem: FileSystem,
  { id, folder }: { readonly id: string; readonly folder: string },
): Promise<string> {
  const path = join(destination, id)
  await fileSystem.rename(folder, path)
  await fileSystem.syncDirectory(destination)
  return path
}

function idOf(ms: number): string {
  return new Date(ms).toISOString().replace(/[-:.]/g, '')
}

function timeOf(id: string): number {
  return Date.parse(id.replace(/^(\d{4})(\d\d)(\d\d)T(\d\d)(\d\d)(\d\d)(\d{3})Z$/, '$1-$2-$3T$4:$5:$6.$7Z'))
}

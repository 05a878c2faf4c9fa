import { dirname, join } from 'node:path'

import { hasErrorCode } from '../../errors.ts'
import { Database } from '../database/database.ts'
import { isDiskFull } from '../error.ts'
import type { FileSystem } from '../file-system.ts'
import { createBareRepository } from '../repositories/bare-repository.ts'
import { projectAll } from '../repositories/projection.ts'
import { checkTogether, readChecked } from './check-backup.ts'
import type { Progress } from './create-backup.ts'
import { DatabaseCopy } from './database-copy.ts'
import { findBackup, type StoredBackup } from './destination.ts'
import { BackupError } from './error.ts'
import { copyFile } from './file-digest.ts'
import { DATABASE_FILE, type Manifest, repositoryFolder, totalBytes } from './manifest.ts'
import { RestoreTarget } from './restore-target.ts'

/** As of what is pushed: the data directory is for the owner alone. */
const OBJECT_MODE = 0o644

export interface RestoreOptions {
  /** Where backups lie. */
  readonly from: string
  /** undefined: the newest */
  readonly id: string | undefined
  /** Data directory to be. */
  readonly directory: string
  /** Whether what is there may go to another name. */
  readonly replace: boolean
  readonly fileSystem: FileSystem
  readonly onProgress: (progress: Progress) => void
}

export interface RestoreReport {
  readonly directory: string
  readonly manifest: Manifest
  /** Where what was there lies now. */
  readonly replaced: string | undefined
}

/**
 * Makes a data directory of a backup: beside the place where it belongs, read and checked to the last object; only then
 * it takes that place.
 *
 * @throws BackupError backup_missing, backup_damaged, backup_version, database_damaged, directory_not_empty,
 *   not_a_data_directory, restore_under_way, destination_full
 * @throws StorageError data_directory_in_use
 */
export async function restoreBackup(options: RestoreOptions): Promise<RestoreReport> {
  const { from, id, directory, replace, fileSystem } = options
  const backup = await findBackup(from, id)
  const target = await RestoreTarget.take(directory, replace, fileSystem)
  try {
    try {
      await fill(target, backup, options)
      return { directory: target.path, manifest: backup.manifest, replaced: await target.swap() }
    } catch (error) {
      await target.discard()
      throw error
    }
  } catch (cause) {
    if (!isDiskFull(cause)) throw cause
    const message = `The disk of ${directory} is full`
    throw new BackupError({ code: 'destination_full', destination: directory }, message, { cause })
  } finally {
    target.release()
  }
}

async function fill(
  { stage }: RestoreTarget,
  { path: backup, manifest }: StoredBackup,
  { fileSystem, onProgress }: RestoreOptions,
): Promise<void> {
  const total = totalBytes(manifest)
  let doneBytes = 0
  const take = (path: string, expected: { bytes: number; sha256: string }, mode?: number): Promise<void> =>
    readChecked(backup, path, expected, (source) =>
      copyFile(source, join(stage.root, path), fileSystem, {
        ...(mode !== undefined && { mode }),
        onBytes: (bytes) => onProgress({ doneBytes: (doneBytes += bytes), totalBytes: total }),
      }),
    )
  await take(DATABASE_FILE, manifest.database)
  const heads = headsIn(stage.database)
  for (const repository of manifest.repositories) {
    const folder = repositoryFolder(repository)
    const path = join(stage.root, folder)
    await makeMissing(fileSystem, dirname(path))
    await createBareRepository(fileSystem, path, heads.get(repository.id) ?? 'refs/heads/main')
    for (const file of repository.files) {
      await makeMissing(fileSystem, join(path, dirname(file.path)))
      await take(`${folder}/${file.path}`, file, OBJECT_MODE)
    }
    const folders = new Set(['objects/pack', ...repository.files.map((file) => dirname(file.path)), 'objects', '.'])
    for (const one of folders) await fileSystem.syncDirectory(join(path, one))
    await fileSystem.syncDirectory(dirname(path))
  }
  await fileSystem.syncDirectory(stage.repositories)
  for (const { repository, refs } of checkTogether(stage.root, manifest)) {
    await projectAll(fileSystem, join(stage.root, repositoryFolder(repository)), refs)
  }
  // Brings the tables of an older version up to date, before anything depends on it.
  await (await Database.open(stage.database)).close()
}

function headsIn(database: string): ReadonlyMap<string, string> {
  const copy = new DatabaseCopy(database, { readOnly: true })
  try {
    return new Map(copy.repositories().map(({ id, head }) => [id, head]))
  } finally {
    copy.close()
  }
}

async function makeMissing(fileSystem: FileSystem, path: string): Promise<void> {
  try {
    await fileSystem.makeDirectory(path)
  } catch (error) {
    if (!hasErrorCode(error, 'EEXIST')) throw error
  }
}

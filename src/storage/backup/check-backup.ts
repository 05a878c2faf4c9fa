import { join } from 'node:path'

import { PackError } from '../../git/pack/error.ts'
import { StorageError } from '../error.ts'
import { ObjectStore } from '../objects/object-store.ts'
import { walkClosure } from '../repositories/closure.ts'
import type { ProjectedRef } from '../repositories/projection.ts'
import { type CopiedRepository, DatabaseCopy } from './database-copy.ts'
import type { StoredBackup } from './destination.ts'
import { backupDamaged } from './error.ts'
import { digestFile, type FileDigest, sizeInside } from './file-digest.ts'
import { DATABASE_FILE, type Manifest, repositoryFolder, totalBytes } from './manifest.ts'
import type { Progress } from './create-backup.ts'

/** Of each repository in turn, for trees and deltas that the walk meets again. */
const STORE_CACHE_BYTES = 64 * 1024 * 1024

interface CheckedRepository {
  readonly repository: CopiedRepository
  readonly refs: readonly ProjectedRef[]
}

/** What the manifest says about one file. */
interface Expected {
  readonly bytes: number
  readonly sha256: string
}

/**
 * Reads one file of a backup, and compares it with the manifest.
 *
 * @param path below the backup
 * @param read reads it through
 * @throws BackupError backup_damaged
 */
export async function readChecked(
  backup: string,
  path: string,
  expected: Expected,
  read: (source: string) => Promise<FileDigest> = digestFile,
): Promise<void> {
  const whole = join(backup, path)
  // Before anything is spent on it.
  if ((await sizeInside(backup, path)) !== expected.bytes) throw backupDamaged(whole, 'has not the size it had')
  const { bytes, sha256 } = await read(whole)
  if (bytes !== expected.bytes || sha256 !== expected.sha256) throw backupDamaged(whole, 'does not match its checksum')
}

/**
 * Whether the database and the objects that lie below a folder belong together: the repositories of the one are those
 * of the manifest, and every ref has all that it needs. What each file holds has been compared before.
 *
 * @param root of a backup, or of what is restored from it
 * @throws BackupError backup_damaged, database_damaged
 */
export function checkTogether(root: string, { repositories: listed }: Manifest): CheckedRepository[] {
  const database = new DatabaseCopy(join(root, DATABASE_FILE), { readOnly: true })
  try {
    const known = database.repositories()
    const names = (ones: readonly { id: string; owner: string; name: string }[]): string =>
      ones
        .map(({ id, owner, name }) => `${owner}/${name} ${id}`)
        .sort()
        .join('\n')
    if (names(known) !== names(listed)) throw backupDamaged(root, 'has other repositories in its database than on disk')
    return known.map((repository) => {
      const refs = database.refs(repository.id)
      checkObjects(root, repository, refs)
      return { repository, refs }
    })
  } finally {
    database.close()
  }
}

function checkObjects(root: string, repository: CopiedRepository, refs: readonly ProjectedRef[]): void {
  const path = join(root, repositoryFolder(repository))
  let store: ObjectStore | undefined
  try {
    store = ObjectStore.held(path, STORE_CACHE_BYTES)
    walkClosure(
      store,
      refs.map(({ oid }) => oid),
    )
  } catch (cause) {
    if (cause instanceof StorageError || cause instanceof PackError) throw backupDamaged(path, cause.message, cause)
    throw cause
  } finally {
    store?.close()
  }
}

/**
 * Reads all of a backup where it lies.
 *
 * @throws BackupError backup_damaged, database_damaged
 */
export async function verifyBackup(
  { path, manifest }: StoredBackup,
  onProgress: (progress: Progress) => void,
): Promise<void> {
  const total = totalBytes(manifest)
  let doneBytes = 0
  const check = async (file: string, expected: Expected): Promise<void> => {
    await readChecked(path, file, expected)
    doneBytes += expected.bytes
    onProgress({ doneBytes, totalBytes: total })
  }
  await check(DATABASE_FILE, manifest.database)
  for (const repository of manifest.repositories) {
    for (const file of repository.files) await check(`${repositoryFolder(repository)}/${file.path}`, file)
  }
  checkTogether(path, manifest)
}

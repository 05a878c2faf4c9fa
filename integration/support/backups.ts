/** Making, restoring and damaging backups in this process, beside a node in its own. */
import { createHash } from 'node:crypto'
import { readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { type BackupReport, createBackup } from '../../src/storage/backup/create-backup.ts'
import { type RestoreReport, restoreBackup } from '../../src/storage/backup/restore-backup.ts'
import { dataPaths } from '../../src/storage/data-directory.ts'
import { diskFileSystem, type FileSystem } from '../../src/storage/file-system.ts'

/**
 * @param beforeFile is awaited before each file of the backup is made: what happens in it happens, for the backup, between
 *   its listing and its copies
 */
export function backUp(
  dataDirectory: string,
  destination: string,
  beforeFile: (path: string) => Promise<void> = async () => {},
): Promise<BackupReport> {
  return backUpOn(dataDirectory, destination, {
    ...diskFileSystem,
    async create(path, mode) {
      await beforeFile(path)
      return diskFileSystem.create(path, mode)
    },
  })
}

export function backUpOn(dataDirectory: string, destination: string, fileSystem: FileSystem): Promise<BackupReport> {
  return createBackup({
    paths: dataPaths(dataDirectory),
    destination,
    version: 'test',
    fileSystem,
    onProgress: () => {},
  })
}

export function restoreFrom(
  from: string,
  directory: string,
  options: { readonly id?: string; readonly replace?: true } = {},
): Promise<RestoreReport> {
  const { id, replace = false } = options
  return restoreBackup({ from, id, directory, replace, fileSystem: diskFileSystem, onProgress: () => {} })
}

/** Turns one bit. @param at from the end where negative */
export function flipBit(path: string, at: number): void {
  const bytes = readFileSync(path)
  const place = at < 0 ? bytes.length + at : at
  bytes.writeUInt8((bytes[place] ?? 0) ^ 1, place)
  writeFileSync(path, bytes)
}

/** A manifest that says something else, with a checksum that is right: written by somebody who knows the format. */
export function rewriteManifest(folder: string, change: (manifest: ForgedManifest) => void): void {
  const path = join(folder, 'manifest.json')
  const manifest = JSON.parse(readFileSync(path, 'utf8')) as ForgedManifest
  change(manifest)
  const text = JSON.stringify(manifest)
  writeFileSync(path, text)
  writeFileSync(`${path}.sha256`, `${createHash('sha256').update(text).digest('hex')}  manifest.json\n`)
}

export interface ForgedManifest {
  version: number
  repositories: { owner: string; name: string; files: { path: string; bytes: number; sha256: string }[] }[]
}

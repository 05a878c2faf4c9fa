import { existsSync } from 'node:fs'
import { join } from 'node:path'
import { setTimeout as delay } from 'node:timers/promises'

import type { DataPaths } from '../data-directory.ts'
import { isFull } from '../database/sqlite.ts'
import { isDiskFull } from '../error.ts'
import type { FileSystem } from '../file-system.ts'
import { RepositoryCopier } from './copy-repository.ts'
import { type CopiedRepository, DatabaseCopy } from './database-copy.ts'
import { beginBackup, newestReadable, publishBackup, takeDestination } from './destination.ts'
import { BackupError } from './error.ts'
import { copyFile } from './file-digest.ts'
import { FolderTree } from './folder-tree.ts'
import { LiveDatabase } from './live-database.ts'
import {
  DATABASE_FILE,
  FORMAT_VERSION,
  type Manifest,
  type ManifestRepository,
  repositoryFolder,
  totalBytes,
  writeManifest,
} from './manifest.ts'
import { listObjectFiles, type ObjectFile } from './object-files.ts'

const SNAPSHOT_FILE = 'snapshot.db'
/** Pushes wait for so long at once, and then get their turn: SQLite asks for a lock every 100 ms. */
const LISTING_MS_MAX = 100
const TURN_MS = 150

export interface Progress {
  readonly doneBytes: number
  readonly totalBytes: number
}

export interface BackupOptions {
  readonly paths: DataPaths
  readonly destination: string
  readonly fileSystem: FileSystem
  /** Of this Guts. */
  readonly version: string
  readonly onProgress: (progress: Progress) => void
}

export interface BackupReport {
  readonly path: string
  readonly manifest: Manifest
  /** Of the whole backup. */
  readonly bytes: number
  /** Of objects that were written; the others are links into the backup before. */
  readonly copiedBytes: number
}

/**
 * Makes a backup, beside a running node or without one.
 *
 * Consistent without a pause, because objects come before refs: the database is copied first, as it is at one moment,
 * then the packs of each repository are listed while no transaction can be committed, and copied. What is listed then
 * holds everything that the refs of that moment need, and whatever it holds beyond that has all that it needs with it.
 *
 * @throws BackupError no_data, destination_in_use, destination_in_data, destination_full, database_damaged
 */
export async function createBackup(options: BackupOptions): Promise<BackupReport> {
  const { paths, destination, fileSystem } = options
  if (!existsSync(paths.database)) {
    throw new BackupError({ code: 'no_data', directory: paths.root }, `There are no data of Guts in ${paths.root}`)
  }
  const lock = await takeDestination(destination, paths.root)
  try {
    const live = new LiveDatabase(paths.database)
    try {
      const begun = await beginBackup(destination, fileSystem, Date.now())
      try {
        const { manifest, copiedBytes } = await new BackupRun(options, live, begun).run()
        const path = await publishBackup(destination, fileSystem, begun)
        return { path, manifest, bytes: totalBytes(manifest), copiedBytes }
      } catch (error) {
        await fileSystem.removeTree(begun.folder)
        throw error
      }
    } finally {
      live.close()
    }
  } catch (cause) {
    if (!isDiskFull(cause) && !isFull(cause)) throw cause
    throw new BackupError({ code: 'destination_full', destination }, `The disk of ${destination} is full`, { cause })
  } finally {
    lock.release()
  }
}

interface Listed {
  readonly repository: CopiedRepository
  readonly files: readonly ObjectFile[]
}

class BackupRun {
  readonly #options: BackupOptions
  readonly #live: LiveDatabase
  readonly #begun: { readonly id: string; readonly createdAt: Date }
  readonly #tree: FolderTree
  readonly #leftOut: Manifest['left_out'] = []
  #totalBytes = 0
  #doneBytes = 0
  #copiedBytes = 0

  constructor(
    options: BackupOptions,
    live: LiveDatabase,
    begun: { readonly id: string; readonly createdAt: Date; readonly folder: string },
  ) {
    this.#options = options
    this.#live = live
    this.#begun = begun
    this.#tree = new FolderTree(begun.folder, options.fileSystem)
  }

  async run(): Promise<{ manifest: Manifest; copiedBytes: number }> {
    const { fileSystem, version } = this.#options
    const snapshotPath = join(this.#tree.root, SNAPSHOT_FILE)
    this.#live.copyInto(snapshotPath)
    const snapshot = new DatabaseCopy(snapshotPath, { readOnly: false })
    let repositories: ManifestRepository[]
    try {
      snapshot.settle()
      repositories = await this.#copyRepositories(snapshot)
    } finally {
      snapshot.close()
    }
    const database = await copyFile(snapshotPath, join(this.#tree.root, DATABASE_FILE), fileSystem, {
      onBytes: () => {},
    })
    await fileSystem.unlink(snapshotPath)
    const manifest: Manifest = {
      format: 'guts backup',
      version: FORMAT_VERSION,
      id: this.#begun.id,
      created_at: this.#begun.createdAt.toISOString(),
      guts_version: version,
      database: { bytes: database.bytes, sha256: database.sha256 },
      repositories,
      left_out: this.#leftOut,
    }
    await writeManifest(fileSystem, this.#tree.root, manifest)
    await this.#tree.sync()
    return { manifest, copiedBytes: this.#copiedBytes }
  }

  async #copyRepositories(snapshot: DatabaseCopy): Promise<ManifestRepository[]> {
    const { destination, fileSystem, paths } = this.#options
    const copier = new RepositoryCopier({
      fileSystem,
      dataDirectory: paths.root,
      tree: this.#tree,
      previous: await newestReadable(destination),
      list: (repository) => this.#live.whileNobodyWrites(() => this.#list(repository)),
      onBytes: (bytes, copied) => this.#count(bytes, copied),
    })
    const copied: ManifestRepository[] = []
    for (const { repository, files } of await this.#listAll(snapshot)) {
      const { id, owner, name } = repository
      const tips = snapshot.refs(id).map(({ oid }) => oid)
      const done = await this.#orLeaveOut(snapshot, repository, () => copier.copy(repository, files, tips))
      if (done !== undefined) copied.push({ owner, name, id, files: done })
    }
    return copied
  }

  async #listAll(snapshot: DatabaseCopy): Promise<Listed[]> {
    const waiting = snapshot.repositories()
    const listed: Listed[] = []
    while (waiting.length > 0) {
      const looked = this.#live.whileNobodyWrites(() => {
        const untilMs = performance.now() + LISTING_MS_MAX
        const outcomes: { repository: CopiedRepository; outcome: ObjectFile[] | BackupError }[] = []
        do {
          const repository = waiting.shift() as CopiedRepository
          outcomes.push({ repository, outcome: this.#tryToList(repository) })
        } while (waiting.length > 0 && performance.now() < untilMs)
        return outcomes
      })
      for (const { repository, outcome } of looked) {
        const files = await this.#orLeaveOut(snapshot, repository, async () => {
          if (outcome instanceof BackupError) throw outcome
          return outcome
        })
        if (files !== undefined) listed.push({ repository, files })
      }
      if (waiting.length > 0) await delay(TURN_MS)
    }
    this.#totalBytes = listed.reduce((sum, { files }) => files.reduce((part, { bytes }) => part + bytes, sum), 0)
    return listed
  }

  #tryToList(repository: CopiedRepository): ObjectFile[] | BackupError {
    try {
      return this.#list(repository)
    } catch (error) {
      if (error instanceof BackupError) return error
      throw error
    }
  }

  /** While nobody writes. */
  #list(repository: CopiedRepository): ObjectFile[] {
    const name = `${repository.owner}/${repository.name}`
    if (!this.#live.isThere(repository.id)) {
      throw new BackupError({ code: 'folder_gone', repository: name }, `${name} was deleted`)
    }
    return listObjectFiles(join(this.#options.paths.root, repositoryFolder(repository)), name)
  }

  /**
   * One broken repository keeps no other from being saved. One that was deleted since the database was copied is
   * deleted in the backup as well: what lies in its place may be another one by now.
   */
  async #orLeaveOut<T>(
    snapshot: DatabaseCopy,
    repository: CopiedRepository,
    work: () => Promise<T>,
  ): Promise<T | undefined> {
    const { id, owner, name } = repository
    let reason: string
    try {
      const result = await work()
      if (this.#live.isThere(id)) return result
      reason = ''
    } catch (error) {
      if (!isOfRepository(error)) throw error
      reason = this.#live.isThere(id) ? error.message : ''
    }
    if (reason !== '') this.#leftOut.push({ owner, name, reason })
    snapshot.remove(id)
    await this.#tree.remove(repositoryFolder(repository))
    return undefined
  }

  #count(bytes: number, copied: boolean): void {
    this.#doneBytes += bytes
    if (copied) this.#copiedBytes += bytes
    // What came since the listing counts as well.
    const totalSoFar = Math.max(this.#totalBytes, this.#doneBytes)
    this.#options.onProgress({ doneBytes: this.#doneBytes, totalBytes: totalSoFar })
  }
}

const OF_REPOSITORY: readonly string[] = [
  'file_gone',
  'file_unreadable',
  'file_damaged',
  'folder_gone',
  'never_at_rest',
  'object_missing',
]

function isOfRepository(error: unknown): error is BackupError {
  return error instanceof BackupError && OF_REPOSITORY.includes(error.detail.code)
}

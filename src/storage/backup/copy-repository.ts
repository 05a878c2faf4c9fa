import { dirname, join } from 'node:path'

import { hasErrorCode } from '../../errors.ts'
import type { FileSystem } from '../file-system.ts'
import { ObjectStore } from '../objects/object-store.ts'
import type { CopiedRepository } from './database-copy.ts'
import type { StoredBackup } from './destination.ts'
import { BackupError } from './error.ts'
import { copyFile, endsAlike } from './file-digest.ts'
import type { FolderTree } from './folder-tree.ts'
import { type ManifestFile, repositoryFolder } from './manifest.ts'
import { neverAtRest, type ObjectFile } from './object-files.ts'

/** Listings in a row of a repository whose packs are replaced while they are copied. */
const LISTINGS_MAX = 5
/** Hardly used: the store is only asked whether it has something. */
const STORE_CACHE_BYTES = 1024 * 1024

export interface CopyParts {
  readonly fileSystem: FileSystem
  /** Of the source: the data directory. */
  readonly dataDirectory: string
  /** Of the new backup. */
  readonly tree: FolderTree
  readonly previous: StoredBackup | undefined
  /** @throws as `listObjectFiles`, and folder_gone where the repository was deleted */
  readonly list: (repository: CopiedRepository) => ObjectFile[]
  /** @param copied whether it was written, and not linked */
  readonly onBytes: (bytes: number, copied: boolean) => void
}

/** Copies the objects of repositories, or links to those that the backup before has. */
export class RepositoryCopier {
  readonly #parts: CopyParts
  /** Of the backup before: by path below it. */
  readonly #known: ReadonlyMap<string, ManifestFile>

  constructor(parts: CopyParts) {
    this.#parts = parts
    const repositories = parts.previous?.manifest.repositories ?? []
    this.#known = new Map(
      repositories.flatMap((one) => one.files.map((file) => [`${repositoryFolder(one)}/${file.path}`, file] as const)),
    )
  }

  /**
   * Everything that one listing names. Where something of it went away meanwhile, an operator's `git gc` has put
   * something else in its place, and the next listing has that.
   *
   * @param tips what the refs in the backup name
   * @returns the files, in the order of the listing
   * @throws BackupError about this repository alone: file_gone, file_unreadable, file_damaged, folder_gone,
   *   never_at_rest, object_missing; anything else is about the destination
   */
  async copy(
    repository: CopiedRepository,
    listing: readonly ObjectFile[],
    tips: readonly string[],
  ): Promise<ManifestFile[]> {
    const folder = repositoryFolder(repository)
    await this.#parts.tree.ensure(`${folder}/objects/pack`)
    const done = new Map<string, ManifestFile>()
    let files = listing
    for (let listings = 1; !(await this.#copyAll(folder, files, done)); listings++) {
      if (listings === LISTINGS_MAX) throw neverAtRest(`${repository.owner}/${repository.name}`)
      files = this.#parts.list(repository)
    }
    const wanted = new Set(files.map(({ path }) => path))
    for (const path of done.keys()) {
      if (!wanted.has(path)) await this.#parts.fileSystem.unlink(join(this.#parts.tree.root, folder, path))
    }
    this.#assertTips(repository, tips)
    return files.flatMap(({ path }) => done.get(path) ?? [])
  }

  /** @returns false where a file is not there any more */
  async #copyAll(folder: string, files: readonly ObjectFile[], done: Map<string, ManifestFile>): Promise<boolean> {
    try {
      for (const file of files) {
        if (!done.has(file.path)) done.set(file.path, await this.#copyOne(folder, file))
      }
      return true
    } catch (error) {
      if (error instanceof BackupError && error.detail.code === 'file_gone') return false
      throw error
    }
  }

  async #copyOne(folder: string, { path, bytes }: ObjectFile): Promise<ManifestFile> {
    const { dataDirectory, tree, fileSystem, onBytes } = this.#parts
    const place = `${folder}/${path}`
    const source = join(dataDirectory, place)
    await tree.ensure(dirname(place))
    const target = join(tree.root, place)
    if (await this.#link(place, source, target)) {
      onBytes(bytes, false)
      return this.#known.get(place) as ManifestFile
    }
    const digest = await copyFile(source, target, fileSystem, { onBytes: (count) => onBytes(count, true) })
    if (path.startsWith('objects/pack/') && !digest.isSealed) {
      throw new BackupError({ code: 'file_damaged', path: source }, `${source} is damaged: its checksum is wrong`)
    }
    return { path, bytes: digest.bytes, sha256: digest.sha256 }
  }

  /** A pack never changes under its name, and its last bytes are the checksum of all others. */
  async #link(place: string, source: string, target: string): Promise<boolean> {
    const { previous, fileSystem } = this.#parts
    if (previous === undefined || !this.#known.has(place)) return false
    const stored = join(previous.path, place)
    if (!(await endsAlike(source, stored))) return false
    try {
      await fileSystem.link(stored, target)
      return true
    } catch (error) {
      // File systems without links, or with as many to this file as they can have: then it is copied.
      if (hasErrorCode(error, 'EPERM', 'ENOTSUP', 'EOPNOTSUPP', 'EMLINK', 'ENOSYS')) return false
      throw error
    }
  }

  /** To hold them also compares packs with their indexes. */
  #assertTips(repository: CopiedRepository, tips: readonly string[]): void {
    const name = `${repository.owner}/${repository.name}`
    const missing = (what: string, cause?: unknown): BackupError =>
      new BackupError({ code: 'object_missing', repository: name }, `${name} is damaged: ${what}`, { cause })
    let store: ObjectStore
    try {
      store = ObjectStore.held(join(this.#parts.tree.root, repositoryFolder(repository)), STORE_CACHE_BYTES)
    } catch (cause) {
      throw missing(cause instanceof Error ? cause.message : String(cause), cause)
    }
    try {
      const lost = tips.find((tip) => !store.has(Buffer.from(tip, 'hex')))
      if (lost !== undefined) throw missing(`object ${lost}, which a ref named when the backup began, is not there`)
    } finally {
      store.close()
    }
  }
}

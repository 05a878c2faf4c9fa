import type { Logger } from '../observability/logging.ts'
import type { FileSystem } from '../storage/file-system.ts'
import type { ObserveStorage } from '../storage/observe.ts'
import {
  ensureRefsFolder,
  projectAll,
  projectChanges,
  projectHead,
  readProjection,
  removeTemporaries,
} from '../storage/repositories/projection.ts'
import type { RefStore, RefUpdate } from '../storage/repositories/ref-store.ts'
import type { RepositoryFiles } from '../storage/repositories/repository-files.ts'
import type { RepositoryRef } from './git-request.ts'

export interface ProjectorParts {
  readonly fileSystem: FileSystem
  readonly files: RepositoryFiles
  readonly refs: RefStore
  readonly observe: ObserveStorage
  readonly logger: Logger
}

/** Keeps the refs on disk as the database has them (DESIGN §6). */
export class RefProjector {
  readonly #parts: ProjectorParts
  /** Repositories whose refs on disk are behind since a disk error. */
  readonly #behind = new Set<string>()

  constructor(parts: ProjectorParts) {
    this.#parts = parts
  }

  /** Never rejects: the change is made and acknowledged; what cannot be shown now is shown with the next one. */
  async show(repository: RepositoryRef, updates: readonly RefUpdate[], head: string | undefined): Promise<boolean> {
    const { fileSystem, files, refs, observe, logger } = this.#parts
    const path = files.path(repository)
    try {
      await observe('refs_project', async () => {
        if (this.#behind.has(repository.id)) return this.#showAll(repository)
        await projectChanges(fileSystem, path, updates, async () => refs.snapshot(repository.id).refs)
        if (head !== undefined) await projectHead(fileSystem, path, head)
      })
      this.#behind.delete(repository.id)
      return true
    } catch (err) {
      this.#behind.add(repository.id)
      logger.error({ err }, 'The refs on disk could not be written; they are behind the database')
      return false
    }
  }

  /**
   * At start: writes the refs on disk anew where they differ from the database, and says so. One broken repository
   * keeps no other from being served.
   */
  async showAllAtStart(repositories: Iterable<RepositoryRef>): Promise<void> {
    const { fileSystem, files, refs, logger } = this.#parts
    for (const repository of repositories) {
      try {
        await ensureRefsFolder(fileSystem, files.path(repository))
        await removeTemporaries(fileSystem, files.path(repository))
        const shown = await readProjection(files.path(repository))
        const { head, refs: wanted } = refs.snapshot(repository.id)
        const same =
          shown.head === head &&
          shown.refs.size === wanted.length &&
          wanted.every(({ name, oid }) => shown.refs.get(name) === oid)
        if (!same) {
          logger.warn(
            { repository: `${repository.owner}/${repository.name}`, refs: wanted.length, found: shown.refs.size },
            'The refs on disk differ from the database, and are written anew',
          )
          await this.#showAll(repository)
        }
        await files.packs.tidy(repository)
      } catch (err) {
        this.#behind.add(repository.id)
        logger.error(
          { err, repository: `${repository.owner}/${repository.name}` },
          'A repository could not be prepared',
        )
      }
    }
  }

  async #showAll(repository: RepositoryRef): Promise<void> {
    const { fileSystem, files, refs } = this.#parts
    const snapshot = refs.snapshot(repository.id)
    await projectAll(fileSystem, files.path(repository), snapshot.refs)
    await projectHead(fileSystem, files.path(repository), snapshot.head)
  }
}

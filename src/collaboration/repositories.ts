import assert from 'node:assert/strict'
import { randomUUIDv7 } from 'node:crypto'

import { RequestError } from '../errors.ts'
import { annotateContext } from '../observability/context.ts'
import type { Logger } from '../observability/logging.ts'
import { ConstraintError, type Database } from '../storage/database/database.ts'
import type { Statement } from '../storage/database/write.ts'
import { leaseLost, StorageError } from '../storage/error.ts'
import type { KeyedMutex } from '../storage/keyed-mutex.ts'
import type { Lease } from '../storage/lease.ts'
import type { ObserveStorage } from '../storage/observe.ts'
import type { MirrorFacts, MirrorRow } from '../storage/repositories/mirror-row.ts'
import type { RefStore } from '../storage/repositories/ref-store.ts'
import type { RepositoryFiles, RepositoryName } from '../storage/repositories/repository-files.ts'
import type { WriteGate } from '../storage/write-gate.ts'
import { ownerName, repositoryName } from '../validation/names.ts'
import type { Caller } from './caller.ts'
import type { PageOf, PageRequest } from './page.ts'
import { type FoundRepository, mirrorSentence, RepositoryCatalog } from './repository-catalog.ts'
import {
  deleteStatement,
  describeMirrorStatement,
  insertMirrorStatements,
  insertStatement,
  markDeletedStatement,
  branchExistsStatement,
  noSuchBranch,
  type RepositoryChange,
  repositoryGone,
  updateStatement,
} from './repository-statements.ts'

export interface RepositoriesParts {
  readonly database: Database
  readonly lease: Pick<Lease, 'guard'>
  readonly refs: Pick<RefStore, 'append'>
  readonly files: RepositoryFiles
  readonly writeGate: WriteGate
  /** By `owner/name`: shared with whoever else changes what lies in a repository's folder. */
  readonly locks: KeyedMutex
  /** Shows on disk what HEAD is now; what it cannot show it shows later, and never rejects. */
  readonly showHead: (repository: { id: string; owner: string; name: string }, head: string) => Promise<unknown>
  readonly observe: ObserveStorage
  readonly logger: Pick<Logger, 'error'>
}

export interface NewRepository {
  /** Without one the caller. */
  readonly owner?: string | undefined
  readonly name: string
  readonly description: string
  readonly private: boolean
}

/** A repository that is to be: its folder, and the statements that make its row. */
interface Making extends RepositoryName {
  readonly head: string
  readonly statements: readonly Statement[]
  /** What to throw where another repository has the name. */
  readonly taken: (cause?: unknown) => RequestError
}

const BRANCH_DEFAULT = 'main'

/** Repositories as people have them: folder and row come and go together, and only for those with the right. */
export class Repositories {
  readonly #parts: RepositoriesParts
  readonly #catalog: RepositoryCatalog
  readonly #head: string

  /** @param defaultBranch what HEAD of a new repository points to; else `main`, and the first push decides */
  constructor(parts: RepositoriesParts, defaultBranch?: string) {
    this.#parts = parts
    this.#catalog = new RepositoryCatalog(parts.database)
    this.#head = `refs/heads/${defaultBranch ?? BRANCH_DEFAULT}`
  }

  /** The one way to a repository. Hidden and missing are the same. */
  find(owner: string, name: string, caller: Caller | undefined): FoundRepository | undefined {
    return this.#catalog.find(owner, name, caller)
  }

  list(
    page: PageRequest & { readonly owner?: string | undefined },
    caller: Caller | undefined,
  ): PageOf<FoundRepository> {
    return this.#catalog.list(page, caller)
  }

  /**
   * The folder comes before the row, which makes it a repository; when the row fails, the folder goes again.
   *
   * @param repository its names were checked by `validation/names.ts`
   * @throws RequestError forbidden, not_found (an administrator named an owner that is not there), conflict, unavailable
   */
  async create(repository: NewRepository, caller: Caller): Promise<FoundRepository> {
    const owner = this.#ownerFor(repository.owner ?? caller.username, caller)
    const { name, description, private: hidden } = repository
    const row = { ownerId: owner.id, name, description, private: hidden, head: this.#head }
    const place = { owner: owner.name, name }
    this.#assertMakeable(place)
    annotateContext({ repository: `${owner.name}/${name}` })
    const statements = [insertStatement(row)]
    await this.#make({ ...place, head: this.#head, statements, taken: (cause) => taken(place, cause) })
    const made = this.find(owner.name, name, caller)
    if (made === undefined) throw new RequestError({ code: 'conflict' }, 'The repository was deleted meanwhile')
    return made
  }

  /**
   * Makes the empty copy of another node's repository, which its log then fills.
   *
   * @param mirror its names were checked by `validation/names.ts`
   * @returns its id here
   * @throws RequestError conflict: another repository has the name; unavailable
   */
  async createMirror(mirror: MirrorRow): Promise<string> {
    const { owner, name, head } = mirror
    this.#assertMakeable(mirror)
    const id = randomUUIDv7()
    const statements = insertMirrorStatements(id, mirror)
    await this.#make({ owner, name, head, statements, taken: (cause) => takenFromMirror(mirror, cause) })
    return id
  }

  /** Writes only where something differs: it is called for each repository each time that a home is asked. */
  async describeMirror(id: string, facts: MirrorFacts): Promise<void> {
    const { database, lease } = this.#parts
    if (this.#catalog.isDescribed(id, facts)) return
    await database.write([lease.guard(), describeMirrorStatement(id, facts)])
  }

  /** @throws RequestError forbidden, conflict, not_found, validation_error (the branch is not there), unavailable */
  async update(repository: FoundRepository, change: RepositoryChange): Promise<void> {
    assertMayWrite(repository)
    if (repository.mirrorOf !== undefined) {
      throw new RequestError({ code: 'conflict' }, mirrorSentence(repository, repository.mirrorOf))
    }
    this.#parts.writeGate.assertWritable()
    const { lease, database, locks } = this.#parts
    await locks.run(`${repository.owner}/${repository.name}`, async () => {
      const update = updateStatement(repository.id, change)
      if (change.defaultBranch !== undefined)
        return this.#setHead(repository, `refs/heads/${change.defaultBranch}`, update)
      const outcome = await database.write([lease.guard(), update])
      if (!outcome.committed) throw refusedWrite(outcome.failedStatement)
    })
  }

  /** Where HEAD points is part of what mirrors follow: it has its entry in the log. */
  async #setHead(repository: FoundRepository, head: string, update: Statement): Promise<void> {
    const { refs, showHead } = this.#parts
    const change = { repositoryId: repository.id, updates: [], userId: null, head, isPush: false }
    const outcome = await refs.append(change, [update, branchExistsStatement(repository.id, head)])
    if (!outcome.committed) throw outcome.failedStatement === 1 ? noSuchBranch() : repositoryGone()
    await showHead(repository, head)
  }

  /** Gone for everybody at once; a crash after that is finished at the next start. @throws RequestError as `update` */
  async remove(repository: FoundRepository): Promise<void> {
    assertMayWrite(repository)
    this.#parts.writeGate.assertWritable()
    const { lease, database, locks } = this.#parts
    await locks.run(`${repository.owner}/${repository.name}`, () =>
      this.#parts.observe('repository_delete', async () => {
        const outcome = await database.write([lease.guard(), markDeletedStatement(repository.id)])
        if (!outcome.committed) throw refusedWrite(outcome.failedStatement)
        await this.#finishRemoval(repository)
      }),
    )
  }

  /**
   * What a crash left between two steps: repositories marked as deleted go, and so do folders that never got their row.
   * For the start, before anybody can ask.
   *
   * @returns folders with something in them that no repository stands for: `guts repo recover` may know them
   */
  async finishInterrupted(): Promise<{ readonly removed: number; readonly unknownFolders: readonly string[] }> {
    const { database, files } = this.#parts
    const rows = await database.read
      .selectFrom('repositories')
      .innerJoin('owners', 'owners.id', 'repositories.owner_id')
      .select(['repositories.id', 'owners.name as owner', 'repositories.name', 'deleted_at'])
      .execute()
    const known = new Set(rows.map(({ owner, name }) => `${owner}/${name}`))
    const deleted = rows.filter((row) => row.deleted_at !== null)
    for (const row of deleted) await this.#finishRemoval(row)
    let removed = deleted.length
    const unknownFolders: string[] = []
    for (const folder of await files.folders()) {
      const name = `${folder.owner}/${folder.name}`
      if (known.has(name)) continue
      if (await files.removeUnused(folder)) removed++
      else unknownFolders.push(name)
    }
    return { removed, unknownFolders }
  }

  #ownerFor(name: string, caller: Caller): { readonly id: string; readonly name: string } {
    if (name === caller.username) return { id: caller.userId, name }
    // The same words whether the owner is there or not.
    if (!caller.admin) throw new RequestError({ code: 'forbidden' }, 'You may not create repositories for this owner')
    const row = this.#parts.database.reader.prepare('SELECT id FROM owners WHERE name = ?').get(name) as
      | { id: string }
      | undefined
    if (row === undefined) throw new RequestError({ code: 'not_found' }, 'Owner not found')
    return { id: row.id, name }
  }

  #assertMakeable({ owner, name }: RepositoryName): void {
    assert(ownerName.safeParse(owner).success && repositoryName.safeParse(name).success, 'callers check names')
    this.#parts.writeGate.assertWritable()
  }

  async #make(making: Making): Promise<void> {
    const { owner, name } = making
    const { locks, observe } = this.#parts
    await locks.run(`${owner}/${name}`, () => observe('repository_create', () => this.#makeAlone(making)))
  }

  /** Under the repository's lock. */
  async #makeAlone({ owner, name, head, statements, taken: nameTaken }: Making): Promise<void> {
    const { database, files, lease } = this.#parts
    const former = this.#rowAt(owner, name)
    if (former !== undefined && former.deleted_at === null) throw nameTaken()
    // Its deletion could not be finished: then it is, before the name is given again.
    if (former !== undefined) await this.#finishRemoval({ owner, name, id: former.id })
    try {
      await files.create({ owner, name }, head)
      const outcome = await database.write([lease.guard(), ...statements])
      if (!outcome.committed) throw refusedWrite(outcome.failedStatement)
    } catch (error) {
      await this.#undoCreate(owner, name)
      throw error instanceof ConstraintError || isInTheWay(error) ? nameTaken(error) : error
    }
  }

  async #undoCreate(owner: string, name: string): Promise<void> {
    const { files, logger } = this.#parts
    try {
      // A database that went away may have committed first: then the folder has its row, and stays.
      if (this.#rowAt(owner, name) === undefined) await files.removeUnused({ owner, name })
    } catch (err) {
      // What made creating fail may make this fail too; the next start removes it.
      logger.error({ err }, 'The folder of a repository that was not created is left')
    }
  }

  #rowAt(owner: string, name: string): { id: string; deleted_at: number | null } | undefined {
    const statement = this.#parts.database.reader.prepare(
      `SELECT r.id, r.deleted_at FROM owners o JOIN repositories r ON r.owner_id = o.id
        WHERE o.name = ? AND r.name = ?`,
    )
    return statement.get(owner, name) as { id: string; deleted_at: number | null } | undefined
  }

  async #finishRemoval({ id, owner, name }: { id: string; owner: string; name: string }): Promise<void> {
    const { files, database, lease } = this.#parts
    await files.remove({ owner, name })
    const outcome = await database.write([lease.guard(), deleteStatement(id)])
    if (!outcome.committed) throw refusedWrite(outcome.failedStatement)
  }
}

/** @param statement which one did not change its row: the lease's, or the repository's */
function refusedWrite(statement: number): Error {
  return statement === 0 ? leaseLost() : repositoryGone()
}

function assertMayWrite(repository: FoundRepository): void {
  if (repository.canWrite) return
  throw new RequestError({ code: 'forbidden' }, 'Only its owner and administrators may change this repository')
}

function taken({ owner, name }: RepositoryName, cause?: unknown): RequestError {
  return new RequestError({ code: 'conflict' }, `The name ${owner}/${name} is taken`, { cause })
}

function takenFromMirror({ owner, name }: RepositoryName, cause?: unknown): RequestError {
  const message = `${owner}/${name} is another repository here, and is not mirrored until that one is deleted`
  return new RequestError({ code: 'conflict' }, message, { cause })
}

function isInTheWay(error: unknown): boolean {
  return error instanceof StorageError && error.detail.code === 'directory_in_the_way'
}

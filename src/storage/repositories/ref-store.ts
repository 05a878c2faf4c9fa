import { LRUCache } from 'lru-cache'

import { NO_OID } from '../../git/object/no-oid.ts'
import type { Database } from '../database/database.ts'
import type { ReadStatement } from '../database/reader.ts'
import type { RememberedStatement } from '../database/remembered.ts'
import type { Statement, WriteOutcome } from '../database/write.ts'
import type { Lease } from '../lease.ts'
import { leaseLost, StorageError } from '../error.ts'
import { type ObserveStorage, unobserved } from '../observe.ts'
import type { LoggedChange, MirroredBatch as MirroredEntries, RefLog } from './ref-log-store.ts'

export interface Ref {
  readonly name: string
  /** 40 hex digits */
  readonly oid: string
  readonly peeled: string | null
}

/** A repository's refs at one moment. */
export interface RefSnapshot {
  /** Of the last transaction; any change makes it another. */
  readonly sequence: number
  /** What HEAD points to, whether that ref exists or not. */
  readonly head: string
  /** Nobody has chosen HEAD yet: the first push does. */
  readonly headUnborn: boolean
  /** Sorted by name, bytewise. */
  readonly refs: readonly Ref[]
  readonly byName: ReadonlyMap<string, Ref>
}

export interface RefUpdate {
  readonly name: string
  /** undefined: it must not exist */
  readonly oldOid: string | undefined
  /** undefined: delete */
  readonly newOid: string | undefined
  readonly peeled: string | null
}

export interface RefTransaction {
  readonly repositoryId: string
  readonly updates: readonly RefUpdate[]
  readonly userId: string | null
  /** Set where this transaction also decides HEAD. */
  readonly head?: string
  /** The pack that came with it. */
  readonly pack?: PackRow
}

/** Entries of the home's log, and what they come to. */
export interface MirroredBatch extends MirroredEntries {
  readonly updates: readonly RefUpdate[]
  readonly pack?: PackRow
}

export interface PackRow {
  readonly name: string
  readonly bytes: number
  readonly commits: number
  readonly trees: number
  readonly blobs: number
  readonly tags: number
}

/** Snapshots kept: refs in all of them together. */
const CACHED_REFS_MAX = 500_000

interface RefsRow {
  readonly head: string
  readonly head_unborn: number
  readonly sequence: number
}

/** The truth about refs: reading, and changing by compare-and-swap (I3). */
export class RefStore {
  readonly #observe: ObserveStorage
  readonly #database: Pick<Database, 'reader' | 'write'>
  readonly #lease: Pick<Lease, 'guard'>
  readonly #log: RefLog
  readonly #snapshots = new LRUCache<string, RefSnapshot>({
    maxSize: CACHED_REFS_MAX,
    sizeCalculation: (snapshot) => snapshot.refs.length + 1,
  })
  readonly #lastHead: RememberedStatement
  readonly #head: ReadStatement
  readonly #refs: ReadStatement

  constructor(
    database: Pick<Database, 'reader' | 'write'>,
    lease: Pick<Lease, 'guard'>,
    log: RefLog,
    observe: ObserveStorage = unobserved,
  ) {
    this.#observe = observe
    this.#log = log
    this.#database = database
    this.#lease = lease
    const head = 'SELECT head, head_unborn, sequence FROM repositories WHERE id = ? AND deleted_at IS NULL'
    this.#lastHead = database.reader.remember(head)
    this.#head = database.reader.prepare(head)
    this.#refs = database.reader.prepare('SELECT name, oid, peeled FROM refs WHERE repository_id = ? ORDER BY name')
  }

  /** @throws StorageError repository_missing */
  snapshot(repositoryId: string): RefSnapshot {
    return this.#observe('refs_read', () => {
      // One row needs no transaction, and mostly it is all.
      const { cached } = this.#state(repositoryId, this.#lastHead)
      return cached ?? this.#database.reader.inTransaction(() => this.#readSnapshot(repositoryId))
    })
  }

  /** Whether the repository has not been deleted, by whatever process, until now. */
  isThere(repositoryId: string): boolean {
    return this.#observe('refs_read', () => this.#head.get(repositoryId) !== undefined)
  }

  /** `cached`: where it is still true. @throws StorageError repository_missing */
  #state(
    repositoryId: string,
    head: Pick<ReadStatement, 'get'>,
  ): { readonly row: RefsRow; readonly cached: RefSnapshot | undefined } {
    const row = head.get(repositoryId) as RefsRow | undefined
    if (row === undefined) {
      throw new StorageError({ code: 'repository_missing', repository: repositoryId }, 'The repository is gone')
    }
    const cached = this.#snapshots.get(repositoryId)
    // A person may set HEAD without a transaction.
    const fits =
      cached?.sequence === row.sequence && cached.head === row.head && cached.headUnborn === (row.head_unborn === 1)
    return { row, cached: fits ? cached : undefined }
  }

  #readSnapshot(repositoryId: string): RefSnapshot {
    // Not one that is remembered: it must fit the refs that are read next.
    const { row, cached } = this.#state(repositoryId, this.#head)
    if (cached !== undefined) return cached
    const refs = (this.#refs.all(repositoryId) as unknown as Ref[]).map(({ name, oid, peeled }) => ({
      name,
      oid,
      peeled,
    }))
    const snapshot: RefSnapshot = {
      sequence: row.sequence,
      head: row.head,
      headUnborn: row.head_unborn === 1,
      refs,
      byName: new Map(refs.map((ref) => [ref.name, ref])),
    }
    this.#snapshots.set(repositoryId, snapshot)
    return snapshot
  }

  /**
   * Applies all updates in one database transaction, with its line in the log; durable when it resolves.
   *
   * @returns false when a ref had another value than `oldOid`, or the repository is gone, and nothing was changed
   * @throws StorageError lease_lost, repository_is_mirror, database_failed, database_closed
   * @throws RequestError bad_request: its entry in the log would be too large
   */
  async apply(transaction: RefTransaction): Promise<boolean> {
    const { repositoryId, updates, pack } = transaction
    const statements = updateStatements(repositoryId, updates)
    if (pack !== undefined) statements.push(packStatement(repositoryId, pack))
    const outcome = await this.append({ ...transaction, isPush: true }, statements)
    return outcome.committed
  }

  /**
   * Makes a change and its line in the log one transaction: the statements or the line alone never happen.
   *
   * @returns which of the statements did not change the rows it had to, with nothing changed; -1 where the repository
   *   is gone
   * @throws as `apply`
   */
  async append(change: LoggedChange, statements: readonly Statement[]): Promise<WriteOutcome> {
    const { repositoryId } = change
    for (;;) {
      const end = this.#log.end(repositoryId)
      if (end === undefined) return { committed: false, failedStatement: -1 }
      if (end.home !== null) {
        throw new StorageError({ code: 'repository_is_mirror', repository: repositoryId }, 'Its home orders its refs')
      }
      const before = [this.#lease.guard(), ...this.#log.appendStatements(change, end)]
      const outcome = await this.#observe('refs_update', () => this.#database.write([...before, ...statements]))
      if (outcome.committed) return outcome
      if (outcome.failedStatement === 0) throw leaseLost()
      const failedStatement = outcome.failedStatement - before.length
      if (failedStatement >= 0) return { committed: false, failedStatement }
      // Another transaction took our place in the log: each round that we lose, another one has won.
    }
  }

  /**
   * What a mirror does with a batch of its home's entries: all of them in one step, whatever was true in between.
   *
   * @returns false when this repository is no longer where `from` says, and nothing was changed
   * @throws StorageError lease_lost, database_failed, database_closed
   */
  async applyMirrored(batch: MirroredBatch): Promise<boolean> {
    const { repositoryId, updates, pack } = batch
    const statements = [
      this.#lease.guard(),
      ...this.#log.mirrorStatements(batch),
      ...updateStatements(repositoryId, updates),
      ...(pack === undefined ? [] : [packStatement(repositoryId, pack)]),
    ]
    const outcome = await this.#observe('refs_update', () => this.#database.write(statements))
    if (!outcome.committed && outcome.failedStatement === 0) throw leaseLost()
    return outcome.committed
  }
}

/** Deletions first, so that a ref may take the place of a folder of refs. */
function updateStatements(repositoryId: string, updates: readonly RefUpdate[]): Statement[] {
  const [deletions, others] = [
    updates.filter((update) => update.newOid === undefined),
    updates.filter((update) => update.newOid !== undefined),
  ]
  return [...deletions, ...others].map((update) => updateStatement(repositoryId, update))
}

function updateStatement(repositoryId: string, { name, oldOid, newOid, peeled }: RefUpdate): Statement {
  if (newOid === undefined) {
    return {
      sql: 'DELETE FROM refs WHERE repository_id = ? AND name = ? AND oid = ?',
      parameters: [repositoryId, name, oldOid ?? NO_OID],
      expectChanges: 1,
    }
  }
  if (oldOid === undefined) {
    return {
      sql: 'INSERT INTO refs (repository_id, name, oid, peeled) VALUES (?, ?, ?, ?) ON CONFLICT DO NOTHING',
      parameters: [repositoryId, name, newOid, peeled],
      expectChanges: 1,
    }
  }
  return {
    sql: 'UPDATE refs SET oid = ?, peeled = ? WHERE repository_id = ? AND name = ? AND oid = ?',
    parameters: [newOid, peeled, repositoryId, name, oldOid],
    expectChanges: 1,
  }
}

function packStatement(repositoryId: string, { name, bytes, commits, trees, blobs, tags }: PackRow): Statement {
  return {
    sql: `INSERT INTO packs (repository_id, name, bytes, commits, trees, blobs, tags) VALUES (?, ?, ?, ?, ?, ?, ?)
      ON CONFLICT DO NOTHING`,
    parameters: [repositoryId, name, bytes, commits, trees, blobs, tags],
  }
}

import type { Database } from '../database/database.ts'
import type { ReadStatement } from '../database/reader.ts'
import { leaseLost, StorageError } from '../error.ts'
import type { Lease } from '../lease.ts'
import type { PackRow } from './ref-store.ts'

export interface RepositoryRow {
  readonly id: string
  readonly owner: string
  readonly name: string
}

/** What the database knows of packs: what each push brought. */
export class PackRows {
  readonly #database: Database
  readonly #lease: Pick<Lease, 'guard'>
  readonly #of: ReadStatement
  readonly #crowded: ReadStatement
  readonly #live: ReadStatement

  constructor(database: Database, lease: Pick<Lease, 'guard'>) {
    this.#database = database
    this.#lease = lease
    this.#of = database.reader.prepare(
      'SELECT name, bytes, commits, trees, blobs, tags FROM packs WHERE repository_id = ?',
    )
    this.#live = database.reader.prepare('SELECT 1 FROM repositories WHERE id = ? AND deleted_at IS NULL')
    this.#crowded = database.reader.prepare(`SELECT repositories.id, owners.name AS owner, repositories.name
      FROM packs JOIN repositories ON repositories.id = packs.repository_id
      JOIN owners ON owners.id = repositories.owner_id
      WHERE deleted_at IS NULL GROUP BY repositories.id HAVING count(*) >= ?`)
  }

  /** @throws StorageError repository_missing */
  assertLive(repositoryId: string): void {
    if (this.#live.get(repositoryId) !== undefined) return
    throw new StorageError({ code: 'repository_missing', repository: repositoryId }, 'The repository is gone')
  }

  of(repositoryId: string): PackRow[] {
    return this.#of.all(repositoryId) as unknown as PackRow[]
  }

  /** Repositories of at least so many packs. */
  crowded(packsMin: number): RepositoryRow[] {
    return this.#crowded.all(packsMin) as unknown as RepositoryRow[]
  }

  /**
   * One pack in the place of others, in one transaction.
   *
   * @param gone names of those
   * @throws StorageError lease_lost, database_failed, database_closed
   */
  async replace(repositoryId: string, gone: readonly string[], row: PackRow): Promise<void> {
    const { name, bytes, commits, trees, blobs, tags } = row
    const outcome = await this.#database.write([
      this.#lease.guard(),
      {
        sql: 'DELETE FROM packs WHERE repository_id = ? AND name IN (SELECT value FROM json_each(?))',
        parameters: [repositoryId, JSON.stringify([...gone, name])],
      },
      {
        sql: 'INSERT INTO packs (repository_id, name, bytes, commits, trees, blobs, tags) VALUES (?, ?, ?, ?, ?, ?, ?)',
        parameters: [repositoryId, name, bytes, commits, trees, blobs, tags],
      },
    ])
    if (!outcome.committed) throw leaseLost()
  }
}

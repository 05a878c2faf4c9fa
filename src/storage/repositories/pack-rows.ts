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

const OBJECTS = 'packs.commits + packs.trees + packs.blobs + packs.tags'

/** What the database knows of packs: what each push brought. */
export class PackRows {
  readonly #database: Database
  readonly #lease: Pick<Lease, 'guard'>
  readonly #of: ReadStatement
  readonly #crowded: ReadStatement
  readonly #live: ReadStatement
  readonly #totals: ReadStatement
  readonly #largest: ReadStatement
  readonly #tips: ReadStatement

  constructor(database: Database, lease: Pick<Lease, 'guard'>) {
    this.#database = database
    this.#lease = lease
    this.#of = database.reader.prepare(
      'SELECT name, bytes, commits, trees, blobs, tags FROM packs WHERE repository_id = ?',
    )
    this.#totals = database.reader.prepare(`SELECT total(commits) AS commits, total(${OBJECTS}) AS objects
      FROM packs WHERE repository_id = ?`)
    this.#largest = database.reader.prepare(
      `SELECT name FROM packs WHERE repository_id = ? ORDER BY ${OBJECTS} DESC, name LIMIT 1`,
    )
    this.#tips = database.reader.prepare('SELECT DISTINCT oid FROM refs WHERE repository_id = ?')
    this.#live = database.reader.prepare('SELECT 1 FROM repositories WHERE id = ? AND deleted_at IS NULL')
    this.#crowded = database.reader.prepare(`SELECT repositories.id, owners.name AS owner, repositories.name
      FROM packs JOIN repositories ON repositories.id = packs.repository_id
      JOIN owners ON owners.id = repositories.owner_id
      WHERE deleted_at IS NULL GROUP BY repositories.id HAVING count(*) >= ? OR total(${OBJECTS}) >= ?`)
  }

  /** @throws StorageError repository_missing */
  assertLive(repositoryId: string): void {
    if (this.#live.get(repositoryId) !== undefined) return
    throw new StorageError({ code: 'repository_missing', repository: repositoryId }, 'The repository is gone')
  }

  of(repositoryId: string): PackRow[] {
    return this.#of.all(repositoryId) as unknown as PackRow[]
  }

  totals(repositoryId: string): { readonly commits: number; readonly objects: number } {
    return this.#totals.get(repositoryId) as { commits: number; objects: number }
  }

  /** @returns the name of the pack that brought most objects */
  largest(repositoryId: string): string | undefined {
    return (this.#largest.get(repositoryId) as { readonly name: string } | undefined)?.name
  }

  /** What the repository's refs point to: 40 hex digits each. */
  tips(repositoryId: string): string[] {
    return this.#tips.all(repositoryId).map(({ oid }) => String(oid))
  }

  /** Repositories of at least so many packs, or so many objects. */
  crowded(packsMin: number, objectsMin: number): RepositoryRow[] {
    return this.#crowded.all(packsMin, objectsMin) as unknown as RepositoryRow[]
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

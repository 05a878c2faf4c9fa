import type { Database } from '../database/database.ts'
import type { ReadStatement } from '../database/reader.ts'
import type { Statement } from '../database/write.ts'
import { leaseLost, StorageError } from '../error.ts'
import type { Lease } from '../lease.ts'
import type { PackRow } from './ref-store.ts'

export interface RepositoryRow {
  readonly id: string
  readonly owner: string
  readonly name: string
}

export interface KnownPack extends PackRow {
  /** null: refs reach what is in it, as far as known; else when the first of its objects was seen not to be reached. */
  readonly unreachableSinceMs: number | null
}

export interface LookedAt {
  readonly repository: RepositoryRow
  /** Refs have changed since somebody looked. */
  readonly changed: boolean
  /** Something that no ref reaches is old. */
  readonly aged: boolean
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
  readonly #lookedAt: ReadStatement

  constructor(database: Database, lease: Pick<Lease, 'guard'>) {
    this.#database = database
    this.#lease = lease
    this.#of = database.reader.prepare(
      `SELECT name, bytes, commits, trees, blobs, tags, unreachable_since FROM packs WHERE repository_id = ?`,
    )
    this.#totals = database.reader.prepare(`SELECT total(commits) AS commits, total(${OBJECTS}) AS objects
      FROM packs WHERE repository_id = ? AND unreachable_since IS NULL`)
    this.#largest = database.reader.prepare(`SELECT name FROM packs
      WHERE repository_id = ? AND unreachable_since IS NULL ORDER BY ${OBJECTS} DESC, name LIMIT 1`)
    this.#lookedAt = database.reader.prepare(`SELECT repositories.id, owners.name AS owner, repositories.name,
        coalesce(looked_at_sequence, 0) <> sequence AS changed, EXISTS (
          SELECT 1 FROM packs WHERE repository_id = repositories.id AND unreachable_since < ?
        ) AS aged
      FROM repositories JOIN owners ON owners.id = repositories.owner_id
      WHERE deleted_at IS NULL ORDER BY repositories.id`)
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

  of(repositoryId: string): KnownPack[] {
    return this.#of.all(repositoryId).map(({ unreachable_since, ...row }) => ({
      ...(row as unknown as PackRow),
      unreachableSinceMs: unreachable_since as number | null,
    }))
  }

  /** Of what refs reached when it was last looked. */
  totals(repositoryId: string): { readonly commits: number; readonly objects: number } {
    return this.#totals.get(repositoryId) as { commits: number; objects: number }
  }

  /** @returns the name of the pack that brought most objects, among those that refs reach */
  largest(repositoryId: string): string | undefined {
    return (this.#largest.get(repositoryId) as { readonly name: string } | undefined)?.name
  }

  /** Repositories of at least so many packs, or so many objects. */
  crowded(packsMin: number, objectsMin: number): RepositoryRow[] {
    return this.#crowded.all(packsMin, objectsMin) as unknown as RepositoryRow[]
  }

  /**
   * Every repository, and why one should be looked at for what no ref reaches any more.
   *
   * @param agedBeforeMs since 1970
   */
  lookedAt(agedBeforeMs: number): LookedAt[] {
    return this.#lookedAt.all(agedBeforeMs).map((row) => {
      const { id, owner, name, changed, aged } = row as Record<string, string | number>
      const repository = { id: String(id), owner: String(owner), name: String(name) }
      return { repository, changed: changed === 1, aged: aged === 1 }
    })
  }

  /** @throws StorageError lease_lost, database_failed, database_closed */
  async noteLook(repositoryId: string, sequence: number): Promise<void> {
    await this.#write([
      {
        sql: 'UPDATE repositories SET looked_at_sequence = ? WHERE id = ?',
        parameters: [sequence, repositoryId],
      },
    ])
  }

  /**
   * Packs in the place of others, in one transaction.
   *
   * @param gone names of those
   * @throws StorageError lease_lost, database_failed, database_closed
   */
  async replace(repositoryId: string, gone: readonly string[], rows: readonly KnownPack[]): Promise<void> {
    const names = [...gone, ...rows.map(({ name }) => name)]
    await this.#write([
      {
        sql: 'DELETE FROM packs WHERE repository_id = ? AND name IN (SELECT value FROM json_each(?))',
        parameters: [repositoryId, JSON.stringify(names)],
      },
      ...rows.map(({ name, bytes, commits, trees, blobs, tags, unreachableSinceMs }) => ({
        sql: `INSERT INTO packs (repository_id, name, bytes, commits, trees, blobs, tags, unreachable_since)
          VALUES (?, ?, ?, ?, ?, ?, ?, ?)`,
        parameters: [repositoryId, name, bytes, commits, trees, blobs, tags, unreachableSinceMs],
      })),
    ])
  }

  async #write(statements: readonly Statement[]): Promise<void> {
    const outcome = await this.#database.write([this.#lease.guard(), ...statements])
    if (!outcome.committed) throw leaseLost()
  }
}

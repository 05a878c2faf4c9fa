import { randomUUID } from 'node:crypto'

import type { Database } from './database/database.ts'
import type { ReadStatement } from './database/reader.ts'
import type { RepositoryRow } from './repositories/pack-rows.ts'

const FORGOTTEN_AFTER_MS = 24 * 3_600_000

export interface MaintenanceRequest {
  readonly id: string
  readonly repository: RepositoryRow
}

/** What became of a request: JSON, in the database. */
export type MaintenanceOutcome =
  | { readonly done: true; readonly result: unknown }
  | { readonly done: false; readonly code: string; readonly reason: string }

/**
 * An operator's wish that the running node bring a repository into order: kept in the database, where whoever may write
 * that may also ask, and needs no connection to the node.
 */
export class MaintenanceRequests {
  readonly #database: Database
  readonly #next: ReadStatement
  readonly #outcome: ReadStatement

  constructor(database: Database) {
    this.#database = database
    this.#next = database.reader.prepare(`SELECT maintenance_requests.id AS request, repositories.id, repositories.name,
        owners.name AS owner
      FROM maintenance_requests JOIN repositories ON repositories.id = maintenance_requests.repository_id
      JOIN owners ON owners.id = repositories.owner_id
      WHERE outcome IS NULL AND deleted_at IS NULL ORDER BY requested_at LIMIT 1`)
    this.#outcome = database.reader.prepare('SELECT outcome FROM maintenance_requests WHERE id = ?')
  }

  /** @returns the request's id */
  async ask(repositoryId: string): Promise<string> {
    const id = randomUUID()
    await this.#database.write([
      // Of commands that were ended before they read what became of theirs.
      {
        sql: 'DELETE FROM maintenance_requests WHERE requested_at < ?',
        parameters: [Date.now() - FORGOTTEN_AFTER_MS],
      },
      {
        sql: 'INSERT INTO maintenance_requests (id, repository_id, requested_at) VALUES (?, ?, ?)',
        parameters: [id, repositoryId, Date.now()],
      },
    ])
    return id
  }

  /** The oldest one without an answer. */
  next(): MaintenanceRequest | undefined {
    const row = this.#next.get() as { request: string; id: string; owner: string; name: string } | undefined
    return row === undefined ? undefined : { id: row.request, repository: { ...row } }
  }

  async answer(id: string, outcome: MaintenanceOutcome): Promise<void> {
    await this.#database.write([
      {
        sql: 'UPDATE maintenance_requests SET outcome = ? WHERE id = ?',
        parameters: [JSON.stringify(outcome), id],
      },
    ])
  }

  /** @returns undefined while there is none; `gone` where the repository, and the request with it, is no more */
  outcome(id: string): MaintenanceOutcome | undefined | 'gone' {
    const row = this.#outcome.get(id) as { outcome: string | null } | undefined
    if (row === undefined) return 'gone'
    return row.outcome === null ? undefined : (JSON.parse(row.outcome) as MaintenanceOutcome)
  }

  async forget(id: string): Promise<void> {
    await this.#database.write([{ sql: 'DELETE FROM maintenance_requests WHERE id = ?', parameters: [id] }])
  }
}

import { randomUUIDv7 } from 'node:crypto'

import { RequestError } from '../errors.ts'
import type { Statement } from '../storage/database/write.ts'
import { StorageError } from '../storage/error.ts'

/** What the writes of `Repositories` tell the database; the lease's guard goes before each of them. */

export interface RepositoryRow {
  readonly ownerId: string
  readonly name: string
  readonly description: string
  readonly private: boolean
  readonly head: string
}

/** What is left out stays as it is. */
export interface RepositoryChange {
  readonly description?: string | undefined
  readonly private?: boolean | undefined
  /** Name of a branch, without `refs/heads/`. */
  readonly defaultBranch?: string | undefined
}

export function insertStatement(row: RepositoryRow): Statement {
  const now = Date.now()
  return {
    sql: `INSERT INTO repositories (id, owner_id, name, description, private, head, created_at, updated_at)
      VALUES (?, ?, ?, ?, ?, ?, ?, ?)`,
    parameters: [randomUUIDv7(), row.ownerId, row.name, row.description, row.private ? 1 : 0, row.head, now, now],
    expectChanges: 1,
  }
}

export function markDeletedStatement(id: string): Statement {
  return {
    sql: 'UPDATE repositories SET deleted_at = ? WHERE id = ? AND deleted_at IS NULL',
    parameters: [Date.now(), id],
    expectChanges: 1,
  }
}

/** With everything that belongs to it. */
export function deleteStatement(id: string): Statement {
  return { sql: 'DELETE FROM repositories WHERE id = ? AND deleted_at IS NOT NULL', parameters: [id] }
}

export function updateStatements(id: string, change: RepositoryChange, head: string | null): Statement[] {
  const hidden = change.private === undefined ? null : change.private ? 1 : 0
  const update: Statement = {
    sql: `UPDATE repositories SET description = coalesce(?, description), private = coalesce(?, private),
      head = coalesce(?, head), head_unborn = CASE WHEN ? IS NULL THEN head_unborn ELSE 0 END, updated_at = ?
      WHERE id = ? AND deleted_at IS NULL`,
    parameters: [change.description ?? null, hidden, head, head, Date.now(), id],
    expectChanges: 1,
  }
  if (head === null) return [update]
  // HEAD never leaves a branch that exists for one that does not; an empty repository has none to leave.
  const branchExists: Statement = {
    sql: `UPDATE repositories SET head = head WHERE id = ? AND (
      EXISTS (SELECT 1 FROM refs WHERE repository_id = ? AND name = ?) OR
      NOT EXISTS (SELECT 1 FROM refs WHERE repository_id = ?))`,
    parameters: [id, id, head, id],
    expectChanges: 1,
  }
  return [update, branchExists]
}

/** @param statement which one did not change its row: the lease's, the repository's, or that of the branch */
export function refusedWrite(statement: number): Error {
  if (statement === 0) return new StorageError({ code: 'lease_lost' }, 'This process no longer holds the lease')
  if (statement === 1) return new RequestError({ code: 'not_found' }, 'Repository not found')
  const message = 'Default branch must be a branch of the repository'
  const problems = [{ field: 'default_branch', code: 'not_found', message }]
  return new RequestError({ code: 'validation_error', problems }, 'Validation failed')
}

import { randomUUIDv7 } from 'node:crypto'

import { RequestError } from '../errors.ts'
import type { Statement } from '../storage/database/write.ts'
import type { MirrorFacts, MirrorRow } from '../storage/repositories/mirror-row.ts'

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

/** The owner comes with the repository where this node does not know it: a name only, which nobody can log in as. */
export function insertMirrorStatements(id: string, row: MirrorRow): Statement[] {
  const now = Date.now()
  return [
    {
      sql: `INSERT INTO owners (id, name, kind, created_at) VALUES (?, ?, 'user', ?) ON CONFLICT DO NOTHING`,
      parameters: [randomUUIDv7(), row.owner, now],
    },
    {
      sql: `INSERT INTO repositories
          (id, owner_id, name, description, private, head, created_at, updated_at, home, home_id, home_url)
        SELECT ?, id, ?, ?, 0, ?, ?, ?, ?, ?, ? FROM owners WHERE name = ?`,
      parameters: [
        id,
        row.name,
        row.description,
        row.head,
        now,
        now,
        row.home,
        row.homeId,
        row.homeUrl ?? null,
        row.owner,
      ],
      expectChanges: 1,
    },
  ]
}

export function describeMirrorStatement(id: string, { description, homeUrl, hidden }: MirrorFacts): Statement {
  const isUrlKept = homeUrl === undefined ? 1 : 0
  return {
    sql: `UPDATE repositories SET description = coalesce(?, description), private = coalesce(?, private),
      home_url = CASE WHEN ? THEN home_url ELSE ? END, updated_at = ?
      WHERE id = ? AND home IS NOT NULL AND deleted_at IS NULL`,
    parameters: [
      description ?? null,
      hidden === undefined ? null : Number(hidden),
      isUrlKept,
      homeUrl ?? null,
      Date.now(),
      id,
    ],
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

export function updateStatement(id: string, change: RepositoryChange): Statement {
  const hidden = change.private === undefined ? null : change.private ? 1 : 0
  return {
    sql: `UPDATE repositories SET description = coalesce(?, description), private = coalesce(?, private), updated_at = ?
      WHERE id = ? AND deleted_at IS NULL`,
    parameters: [change.description ?? null, hidden, Date.now(), id],
    expectChanges: 1,
  }
}

/** HEAD never leaves a branch that exists for one that does not; an empty repository has none to leave. */
export function branchExistsStatement(id: string, head: string): Statement {
  return {
    sql: `UPDATE repositories SET head = head WHERE id = ? AND (
      EXISTS (SELECT 1 FROM refs WHERE repository_id = ? AND name = ?) OR
      NOT EXISTS (SELECT 1 FROM refs WHERE repository_id = ?))`,
    parameters: [id, id, head, id],
    expectChanges: 1,
  }
}

export function repositoryGone(): RequestError {
  return new RequestError({ code: 'not_found' }, 'Repository not found')
}

export function noSuchBranch(): RequestError {
  const message = 'Default branch must be a branch of the repository'
  const problems = [{ field: 'default_branch', code: 'not_found', message }]
  return new RequestError({ code: 'validation_error', problems }, 'Validation failed')
}

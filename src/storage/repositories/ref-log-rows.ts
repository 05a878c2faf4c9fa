/** The log of ref transactions as rows of the database. */
import { NO_OID } from '../../git/object/no-oid.ts'
import type { Statement } from '../database/write.ts'
import type { ChainEnd, RefChange, VerifiedEntry } from './ref-log.ts'

interface Move {
  readonly repositoryId: string
  readonly end: ChainEnd
  readonly sequence: number
  readonly hash: Buffer
  readonly head: string | undefined
  readonly now: number
  readonly pushedAt: number | null
}

/** The compare-and-swap of the log's end; what it is swapped with says whether the home or a mirror does it. */
export function moveStatement({ repositoryId, end, sequence, hash, head, now, pushedAt }: Move): Statement {
  return {
    sql: `UPDATE repositories SET sequence = ?, log_hash = ?, updated_at = ?, pushed_at = coalesce(?, pushed_at),
      head = coalesce(?, head), head_unborn = CASE WHEN ? IS NULL THEN head_unborn ELSE 0 END
      WHERE id = ? AND sequence = ? AND deleted_at IS NULL`,
    parameters: [sequence, hash, now, pushedAt, head ?? null, head ?? null, repositoryId, end.sequence],
    expectChanges: 1,
  }
}

export function rowStatement(
  repositoryId: string,
  { sequence, timeMs, changes, head, hash, signature }: VerifiedEntry,
  userId: string | null,
): Statement {
  const rows = changes.map(({ ref, oldOid, newOid }) => ({ ref, old: oldOid ?? NO_OID, new: newOid ?? NO_OID }))
  return {
    sql: `INSERT INTO ref_transactions (repository_id, sequence, time, user_id, changes, head, hash, signature)
      VALUES (?, ?, ?, ?, ?, ?, ?, ?)`,
    parameters: [repositoryId, sequence, timeMs, userId, JSON.stringify(rows), head ?? null, hash, signature],
    expectChanges: 1,
  }
}

/**
 * Entries of a home's log at a mirror. They are not written where the one before the first of them is not here, or one of
 * them is.
 */
export function continuationStatements(repositoryId: string, entries: readonly VerifiedEntry[]): Statement[] {
  const [first] = entries
  const before =
    first === undefined || first.sequence === 1
      ? []
      : [entryStatement(repositoryId, { sequence: first.sequence - 1, hash: first.previous })]
  const rows = entries.map((entry) => {
    const row = rowStatement(repositoryId, entry, null)
    return { ...row, sql: `${row.sql} ON CONFLICT DO NOTHING` }
  })
  return [...before, ...rows]
}

/** Fails where this very entry is not here. */
export function entryStatement(repositoryId: string, { sequence, hash }: ChainEnd): Statement {
  return {
    sql: 'UPDATE ref_transactions SET time = time WHERE repository_id = ? AND sequence = ? AND hash = ?',
    parameters: [repositoryId, sequence, hash],
    expectChanges: 1,
  }
}

/** @param column `changes` of a row */
export function decodeChanges(column: string): RefChange[] {
  const changes = JSON.parse(column) as { readonly ref: string; readonly old: string; readonly new: string }[]
  const oid = (hex: string): string | undefined => (hex === NO_OID ? undefined : hex)
  return changes.map((change) => ({ ref: change.ref, oldOid: oid(change.old), newOid: oid(change.new) }))
}

import type { Database } from '../database/database.ts'
import type { ReadStatement } from '../database/reader.ts'
import type { Statement } from '../database/write.ts'
import { leaseLost } from '../error.ts'
import type { Lease } from '../lease.ts'
import type { WriteGate } from '../write-gate.ts'
import type { ChainEnd, LogEntry, VerifiedEntry } from './ref-log.ts'
import { continuationStatements, decodeChanges } from './ref-log-rows.ts'

/** An entry that is in the database, or is going there. */
export type LoggedEntry = Pick<LogEntry, 'sequence' | 'timeMs' | 'head' | 'changes'> & Pick<VerifiedEntry, 'hash'>

interface Row {
  readonly sequence: number
  readonly time: number
  readonly changes: string
  readonly head: string | null
  readonly hash: Uint8Array
}

/**
 * Entries of a home's log that a mirror has verified and does not show yet: rows of its log behind its sequence. Each was
 * verified before it was written, and follows the row before it, so what is here after a restart is as good as what was
 * applied. When the sequence moves past them they are the log.
 */
export class StagedEntries {
  readonly #database: Database
  readonly #lease: Pick<Lease, 'guard'>
  readonly #writeGate: WriteGate
  readonly #last: ReadStatement
  readonly #hash: ReadStatement
  readonly #next: ReadStatement

  constructor(database: Database, lease: Pick<Lease, 'guard'>, writeGate: WriteGate) {
    this.#database = database
    this.#lease = lease
    this.#writeGate = writeGate
    this.#last = database.reader.prepare(
      `SELECT sequence, hash FROM ref_transactions WHERE repository_id = ? AND sequence > ?
        ORDER BY sequence DESC LIMIT 1`,
    )
    this.#hash = database.reader.prepare('SELECT hash FROM ref_transactions WHERE repository_id = ? AND sequence = ?')
    this.#next = database.reader.prepare(
      `SELECT sequence, time, changes, head, hash FROM ref_transactions
        WHERE repository_id = ? AND sequence > ? AND sequence <= ? ORDER BY sequence LIMIT 1`,
    )
  }

  /** @returns the last one; undefined: there is none after `applied` */
  end(repositoryId: string, applied: number): ChainEnd | undefined {
    const row = this.#last.get(repositoryId, applied) as Pick<Row, 'sequence' | 'hash'> | undefined
    return row === undefined ? undefined : { sequence: row.sequence, hash: Buffer.from(row.hash) }
  }

  has(repositoryId: string, { sequence, hash }: ChainEnd): boolean {
    const row = this.#hash.get(repositoryId, sequence) as Pick<Row, 'hash'> | undefined
    return row !== undefined && hash.equals(row.hash)
  }

  /** In order, one at a time: those after number `after`, up to number `last`. */
  *read(repositoryId: string, after: number, last: number): Generator<LoggedEntry> {
    for (let sequence = after; ;) {
      const row = this.#next.get(repositoryId, sequence, last) as Row | undefined
      if (row === undefined) return
      sequence = row.sequence
      yield {
        sequence,
        timeMs: row.time,
        head: row.head ?? undefined,
        changes: decodeChanges(row.changes),
        hash: Buffer.from(row.hash),
      }
    }
  }

  /**
   * All of them or none, durable when it resolves.
   *
   * @param entries verified to follow each other, and the last one that is here
   * @returns false where another one is the last by now, and nothing was written
   * @throws RequestError unavailable; StorageError lease_lost, database_failed, database_closed
   */
  async add(repositoryId: string, entries: readonly VerifiedEntry[]): Promise<boolean> {
    this.#writeGate.assertWritable()
    return this.#write(continuationStatements(repositoryId, entries))
  }

  /** Takes away what is staged: it is not what its home has. @throws StorageError as `add` */
  async drop(repositoryId: string): Promise<void> {
    const sql = `DELETE FROM ref_transactions WHERE repository_id = ?
      AND sequence > (SELECT sequence FROM repositories WHERE id = ?)`
    await this.#write([{ sql, parameters: [repositoryId, repositoryId] }])
  }

  async #write(statements: readonly Statement[]): Promise<boolean> {
    const outcome = await this.#database.write([this.#lease.guard(), ...statements])
    if (!outcome.committed && outcome.failedStatement === 0) throw leaseLost()
    return outcome.committed
  }
}

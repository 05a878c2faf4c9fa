import type { DatabaseSync, SQLInputValue, StatementSync } from 'node:sqlite'

import { LRUCache } from 'lru-cache'

import type { WriteReply, WriteRequest } from './write.ts'

/** All that is written, on one connection. */
export class Writer {
  readonly #database: DatabaseSync
  readonly #prepared = new LRUCache<string, StatementSync>({ max: 500 })

  constructor(database: DatabaseSync) {
    this.#database = database
  }

  /** In one transaction, in which each request happens or does not by itself. */
  commit(batch: readonly WriteRequest[]): WriteReply[] {
    let isCommitting = false
    try {
      this.#database.exec('BEGIN IMMEDIATE')
      const replies = batch.map((request) => this.#writeOne(request))
      isCommitting = true
      this.#database.exec('COMMIT')
      return replies
    } catch (error) {
      if (this.#database.isTransaction) this.#database.exec('ROLLBACK')
      // Busy, full or failed: nobody's write happened, unless it was the commit itself whose sync failed.
      const undone = !isCommitting
      return batch.map(({ id }) => ({ id, error: { message: messageOf(error), constraint: false, undone } }))
    }
  }

  #writeOne({ id, statements }: WriteRequest): WriteReply {
    this.#database.exec('SAVEPOINT one')
    try {
      for (const [number, { sql, parameters, expectChanges }] of statements.entries()) {
        const { changes } = this.#statementFor(sql).run(...(parameters as SQLInputValue[]))
        if (expectChanges !== undefined && Number(changes) !== expectChanges) {
          this.#database.exec('ROLLBACK TO one; RELEASE one')
          return { id, outcome: { committed: false, failedStatement: number } }
        }
      }
      this.#database.exec('RELEASE one')
      return { id, outcome: { committed: true } }
    } catch (error) {
      // A full disk or a failed write undoes the whole transaction, and with it everybody's savepoints.
      if (!this.#database.isTransaction) throw error
      this.#database.exec('ROLLBACK TO one; RELEASE one')
      return { id, error: { message: messageOf(error), constraint: isConstraint(error), undone: true } }
    }
  }

  #statementFor(sql: string): StatementSync {
    const known = this.#prepared.get(sql)
    if (known !== undefined) return known
    const statement = this.#database.prepare(sql)
    this.#prepared.set(sql, statement)
    return statement
  }
}

function isConstraint(error: unknown): boolean {
  // SQLITE_CONSTRAINT is 19; extended codes carry it in the low byte (sqlite.org/rescode.html).
  return error instanceof Error && 'errcode' in error && (Number(error.errcode) & 0xff) === 19
}

function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error)
}

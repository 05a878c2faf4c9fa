import type { DatabaseSync, SQLInputValue, StatementResultingChanges, StatementSync } from 'node:sqlite'
import type { ObserveStorage } from '../observe.ts'
import { Freshness, RememberedStatement } from './remembered.ts'

export type Row = ReturnType<StatementSync['get']>

/** A connection whose statements are timed as the storage operations they are. */
export class Reader {
  readonly #database: DatabaseSync
  readonly #begin: StatementSync
  readonly #commit: StatementSync
  readonly #observe: ObserveStorage
  readonly #freshness: Freshness

  constructor(database: DatabaseSync, observe: ObserveStorage) {
    this.#database = database
    this.#freshness = new Freshness(database)
    this.#begin = database.prepare('BEGIN')
    this.#commit = database.prepare('COMMIT')
    this.#observe = observe
  }

  prepare(sql: string): ReadStatement {
    return new ReadStatement(this.#database.prepare(sql), this.#observe)
  }

  /** One whose rows are kept as long as nothing changes. */
  remember(sql: string): RememberedStatement {
    return new RememberedStatement(this.prepare(sql), this.#freshness)
  }

  /** To be called when a write of this process is done, before anybody hears of it. */
  expire(): void {
    this.#freshness.expire()
  }

  /** Runs `read` in one transaction: the writer works in another thread, and what is read must fit together. */
  inTransaction<T>(read: () => T): T {
    this.#begin.run()
    try {
      return read()
    } finally {
      this.#commit.run()
    }
  }

  /** Again is fine: kysely closes what it was used on, and forgets what it was not. */
  close(): void {
    if (this.#database.isOpen) this.#database.close()
  }
}

export class ReadStatement {
  readonly #statement: StatementSync
  readonly #observe: ObserveStorage

  constructor(statement: StatementSync, observe: ObserveStorage) {
    this.#statement = statement
    this.#observe = observe
  }

  get returnsRows(): boolean {
    return this.#statement.columns().length > 0
  }

  get(...parameters: readonly SQLInputValue[]): Row {
    return this.#observe('database_read', () => this.#statement.get(...parameters))
  }

  all(...parameters: readonly SQLInputValue[]): NonNullable<Row>[] {
    return this.#observe('database_read', () => this.#statement.all(...parameters))
  }

  /** For migrations, which are done before anybody counts. */
  run(...parameters: readonly SQLInputValue[]): StatementResultingChanges {
    return this.#statement.run(...parameters)
  }
}

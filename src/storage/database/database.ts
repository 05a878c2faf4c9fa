import { Worker } from 'node:worker_threads'

import type { CompiledQuery } from 'kysely'
import { Kysely, SqliteDialect } from 'kysely'
import { Migrator } from 'kysely/migration'

import { StorageError } from '../error.ts'
import { MIGRATIONS } from './migrations.ts'
import type { Schema } from './schema.ts'
import { type ObserveStorage, unobserved } from '../observe.ts'
import { Reader } from './reader.ts'
import { kyselyAdapter, openSqlite } from './sqlite.ts'
import type { Statement, WriteOutcome, WriteReply } from './write.ts'

/** Names must be unique, a parent must exist: the caller knows which of its rules was hit. */
export class ConstraintError extends Error {
  override readonly name = 'ConstraintError'
}

type Query = { compile(): CompiledQuery }

interface Pending {
  readonly resolve: (outcome: WriteOutcome) => void
  readonly reject: (error: Error) => void
}

/**
 * The node's SQL database: many readers, one writer. Reading is synchronous underneath and quick; writing happens in a
 * worker thread, so that neither a sync nor another process's lock stalls the event loop.
 */
export class Database {
  /** For queries only; write through `write`. */
  readonly read: Kysely<Schema>
  /** Prepared statements for the hot paths. */
  readonly reader: Reader
  readonly #observe: ObserveStorage
  readonly #worker: Worker
  readonly #pending = new Map<number, Pending>()
  readonly #exited: Promise<void>
  #lastId = 0
  /** No more writes: closed, or the writer died. */
  #closed = false
  #closing: Promise<void> | undefined

  private constructor(path: string, observe: ObserveStorage) {
    this.#observe = observe
    this.reader = new Reader(openSqlite(path, { readOnly: true }), observe)
    this.read = new Kysely<Schema>({ dialect: new SqliteDialect({ database: kyselyAdapter(this.reader) }) })
    const extension = import.meta.url.endsWith('.ts') ? 'ts' : 'js'
    this.#worker = new Worker(new URL(`writer.worker.${extension}`, import.meta.url), { workerData: { path } })
    this.#worker.on('message', (reply: WriteReply) => this.#settle(reply))
    this.#exited = new Promise((resolve) => {
      this.#worker.on('error', (error) => this.#failAll(error))
      this.#worker.on('exit', () => {
        this.#failAll(undefined)
        resolve()
      })
    })
  }

  /** Opens the database file and brings its tables up to date. */
  static async open(path: string, observe: ObserveStorage = unobserved): Promise<Database> {
    await migrate(path)
    return new Database(path, observe)
  }

  /**
   * All statements or none, durable when the promise resolves.
   *
   * @throws ConstraintError a rule of the schema was hit
   * @throws StorageError database_failed (busy for too long, disk full, I/O error), database_closed
   */
  write(statements: readonly (Statement | Query)[]): Promise<WriteOutcome> {
    if (this.#closed) return Promise.reject(new StorageError({ code: 'database_closed' }, 'The database is closed'))
    const id = ++this.#lastId
    const plain = statements.map(toStatement)
    return this.#observe(
      'database_write',
      () =>
        new Promise((resolve, reject) => {
          this.#pending.set(id, { resolve, reject })
          this.#worker.postMessage({ id, statements: plain })
        }),
    )
  }

  /** Writes that were asked for before are done first. */
  close(): Promise<void> {
    return (this.#closing ??= this.#close())
  }

  async #close(): Promise<void> {
    this.#closed = true
    // A writer that died takes no notice.
    this.#worker.postMessage('close')
    await this.#exited
    await this.read.destroy()
    this.reader.close()
  }

  #settle(reply: WriteReply): void {
    const pending = this.#pending.get(reply.id)
    if (pending === undefined) return
    this.reader.expire()
    this.#pending.delete(reply.id)
    if ('outcome' in reply) pending.resolve(reply.outcome)
    else if (reply.error.constraint) pending.reject(new ConstraintError(reply.error.message))
    else {
      const cause = new Error(reply.error.message)
      pending.reject(
        new StorageError({ code: 'database_failed', undone: reply.error.undone }, 'The database could not write', {
          cause,
        }),
      )
    }
  }

  #failAll(cause: unknown): void {
    this.#closed = true
    for (const { reject } of this.#pending.values()) {
      reject(new StorageError({ code: 'database_closed' }, 'The database is closed', { cause }))
    }
    this.#pending.clear()
  }
}

/** A query built with kysely, with the number of rows it must change. */
export function expecting(expectChanges: number, query: Query): Statement {
  return { ...toStatement(query), expectChanges }
}

function toStatement(statement: Statement | Query): Statement {
  if (!('compile' in statement)) return statement
  const { sql, parameters } = statement.compile()
  return { sql, parameters }
}

/** Brings the tables of a database file up to date. */
export async function migrate(path: string): Promise<void> {
  const kysely = new Kysely<unknown>({
    dialect: new SqliteDialect({ database: kyselyAdapter(new Reader(openSqlite(path), unobserved)) }),
  })
  try {
    const migrator = new Migrator({ db: kysely, provider: { getMigrations: async () => ({ ...MIGRATIONS }) } })
    const { error } = await migrator.migrateToLatest()
    if (error !== undefined) throw error
  } finally {
    await kysely.destroy()
  }
}

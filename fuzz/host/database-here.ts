/** The node's database with its writer in this thread, where coverage sees it. */
import type { DatabaseSync } from 'node:sqlite'
import { Kysely, SqliteDialect } from 'kysely'
import { type Database, migrate } from '../../src/storage/database/database.ts'
import { Reader } from '../../src/storage/database/reader.ts'
import type { Schema } from '../../src/storage/database/schema.ts'
import { kyselyAdapter, openSqlite } from '../../src/storage/database/sqlite.ts'
import type { WriteOutcome } from '../../src/storage/database/write.ts'
import { Writer } from '../../src/storage/database/writer.ts'
import { unobserved } from '../../src/storage/observe.ts'

/** What a request to a repository changes; by the column that names it. */
const TABLES = { refs: 'repository_id', ref_transactions: 'repository_id', packs: 'repository_id', repositories: 'id' }

export class DatabaseHere implements Pick<Database, 'read' | 'reader' | 'write'> {
  readonly read: Kysely<Schema>
  readonly reader: Reader
  readonly #connection: DatabaseSync
  readonly #writer: Writer
  #restore = ''

  static async open(path: string): Promise<DatabaseHere> {
    await migrate(path)
    return new DatabaseHere(path)
  }

  private constructor(path: string) {
    this.#connection = openSqlite(path)
    // Power is not cut here.
    this.#connection.exec('PRAGMA synchronous = OFF')
    this.#writer = new Writer(this.#connection)
    this.reader = new Reader(openSqlite(path, { readOnly: true }), unobserved)
    this.read = new Kysely<Schema>({ dialect: new SqliteDialect({ database: kyselyAdapter(this.reader) }) })
  }

  async write(statements: Parameters<Database['write']>[0]): Promise<WriteOutcome> {
    const plain = statements.map((statement) => ('compile' in statement ? statement.compile() : statement))
    const [reply] = this.#writer.commit([{ id: 1, statements: plain }])
    this.reader.expire()
    if (reply !== undefined && 'outcome' in reply) return reply.outcome
    throw new Error(`The database refused: ${reply?.error.message}`)
  }

  /** Rows of the repository are what they are now, after each `restore`. */
  keep(repositoryId: string): void {
    const steps = Object.entries(TABLES).map(([table, column]) => {
      this.#connection.exec(`CREATE TEMP TABLE kept_${table} AS SELECT * FROM main.${table}`)
      const isMine = `${column} = '${repositoryId}'`
      // The row of the repository itself is replaced: others refer to it.
      const clear = table === 'repositories' ? '' : `DELETE FROM main.${table} WHERE ${isMine};`
      return `${clear} INSERT OR REPLACE INTO main.${table} SELECT * FROM kept_${table} WHERE ${isMine};`
    })
    this.#restore = `PRAGMA foreign_keys = OFF; BEGIN; ${steps.join(' ')} COMMIT; PRAGMA foreign_keys = ON`
  }

  restore(): void {
    this.#connection.exec(this.#restore)
    this.reader.expire()
  }
}

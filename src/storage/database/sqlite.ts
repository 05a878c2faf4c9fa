import type { SQLInputValue } from 'node:sqlite'
import { DatabaseSync } from 'node:sqlite'

import type { SqliteDatabase } from 'kysely'

import { StorageError } from '../error.ts'
import type { Reader } from './reader.ts'

/** Earlier versions can corrupt a database when the write-ahead log is reset (sqlite.org/wal.html#walresetbug). */
const SQLITE_VERSION_MIN = [3, 51, 3] as const
/** How long a statement waits for another process's lock. */
const BUSY_TIMEOUT_MS = 5_000

/**
 * Opens the database with what durability needs: with synchronous=FULL a commit is on disk before it returns (I1).
 *
 * @throws StorageError sqlite_too_old
 */
export function openSqlite(path: string, options: { readonly readOnly?: boolean } = {}): DatabaseSync {
  const found = process.versions['sqlite']
  if (found === undefined || !isAtLeast(found, SQLITE_VERSION_MIN)) {
    const needed = SQLITE_VERSION_MIN.join('.')
    throw new StorageError(
      { code: 'sqlite_too_old', found: String(found), needed },
      `SQLite ${found} is older than ${needed}`,
    )
  }
  const readOnly = options.readOnly ?? false
  const database = new DatabaseSync(path, { readOnly, timeout: BUSY_TIMEOUT_MS, enableForeignKeyConstraints: true })
  if (!readOnly) database.exec('PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL')
  database.exec('PRAGMA cache_size = -16384; PRAGMA temp_store = MEMORY')
  return database
}

/** node:sqlite behind the small interface that kysely's SqliteDialect expects. */
export function kyselyAdapter(database: Reader): SqliteDatabase {
  return {
    close: () => database.close(),
    prepare(sql) {
      const statement = database.prepare(sql)
      const parametersOf = (values: readonly unknown[]): SQLInputValue[] => values as SQLInputValue[]
      return {
        reader: statement.returnsRows,
        all: (values) => statement.all(...parametersOf(values)),
        run: (values) => statement.run(...parametersOf(values)),
        iterate: (values) => statement.all(...parametersOf(values)).values(),
      }
    },
  }
}

/** Another process has the lock. */
export function isBusy(error: unknown): boolean {
  return sqliteCodeOf(error) === 5
}

/** No byte more can be written. */
export function isFull(error: unknown): boolean {
  return sqliteCodeOf(error) === 13
}

/** SQLITE_BUSY is 5, SQLITE_FULL 13; extended codes carry them in the low byte (sqlite.org/rescode.html). */
function sqliteCodeOf(error: unknown): number | undefined {
  return error instanceof Error && 'errcode' in error ? Number(error.errcode) & 0xff : undefined
}

function isAtLeast(version: string, minimum: readonly number[]): boolean {
  const parts = version.split('.').map(Number)
  for (const [i, needed] of minimum.entries()) {
    const part = parts[i] ?? 0
    if (part !== needed) return part > needed
  }
  return true
}

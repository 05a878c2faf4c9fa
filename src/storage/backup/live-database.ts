import type { DatabaseSync } from 'node:sqlite'

import { StorageError } from '../error.ts'
import { isBusy, isFull, openSqlite } from '../database/sqlite.ts'
import { BackupError } from './error.ts'

/** Each waits as long as a statement does (sqlite.ts): a minute in all. */
const LOCK_ATTEMPTS_MAX = 12

/** The database that is backed up, beside whatever node works on it. */
export class LiveDatabase {
  readonly #database: DatabaseSync

  /**
   * @param path of a database that is there: opening would make one
   * @throws BackupError database_damaged
   */
  constructor(path: string) {
    this.#database = orDamaged(() => openSqlite(path))
  }

  /**
   * Writes the whole database, as it is at one moment, into a new file; nobody waits for it meanwhile.
   *
   * @throws BackupError database_damaged
   */
  copyInto(path: string): void {
    orDamaged(() => this.#database.prepare('VACUUM INTO ?').run(path))
  }

  /**
   * While `look` runs, nothing is written: each transaction of refs is finished or not begun. It has to be quick, as
   * pushes wait for it.
   */
  whileNobodyWrites<T>(look: () => T): T {
    this.#lock()
    try {
      return look()
    } finally {
      this.#database.exec('ROLLBACK')
    }
  }

  /** Its folder is there as long as this says so: a repository is marked as deleted before its folder goes. */
  isThere(repositoryId: string): boolean {
    const statement = this.#database.prepare('SELECT 1 FROM repositories WHERE id = ? AND deleted_at IS NULL')
    return statement.get(repositoryId) !== undefined
  }

  close(): void {
    this.#database.close()
  }

  #lock(): void {
    for (let attempts = 1; ; attempts++) {
      try {
        this.#database.exec('BEGIN IMMEDIATE')
        return
      } catch (error) {
        if (!isBusy(error) || attempts === LOCK_ATTEMPTS_MAX) throw error
      }
    }
  }
}

function orDamaged<T>(work: () => T): T {
  try {
    return work()
  } catch (cause) {
    if (cause instanceof StorageError || isBusy(cause) || isFull(cause)) throw cause
    const reason = cause instanceof Error ? cause.message : String(cause)
    throw new BackupError({ code: 'database_damaged' }, `The database cannot be copied: ${reason}`, { cause })
  }
}

import { DatabaseSync } from 'node:sqlite'

import { isBusy } from './database/sqlite.ts'

/**
 * A lock between processes: SQLite's own on a file of its own (POSIX advisory locks). The kernel drops it with the
 * process, so that no crash leaves it behind.
 */
export class FileLock {
  /** A database that nothing refers to is closed by the garbage collector, and its lock would go with it. */
  static readonly #held = new Set<FileLock>()
  readonly #database: DatabaseSync

  private constructor(database: DatabaseSync) {
    this.#database = database
    FileLock.#held.add(this)
  }

  /**
   * @returns undefined where somebody has it
   * @throws what SQLite throws where the file cannot be made or is something else
   */
  static take(path: string): FileLock | undefined {
    let database: DatabaseSync | undefined
    try {
      database = new DatabaseSync(path, { timeout: 0 })
      database.exec('PRAGMA locking_mode = EXCLUSIVE; PRAGMA journal_mode = MEMORY; BEGIN EXCLUSIVE')
      return new FileLock(database)
    } catch (error) {
      database?.close()
      if (isBusy(error)) return undefined
      throw error
    }
  }

  release(): void {
    FileLock.#held.delete(this)
    this.#database.close()
  }
}

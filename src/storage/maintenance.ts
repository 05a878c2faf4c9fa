import type { ReadStatement } from './database/reader.ts'
import type { Database } from './database/database.ts'

/** An operator's wish, kept in the database, so that it outlives the process and needs no connection to it. */
const KEY = 'maintenance'

export interface MaintenanceState {
  readonly on: boolean
  /** When it was switched on. */
  readonly sinceMs: number | undefined
}

export async function setMaintenance(database: Database, on: boolean): Promise<void> {
  // Switching on what is on already keeps its time.
  await database.write([
    on
      ? {
          sql: 'INSERT INTO settings (key, value) VALUES (?, ?) ON CONFLICT DO NOTHING',
          parameters: [KEY, String(Date.now())],
        }
      : { sql: 'DELETE FROM settings WHERE key = ?', parameters: [KEY] },
  ])
}

/** Reads the wish; cheap enough for every second. */
export class Maintenance {
  readonly #statement: ReadStatement
  #state: MaintenanceState = { on: false, sinceMs: undefined }

  constructor(database: Database) {
    this.#statement = database.reader.prepare('SELECT value FROM settings WHERE key = ?')
    this.look()
  }

  /** As of the last look. */
  get state(): MaintenanceState {
    return this.#state
  }

  look(): MaintenanceState {
    const row = this.#statement.get(KEY) as { value: string } | undefined
    this.#state = row === undefined ? { on: false, sinceMs: undefined } : { on: true, sinceMs: Number(row.value) }
    return this.#state
  }
}

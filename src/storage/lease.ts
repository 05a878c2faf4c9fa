import { randomUUID } from 'node:crypto'

import type { Database } from './database/database.ts'
import type { Statement } from './database/write.ts'

const RENEW_EVERY_MS = 2_000
/** Older than this and nobody can rely on it. */
const STALE_AFTER_MS = 15_000

/**
 * The fenced lease on the data, kept in the database (DESIGN §4.5): who holds it orders ref changes. Each holder gets
 * a higher fence, and every ref transaction carries a guard on it, so a process that lost the lease without noticing
 * cannot write any more.
 */
export class Lease {
  readonly #database: Database
  readonly #holder = randomUUID()
  readonly #onError: (error: unknown) => void
  #fence = 0
  #renewedAtMs = 0
  #timer: NodeJS.Timeout | undefined

  constructor(database: Database, onError: (error: unknown) => void) {
    this.#database = database
    this.#onError = onError
  }

  /** Takes the lease from whoever had it: the directory's lock says that no other node runs here. */
  async start(): Promise<void> {
    const now = Date.now()
    await this.#database.write([
      {
        sql: `INSERT INTO node_lease (id, holder, fence, renewed_at) VALUES (1, ?, 1, ?)
          ON CONFLICT (id) DO UPDATE SET holder = excluded.holder, fence = fence + 1, renewed_at = excluded.renewed_at`,
        parameters: [this.#holder, now],
        expectChanges: 1,
      },
    ])
    const row = await this.#database.read.selectFrom('node_lease').select('fence').executeTakeFirstOrThrow()
    this.#fence = row.fence
    this.#renewedAtMs = now
    this.#timer = setInterval(() => void this.renew().catch(this.#onError), RENEW_EVERY_MS)
    this.#timer.unref()
  }

  stop(): void {
    clearInterval(this.#timer)
    this.#renewedAtMs = 0
  }

  /** @returns whether this process still holds the lease */
  async renew(): Promise<boolean> {
    const now = Date.now()
    const outcome = await this.#database.write([
      {
        sql: 'UPDATE node_lease SET renewed_at = ? WHERE holder = ? AND fence = ?',
        parameters: [now, this.#holder, this.#fence],
        expectChanges: 1,
      },
    ])
    if (outcome.committed) this.#renewedAtMs = now
    else this.#renewedAtMs = 0
    return outcome.committed
  }

  /** Renewed lately, so nobody else can have it. */
  get held(): boolean {
    return Date.now() - this.#renewedAtMs < STALE_AFTER_MS
  }

  /** Put first into a write, it undoes the write if the lease went to somebody else. */
  guard(): Statement {
    return {
      sql: 'UPDATE node_lease SET fence = fence WHERE holder = ? AND fence = ?',
      parameters: [this.#holder, this.#fence],
      expectChanges: 1,
    }
  }
}

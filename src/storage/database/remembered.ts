import type { DatabaseSync, StatementSync } from 'node:sqlite'
import { LRUCache } from 'lru-cache'
import type { ReadStatement, Row } from './reader.ts'

/** Of each statement: as many tokens or repositories as are busy at the same time. */
const ROWS_MAX = 1_000

/**
 * So old may what is known of the database be. To ask it is two calls of the kernel to lock and to unlock, and took 5 µs of
 * the 120 of a small request that came alone.
 */
export const FRESH_MS = 1

/**
 * Whether the database is still as it was: asked again after a write of our own, and else after a millisecond. What
 * another process writes, such as a command of an operator, is known so long after it was written.
 */
export class Freshness {
  readonly #statement: StatementSync
  #knownUntilMs = 0
  #version: unknown
  /** Another one for each change that was seen. */
  generation = 0

  constructor(database: DatabaseSync) {
    // Another one after each commit of another connection, and all writes are by others (sqlite.org/pragma.html).
    this.#statement = database.prepare('PRAGMA data_version')
  }

  /** A write of our own is done: whoever waited for it reads what it wrote. */
  expire(): void {
    this.#knownUntilMs = 0
  }

  check(): number {
    const nowMs = performance.now()
    if (nowMs < this.#knownUntilMs) return this.generation
    const version = this.#statement.get()?.['data_version']
    if (version !== this.#version) this.generation++
    this.#version = version
    this.#knownUntilMs = nowMs + FRESH_MS
    return this.generation
  }
}

type Parameter = string | number | null

/**
 * Rows that each request asks for, such as its token's: kept until anything in the database changes. Each look into the
 * database is a transaction with its locks; the three of a listing of refs were a tenth of its time.
 */
export class RememberedStatement {
  readonly #statement: ReadStatement
  readonly #freshness: Freshness
  readonly #rows = new LRUCache<string, NonNullable<Row>>({ max: ROWS_MAX })
  #generation = -1

  constructor(statement: ReadStatement, freshness: Freshness) {
    this.#statement = statement
    this.#freshness = freshness
  }

  /** @returns frozen: others get the same one. What is not there is looked for each time. */
  get(...parameters: readonly Parameter[]): Row {
    const generation = this.#freshness.check()
    if (generation !== this.#generation) this.#rows.clear()
    this.#generation = generation
    const key = keyOf(parameters)
    const known = this.#rows.get(key)
    if (known !== undefined) return known
    const row = this.#statement.get(...parameters)
    if (row !== undefined) this.#rows.set(key, Object.freeze(row))
    return row
  }
}

function keyOf(parameters: readonly Parameter[]): string {
  const [first] = parameters
  return parameters.length === 1 && typeof first === 'string' ? first : JSON.stringify(parameters)
}

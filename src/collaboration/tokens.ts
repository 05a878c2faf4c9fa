import { randomUUIDv7 } from 'node:crypto'
import type { ReadStatement } from '../storage/database/reader.ts'
import type { RememberedStatement } from '../storage/database/remembered.ts'
import type { Database } from '../storage/database/database.ts'
import type { Authenticate } from './caller.ts'
import { offsetOf, type PageOf, type PageRequest } from './page.ts'
import { hashToken, isTokenText, newTokenText } from './token-text.ts'

export interface Token {
  readonly id: string
  readonly name: string
  readonly createdAtMs: number
  /** null: never */
  readonly expiresAtMs: number | null
}

/** The one moment at which the token itself is known. */
export interface NewToken extends Token {
  readonly token: string
}

interface TokenRow {
  id: string
  name: string
  created_at: number
  expires_at: number | null
}

/** Users' tokens, of which only hashes are kept. Needs the database alone, like `Users`. */
export class Tokens {
  readonly #database: Database
  readonly #byHash: RememberedStatement
  readonly #page: ReadStatement
  readonly #count: ReadStatement

  constructor(database: Database) {
    this.#database = database
    this.#byHash = database.reader.remember(
      `SELECT t.id AS tokenId, t.user_id AS userId, o.name AS username, u.admin, t.expires_at AS expiresAtMs
        FROM tokens t JOIN users u ON u.id = t.user_id JOIN owners o ON o.id = t.user_id WHERE t.hash = unhex(?)`,
    )
    this.#page = database.reader.prepare(
      'SELECT id, name, created_at, expires_at FROM tokens WHERE user_id = ? ORDER BY id LIMIT ? OFFSET ?',
    )
    this.#count = database.reader.prepare('SELECT count(*) AS count FROM tokens WHERE user_id = ?')
  }

  /**
   * @param token `expiresInS` seconds from now; without it the token holds until it is revoked
   * @throws ConstraintError there is no such user
   */
  async create(token: {
    readonly userId: string
    readonly name: string
    readonly expiresInS?: number | undefined
  }): Promise<NewToken> {
    const text = newTokenText()
    const createdAtMs = Date.now()
    const expiresAtMs = token.expiresInS === undefined ? null : createdAtMs + token.expiresInS * 1_000
    const made = { id: randomUUIDv7(), name: token.name, createdAtMs, expiresAtMs }
    await this.#database.write([
      {
        sql: 'INSERT INTO tokens (id, user_id, name, hash, created_at, expires_at) VALUES (?, ?, ?, unhex(?), ?, ?)',
        parameters: [made.id, token.userId, made.name, hashToken(text), createdAtMs, expiresAtMs],
        expectChanges: 1,
      },
    ])
    return { ...made, token: text }
  }

  /** In the order they were made; expired ones included. */
  list(userId: string, page: PageRequest): PageOf<Token> {
    const rows = this.#page.all(userId, page.perPage, offsetOf(page)) as unknown as TokenRow[]
    const { count } = this.#count.get(userId) as { count: number }
    return { items: rows.map(toToken), total: count }
  }

  /** @returns false when the user has no such token */
  async revoke(userId: string, tokenId: string): Promise<boolean> {
    const outcome = await this.#database.write([
      { sql: 'DELETE FROM tokens WHERE user_id = ? AND id = ?', parameters: [userId, tokenId], expectChanges: 1 },
    ])
    return outcome.committed
  }

  /** A lookup by the whole hash: how long it takes says nothing about how near a guess was. */
  readonly authenticate: Authenticate = async (text) => {
    if (!isTokenText(text)) return undefined
    const row = this.#byHash.get(hashToken(text)) as
      | { tokenId: string; userId: string; username: string; admin: number; expiresAtMs: number | null }
      | undefined
    if (row === undefined || (row.expiresAtMs !== null && row.expiresAtMs <= Date.now())) return undefined
    const { tokenId, userId, username, admin } = row
    return { tokenId, userId, username, admin: admin === 1 }
  }
}

function toToken({ id, name, created_at, expires_at }: TokenRow): Token {
  return { id, name, createdAtMs: created_at, expiresAtMs: expires_at }
}

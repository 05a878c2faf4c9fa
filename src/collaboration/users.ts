import assert from 'node:assert/strict'
import { randomUUIDv7 } from 'node:crypto'
import type { ReadStatement } from '../storage/database/reader.ts'
import { RequestError } from '../errors.ts'
import { ConstraintError, type Database } from '../storage/database/database.ts'
import { username as usernameSchema } from '../validation/names.ts'
import { offsetOf, type PageOf, type PageRequest } from './page.ts'

export interface User {
  readonly id: string
  readonly username: string
  readonly admin: boolean
  readonly createdAtMs: number
}

interface UserRow {
  id: string
  username: string
  admin: number
  created_at: number
}

const SELECT = 'SELECT u.id, o.name AS username, u.admin, o.created_at FROM users u JOIN owners o ON o.id = u.id'

/** The node's users. Needs the database alone, so that the command line works with and without a running node. */
export class Users {
  readonly #database: Database
  readonly #byName: ReadStatement
  readonly #page: ReadStatement
  readonly #count: ReadStatement

  constructor(database: Database) {
    this.#database = database
    this.#byName = database.reader.prepare(`${SELECT} WHERE o.name = ?`)
    this.#page = database.reader.prepare(`${SELECT} ORDER BY o.name LIMIT ? OFFSET ?`)
    this.#count = database.reader.prepare('SELECT count(*) AS count FROM users')
  }

  /**
   * @param user its name was checked by `validation/names.ts`
   * @throws RequestError conflict: a user or an organization has this name
   */
  async create({ username, admin }: { readonly username: string; readonly admin: boolean }): Promise<User> {
    // It becomes the name of a folder.
    assert(usernameSchema.safeParse(username).success, 'callers check names')
    const user: User = { id: randomUUIDv7(), username, admin, createdAtMs: Date.now() }
    try {
      await this.#database.write([
        {
          sql: "INSERT INTO owners (id, name, kind, created_at) VALUES (?, ?, 'user', ?)",
          parameters: [user.id, username, user.createdAtMs],
        },
        { sql: 'INSERT INTO users (id, admin) VALUES (?, ?)', parameters: [user.id, admin ? 1 : 0] },
      ])
    } catch (error) {
      if (!(error instanceof ConstraintError)) throw error
      throw new RequestError({ code: 'conflict' }, `The name ${username} is taken`, { cause: error })
    }
    return user
  }

  find(username: string): User | undefined {
    const row = this.#byName.get(username) as UserRow | undefined
    return row === undefined ? undefined : toUser(row)
  }

  /** Sorted by name. */
  list(page: PageRequest): PageOf<User> {
    const rows = this.#page.all(page.perPage, offsetOf(page)) as unknown as UserRow[]
    return { items: rows.map(toUser), total: this.count() }
  }

  count(): number {
    return (this.#count.get() as { count: number }).count
  }
}

function toUser({ id, username, admin, created_at }: UserRow): User {
  return { id, username, admin: admin === 1, createdAtMs: created_at }
}

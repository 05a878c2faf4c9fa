/** What is true of users, tokens and repositories, in maps; and the comparison with what the services say. */
import assert from 'node:assert/strict'
import { vi } from 'vitest'
import type { Caller } from '../src/collaboration/caller.ts'
import type { FoundRepository } from '../src/collaboration/repository-catalog.ts'
import type { People } from '../src/collaboration/testing.ts'

export const USERS = { alice: false, bob: false, root: true } as const
export type User = keyof typeof USERS
export const USER_NAMES = Object.keys(USERS) as User[]
/** `nobody` is not there. */
export const OWNERS = [...USER_NAMES, 'nobody'] as const
export const NAMES = ['docs', 'site']

interface ModelToken {
  readonly user: User
  readonly expiresAtMs: number | undefined
  isRevoked: boolean
}
interface ModelRepository {
  readonly owner: User
  readonly name: string
  description: string
  private: boolean
  head: string
}
export interface Model {
  nowMs: number
  readonly tokens: ModelToken[]
  /** By id: those that have not been deleted. */
  readonly repositories: Map<string, ModelRepository>
}
export interface Real {
  readonly people: People
  /** People of this run alone have names that begin so: all share a database. */
  readonly prefix: string
  readonly ids: Readonly<Record<User, string>>
  /** As in the model. */
  readonly tokens: { readonly id: string; readonly text: string }[]
  /** What somebody was given once, and may use much later. */
  readonly handles: FoundRepository[]
}
/** The services ask for the time before anything else, so that it has to be another one only while they are called. */
export function at<T>(nowMs: number, work: () => Promise<T>): Promise<T> {
  const clock = vi.spyOn(Date, 'now').mockReturnValue(nowMs)
  try {
    return work()
  } finally {
    clock.mockRestore()
  }
}

const holds = (token: ModelToken, { nowMs }: Model): boolean =>
  !token.isRevoked && (token.expiresAtMs === undefined || nowMs < token.expiresAtMs)
export const maySee = (user: User | undefined, repository: ModelRepository): boolean =>
  !repository.private || mayWrite(user, repository.owner)
const mayWrite = (user: User | undefined, owner: string): boolean =>
  user !== undefined && (USERS[user] || user === owner)

/** Who the model says a token speaks for; the node must say the same. @param which counts from the last one */
export async function callerOf(which: number, model: Model, real: Real): Promise<{ user?: User; caller?: Caller }> {
  const place = model.tokens.length === 0 ? -1 : which % model.tokens.length
  const [token, text] = [model.tokens[place], real.tokens[place]?.text]
  if (token === undefined || text === undefined) return {}
  const caller = await at(model.nowMs, () => real.people.tokens.authenticate(text, new AbortController().signal))
  if (!holds(token, model)) {
    assert.equal(caller, undefined)
    return {}
  }
  const { user } = token
  const [userId, username] = [real.ids[user], `${real.prefix}${user}`]
  assert.deepEqual(caller, { userId, username, admin: USERS[user], tokenId: real.tokens[place]?.id })
  return { user, caller: caller as Caller }
}

export function entryOf(model: Model, owner: string, name: string): readonly [string, ModelRepository] | undefined {
  return Array.from(model.repositories).find(([, one]) => one.owner === owner && one.name === name)
}

function shown({ id, name, description, private: hidden, head, canWrite }: FoundRepository): object {
  return { id, name, description, private: hidden, head, canWrite }
}

/** What everybody sees of everything is what the model says. */
export function assertSeen(model: Model, real: Real): void {
  const all = Array.from(model.repositories.entries())
  for (const user of [...USER_NAMES, undefined]) {
    const username = `${real.prefix}${user}`
    const caller = user && { userId: real.ids[user], username, admin: USERS[user], tokenId: '' }
    const ofAll: object[] = []
    for (const owner of OWNERS) {
      const ownerName = `${real.prefix}${owner}`
      const expected = all
        .filter(([, one]) => one.owner === owner && maySee(user, one))
        .map(([id, { name, description, private: hidden, head }]) => {
          return {
            id,
            name,
            description,
            private: hidden,
            head,
            canWrite: mayWrite(user, owner),
          }
        })
        .sort((a, b) => (a.name < b.name ? -1 : 1))
      const listed = real.people.repositories.list({ page: 1, perPage: 100, owner: ownerName }, caller)
      assert.deepEqual(listed.items.map(shown), expected)
      ofAll.push(...expected)
      assert.equal(listed.total, expected.length)
      const found = NAMES.map((name) => real.people.repositories.find(ownerName, name, caller)).filter(
        (one) => one !== undefined,
      )
      assert.deepEqual(found.map(shown), expected)
    }
    // By owner and name, page by page; the repositories of other runs are gone.
    for (let page = 1, start = 0; start <= ofAll.length; page++, start += 2) {
      const { items, total } = real.people.repositories.list({ page, perPage: 2 }, caller)
      assert.deepEqual([items.map(shown), total], [ofAll.slice(start, start + 2), ofAll.length])
    }
  }
  for (const user of USER_NAMES) {
    const { items } = real.people.tokens.list(real.ids[user], { page: 1, perPage: 100 })
    const kept = model.tokens.flatMap((one, place) =>
      one.user === user && !one.isRevoked ? [real.tokens[place]?.id] : [],
    )
    assert.deepEqual(items.map(({ id }) => id).sort(), kept.toSorted())
  }
}

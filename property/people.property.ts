/** Users, tokens, repositories and who may do what, against a model of maps: whatever happens, in whatever order. */
import assert from 'node:assert/strict'
import { fc } from '@fast-check/vitest'
import { afterAll, beforeAll } from 'vitest'
import type { FoundRepository } from '../src/collaboration/repository-catalog.ts'
import { failureOf, openPeople, type People } from '../src/collaboration/testing.ts'
import {
  assertSeen,
  at,
  callerOf,
  entryOf,
  maySee,
  type Model,
  NAMES,
  OWNERS,
  type Real,
  type User,
  USER_NAMES,
  USERS,
} from './people-model.ts'
import { prop } from './prop.ts'

const BRANCHES = ['main', 'next']

let people: People
let runs = 0
beforeAll(async () => {
  people = await openPeople()
})
afterAll(() => people[Symbol.asyncDispose]())

type Command = fc.AsyncCommand<Model, Real>

abstract class Step implements Command {
  abstract readonly what: object
  abstract take(model: Model, real: Real): Promise<void>

  check = (): boolean => true

  async run(model: Model, real: Real): Promise<void> {
    await this.take(model, real)
    assertSeen(model, real)
  }

  toString = (): string => `${this.constructor.name}(${JSON.stringify(this.what)})`
}

class Mint extends Step {
  readonly what: { readonly user: User; readonly expiresInS: number | undefined }

  constructor(what: Mint['what']) {
    super()
    this.what = what
  }

  async take(model: Model, real: Real): Promise<void> {
    const { user, expiresInS } = this.what
    const made = await at(model.nowMs, () => people.tokens.create({ userId: real.ids[user], name: 't', expiresInS }))
    const expiresAtMs = expiresInS === undefined ? undefined : model.nowMs + expiresInS * 1_000
    real.tokens.push({ id: made.id, text: made.token })
    model.tokens.push({ user, expiresAtMs, isRevoked: false })
  }
}

class Revoke extends Step {
  readonly what: { readonly by: User; readonly token: number }

  constructor(what: Revoke['what']) {
    super()
    this.what = what
  }

  async take(model: Model, real: Real): Promise<void> {
    const place = this.what.token % Math.max(1, model.tokens.length)
    const token = model.tokens[place]
    if (token === undefined) return
    const revoked = await people.tokens.revoke(real.ids[this.what.by], real.tokens[place]?.id ?? '')
    // Nobody can take away, or learn of, a token of somebody else.
    assert.equal(revoked, token.user === this.what.by && !token.isRevoked)
    if (revoked) token.isRevoked = true
  }
}

class Pass extends Step {
  readonly what: { readonly seconds: number }

  constructor(what: Pass['what']) {
    super()
    this.what = what
  }

  async take(model: Model): Promise<void> {
    model.nowMs += this.what.seconds * 1_000
  }
}

class Create extends Step {
  readonly what: { token: number; owner: (typeof OWNERS)[number]; name: string; private: boolean }

  constructor(what: Create['what']) {
    super()
    this.what = what
  }

  async take(model: Model, real: Real): Promise<void> {
    const { token, owner, name, private: hidden } = this.what
    const { user, caller } = await callerOf(token, model, real)
    if (caller === undefined || user === undefined) return
    const wanted = { owner: `${real.prefix}${owner}`, name, description: '', private: hidden }
    const outcome = await failureOf(() => people.repositories.create(wanted, caller))
    const refused = (code: string): void => assert.deepEqual(outcome, { code })
    if (user !== owner && !USERS[user]) return refused('forbidden')
    if (owner === 'nobody') return refused('not_found')
    if (entryOf(model, owner, name) !== undefined) return refused('conflict')
    const { returned } = outcome as { returned: FoundRepository }
    real.handles.push(returned)
    model.repositories.set(returned.id, { owner, name, description: '', private: hidden, head: 'refs/heads/main' })
  }
}

class Find extends Step {
  readonly what: { token: number; owner: (typeof OWNERS)[number]; name: string }

  constructor(what: Find['what']) {
    super()
    this.what = what
  }

  async take(model: Model, real: Real): Promise<void> {
    const { token, owner, name } = this.what
    const { user, caller } = await callerOf(token, model, real)
    const found = people.repositories.find(`${real.prefix}${owner}`, name, caller)
    const entry = entryOf(model, owner, name)
    const seen = entry !== undefined && maySee(user, entry[1])
    assert.equal(found?.id, seen ? entry[0] : undefined)
    if (found !== undefined) real.handles.push(found)
  }
}

/** What was found is changed or deleted: now, or when it is gone, or has another of its name in its place. */
class Use extends Step {
  readonly what: {
    handle: number
    change: 'delete' | { description?: string; private?: boolean; defaultBranch?: string }
  }

  constructor(what: Use['what']) {
    super()
    this.what = what
  }

  async take(model: Model, real: Real): Promise<void> {
    const handle = real.handles.at(-1 - (this.what.handle % Math.max(1, real.handles.length)))
    if (handle === undefined) return
    const { change } = this.what
    const { repositories } = people
    const work = (): Promise<void> =>
      change === 'delete' ? repositories.remove(handle) : repositories.update(handle, change)
    const outcome = await failureOf(work)
    const known = model.repositories.get(handle.id)
    if (!handle.canWrite) assert.deepEqual(outcome, { code: 'forbidden' })
    else if (known === undefined) assert.deepEqual(outcome, { code: 'not_found' })
    else {
      assert.deepEqual(outcome, { returned: undefined })
      if (change === 'delete') model.repositories.delete(handle.id)
      else {
        const { defaultBranch, ...others } = change
        Object.assign(known, others, defaultBranch !== undefined && { head: `refs/heads/${defaultBranch}` })
      }
    }
  }
}

const user = fc.constantFrom(...USER_NAMES)
const token = fc.nat(9)
/** Few, so that a token is also used in the very second in which it ends. */
const seconds = fc.constantFrom(1, 2, 3)
const place = { token, owner: fc.constantFrom(...OWNERS), name: fc.constantFrom(...NAMES) }
const change = fc.record(
  {
    description: fc.constantFrom('', 'a site'),
    private: fc.boolean(),
    defaultBranch: fc.constantFrom(...BRANCHES),
  },
  { requiredKeys: [], noNullPrototype: true },
)
const step = fc.oneof(
  {
    weight: 3,
    arbitrary: fc
      .record({ user, expiresInS: fc.option(seconds, { nil: undefined }) })
      .map((what): Command => new Mint(what)),
  },
  { weight: 1, arbitrary: fc.record({ by: user, token }).map((what): Command => new Revoke(what)) },
  {
    weight: 1,
    arbitrary: fc.record({ seconds }).map((what): Command => new Pass(what)),
  },
  { weight: 4, arbitrary: fc.record({ ...place, private: fc.boolean() }).map((what): Command => new Create(what)) },
  { weight: 2, arbitrary: fc.record(place).map((what): Command => new Find(what)) },
  {
    weight: 3,
    arbitrary: fc
      .record({ handle: fc.nat(3), change: fc.oneof(fc.constant('delete' as const), change) })
      .map((what): Command => new Use(what)),
  },
)

prop([fc.commands([step], { maxCommands: 24 })])(
  'users, tokens, repositories and rights are those of plain maps, in whatever order people come',
  async (plan) => {
    const prefix = `r${runs++}-`
    const ids = {} as Record<User, string>
    for (const name of USER_NAMES) {
      ids[name] = (await people.users.create({ username: `${prefix}${name}`, admin: USERS[name] })).id
    }
    const real: Real = { people, prefix, ids, tokens: [], handles: [] }
    const model: Model = { nowMs: Date.now(), tokens: [], repositories: new Map() }
    try {
      await fc.asyncModelRun(() => ({ model, real }), plan)
    } finally {
      const root = { userId: ids.root, username: `${prefix}root`, admin: true, tokenId: '' }
      for (const one of people.repositories.list({ page: 1, perPage: 100 }, root).items) {
        await people.repositories.remove(one)
      }
    }
  },
)

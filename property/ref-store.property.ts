import assert from 'node:assert/strict'
import { fc } from '@fast-check/vitest'
import { afterAll, beforeAll } from 'vitest'
import { Database } from '../src/storage/database/database.ts'
import { Lease } from '../src/storage/lease.ts'
import { signerOf } from '../src/storage/repositories/ref-log.ts'
import { RefLog } from '../src/storage/repositories/ref-log-store.ts'
import { RefStore, type RefUpdate } from '../src/storage/repositories/ref-store.ts'
import { openTestData, type TestData } from '../src/storage/testing.ts'
import { record } from './arbitraries.ts'
import { prop } from './prop.ts'

const NAMES = ['refs/heads/a', 'refs/heads/b', 'refs/tags/é']
const OIDS = ['11', '22', '33'].map((byte) => byte.repeat(20))

/** What the model knows: name → object. */
type Refs = Readonly<Record<string, string>>
interface Model {
  refs: Refs
  /** Transactions that were acknowledged. */
  sequence: number
}

/** A database as a process has it, which can be closed and opened again. */
class Store {
  /** Of the repository that is worked on. */
  id = ''
  #database: Database
  #lease: Lease
  #refs: RefStore

  private constructor(database: Database, lease: Lease) {
    this.#database = database
    this.#lease = lease
    this.#refs = new RefStore(database, lease, new RefLog(database, signerOf(new Uint8Array(32))))
  }

  static async open(): Promise<Store> {
    const database = await Database.open(data.paths.database)
    const lease = new Lease(database, (error) => {
      throw error
    })
    await lease.start()
    return new Store(database, lease)
  }

  apply(updates: readonly RefUpdate[]): Promise<boolean> {
    return this.#refs.apply({ repositoryId: this.id, updates, userId: null })
  }

  state(): Model {
    const { refs, sequence } = this.#refs.snapshot(this.id)
    return { refs: Object.fromEntries(refs.map(({ name, oid }) => [name, oid])), sequence }
  }

  async close(): Promise<void> {
    this.#lease.stop()
    await this.#database.close()
  }

  async reopen(): Promise<void> {
    await this.close()
    const other = await Store.open()
    this.#database = other.#database
    this.#lease = other.#lease
    this.#refs = other.#refs
  }
}

let data: TestData
/** Opened once for all runs, as that takes 50 ms: a thousand of them would take a minute. */
let opened: Store
let repositories = 0
beforeAll(async () => {
  data = await openTestData()
  const owner = `INSERT INTO owners (id, name, kind, created_at) VALUES ('o', 'o', 'user', 0)`
  await data.database.write([{ sql: owner, parameters: [] }])
  opened = await Store.open()
})
afterAll(async () => {
  await opened.close()
  await data[Symbol.asyncDispose]()
})

/** What is in the others stays there, and shows nowhere. */
async function newRepository(): Promise<void> {
  const id = `r${repositories++}`
  const sql = `INSERT INTO repositories (id, owner_id, name, description, private, head, created_at, updated_at)
    VALUES (?, 'o', ?, '', 0, 'refs/heads/main', 0, 0)`
  await data.database.write([{ sql, parameters: [id, id] }])
  opened.id = id
}

/** What one transaction makes of the refs; undefined: it must be refused, with nothing changed. */
function transact(refs: Refs, updates: readonly RefUpdate[]): Refs | undefined {
  if (updates.some(({ name, oldOid }) => refs[name] !== oldOid)) return undefined
  const gone = new Set(updates.map(({ name }) => name))
  const kept = Object.entries(refs).filter(([name]) => !gone.has(name))
  const made = updates.flatMap(({ name, newOid }) => (newOid === undefined ? [] : [[name, newOid] as const]))
  return Object.fromEntries([...kept, ...made])
}

/** One after another. @returns which of them were taken */
function transactAll(model: Model, transactions: readonly (readonly RefUpdate[])[], order: readonly number[]) {
  const taken: boolean[] = []
  let { refs, sequence } = model
  for (const at of order) {
    const next = transact(refs, transactions[at] ?? [])
    taken[at] = next !== undefined
    refs = next ?? refs
    if (next !== undefined) sequence++
  }
  return { taken, state: { refs, sequence } }
}

type Command = fc.AsyncCommand<Model, Store>

/** Transactions that are all under way at once; one alone is a race that nobody runs against. */
class Race implements Command {
  readonly #wishes: readonly (readonly Wish[])[]

  constructor(wishes: readonly (readonly Wish[])[]) {
    this.#wishes = wishes
  }

  check = (): boolean => true

  async run(model: Model, store: Store): Promise<void> {
    const transactions = this.#wishes.map((wishes) => wishes.map((wish) => updateOf(wish, model)))
    const taken = await Promise.all(transactions.map((updates) => store.apply(updates)))
    const state = store.state()
    // Linearizable: some order explains who was told yes, and what is there now (I3).
    const explained = ordersOf(transactions.length).some((order) => {
      const one = transactAll(model, transactions, order)
      return isSame(one.taken, taken) && isSame(one.state, state)
    })
    assert.ok(explained, JSON.stringify({ before: model, transactions, taken, after: state }))
    Object.assign(model, state)
  }

  toString = (): string => `Race(${JSON.stringify(this.#wishes)})`
}

/** What was acknowledged is there when the database is opened again. */
class Reopen implements Command {
  check = (): boolean => true

  async run(model: Model, store: Store): Promise<void> {
    await store.reopen()
    assert.deepEqual(store.state(), { ...model })
  }

  toString = (): string => 'Reopen'
}

interface Wish {
  readonly name: string
  /** Which value it believes the ref to have; `right`: it knows. */
  readonly believes: 'right' | 'none' | number
  readonly wants: 'none' | number
}

function updateOf({ name, believes, wants }: Wish, { refs }: Model): RefUpdate {
  const oidOf = (wish: 'none' | number): string | undefined => (wish === 'none' ? undefined : OIDS[wish])
  const oldOid = believes === 'right' ? refs[name] : oidOf(believes)
  // A deletion of nothing is not asked of the store.
  const newOid = oidOf(wants) ?? (oldOid === undefined ? OIDS[0] : undefined)
  return { name, oldOid, newOid, peeled: null }
}

function ordersOf(length: number): number[][] {
  if (length === 0) return [[]]
  return ordersOf(length - 1).flatMap((order) => Array.from({ length }, (_, at) => order.toSpliced(at, 0, length - 1)))
}

function isSame(one: unknown, other: unknown): boolean {
  try {
    assert.deepEqual(one, other)
    return true
  } catch {
    return false
  }
}

const value = fc.oneof({ weight: 3, arbitrary: fc.nat(2) }, { weight: 1, arbitrary: fc.constant('none' as const) })
const wish: fc.Arbitrary<Wish> = record({
  name: fc.constantFrom(...NAMES),
  believes: fc.oneof({ weight: 5, arbitrary: fc.constant('right' as const) }, { weight: 1, arbitrary: value }),
  wants: value,
})
/** Each ref once: what a client says twice is judged before it comes here. */
const wishes = fc.uniqueArray(wish, { minLength: 1, maxLength: 3, selector: ({ name }) => name })
const commands = fc.commands(
  [
    fc.oneof(
      { weight: 20, arbitrary: wishes.map((one): Command => new Race([one])) },
      {
        weight: 10,
        arbitrary: fc.array(wishes, { minLength: 2, maxLength: 4 }).map((all): Command => new Race(all)),
      },
      // Seldom, for what it costs; still some hundred times in a thousand runs.
      { weight: 1, arbitrary: fc.constant<Command>(new Reopen()) },
    ),
  ],
  { maxCommands: 20 },
)

prop([commands])(
  'refs are a plain map that changes by compare-and-swap, whoever races and whenever the database is opened anew',
  async (plan) => {
    await newRepository()
    await fc.asyncModelRun(() => ({ model: { refs: {}, sequence: opened.state().sequence }, real: opened }), plan)
  },
)

import assert from 'node:assert/strict'
import { mkdirSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { fc } from '@fast-check/vitest'
import { afterAll, beforeAll } from 'vitest'
import type { Logger } from '../src/observability/logging.ts'
import { diskFileSystem, type FileSystem } from '../src/storage/file-system.ts'
import { Lease } from '../src/storage/lease.ts'
import { unobserved } from '../src/storage/observe.ts'
import { signerOf } from '../src/storage/repositories/ref-log.ts'
import { RefLog } from '../src/storage/repositories/ref-log-store.ts'
import { RefStore } from '../src/storage/repositories/ref-store.ts'
import { RepositoryFiles } from '../src/storage/repositories/repository-files.ts'
import { openTestData, type TestData } from '../src/storage/testing.ts'
import { judgeCommands } from '../src/transfer/ref-rules.ts'
import { RefProjector } from '../src/transfer/ref-projector.ts'
import { run } from './histories.ts'
import { prop } from './prop.ts'

// Names that stand in each other's way, sort in more than one way, and are not all ASCII.
const NAMES = ['a', 'a/b', 'a/b/c', 'a/d', 'a-b', 'a.b', 'é', 'main', 'main/x'].map((name) => `refs/heads/${name}`)
const HEAD = 'refs/heads/main'

let data: TestData
let lease: Lease
let store: RefStore
/** Commits to point at; what they are does not matter here. */
const oids: string[] = []
let repositories = 0

beforeAll(async () => {
  data = await openTestData()
  lease = new Lease(data.database, (error) => {
    throw error
  })
  await lease.start()
  store = new RefStore(data.database, lease, new RefLog(data.database, signerOf(new Uint8Array(32))))
  const owner = `INSERT INTO owners (id, name, kind, created_at) VALUES ('o', 'o', 'user', 0)`
  await data.database.write([{ sql: owner, parameters: [] }])
  mkdirSync(join(data.paths.repositories, 'o'))
  run(data.paths.repositories, ['init', '--quiet', '--bare', '--initial-branch=main', 'o/seed.git'])
  const seed = join(data.paths.repositories, 'o/seed.git')
  const tree = run(seed, ['mktree']).toString().trim()
  const who = ['-c', 'user.name=A', '-c', 'user.email=a@example.org']
  for (const message of ['1', '2', '3']) {
    oids.push(
      run(seed, [...who, 'commit-tree', '-m', message, tree])
        .toString()
        .trim(),
    )
  }
})
afterAll(async () => {
  lease.stop()
  await data[Symbol.asyncDispose]()
})

/** A disk that refuses one operation. */
class FailingDisk {
  left = -1
  readonly fileSystem: FileSystem
  constructor() {
    const count =
      <T extends unknown[]>(work: (...parameters: T) => Promise<void>) =>
      async (...parameters: T): Promise<void> => {
        if (this.left-- === 0) throw Object.assign(new Error('no space'), { code: 'ENOSPC' })
        return work(...parameters)
      }
    this.fileSystem = {
      ...diskFileSystem,
      rename: count(diskFileSystem.rename),
      makeDirectory: count(diskFileSystem.makeDirectory),
    }
  }
}

interface Real {
  readonly id: string
  readonly path: string
  readonly repository: { readonly id: string; readonly owner: string; readonly name: string }
  readonly disk: FailingDisk
  projector: RefProjector
}
interface Model {
  readonly refs: Map<string, string>
  /** Until the next transaction the refs on disk may be old. */
  isBehind: boolean
}
type Command = fc.AsyncCommand<Model, Real>

const logger = { error() {}, warn() {} } as unknown as Logger
const projectorOf = (disk: FailingDisk): RefProjector =>
  new RefProjector({
    fileSystem: disk.fileSystem,
    files: new RepositoryFiles(data.paths, disk.fileSystem),
    refs: store,
    observe: unobserved,
    logger,
  })

async function newRepository(): Promise<Real> {
  const name = `r${repositories++}`
  const path = join(data.paths.repositories, 'o', `${name}.git`)
  run(data.paths.repositories, ['clone', '--quiet', '--bare', 'o/seed.git', path])
  writeFileSync(join(path, 'objects/info/alternates'), `${join(data.paths.repositories, 'o/seed.git/objects')}\n`)
  const sql = `INSERT INTO repositories (id, owner_id, name, description, private, head, created_at, updated_at)
    VALUES (?, 'o', ?, '', 0, ?, 0, 0)`
  await data.database.write([{ sql, parameters: [name, name, HEAD] }])
  const disk = new FailingDisk()
  return { id: name, path, repository: { id: name, owner: 'o', name }, disk, projector: projectorOf(disk) }
}

function assertShown(model: Model, { path, id }: Real): void {
  const expected = Array.from(model.refs, ([name, oid]) => `${name} ${oid}`).sort()
  assert.deepEqual(
    store
      .snapshot(id)
      .refs.map(({ name, oid }) => `${name} ${oid}`)
      .sort(),
    expected,
  )
  if (model.isBehind) return
  const text = run(path, ['for-each-ref', '--format=%(refname) %(objectname)']).toString()
  assert.deepEqual(text.split('\n').filter(Boolean).sort(), expected)
}

interface Wish {
  readonly name: string
  /** Which value it believes the ref to have; `right`: it knows. */
  readonly believes: 'right' | number | 'none'
  readonly wants: number | 'none'
}

const inTheWayOf = (a: string, b: string): boolean => a.startsWith(`${b}/`) || b.startsWith(`${a}/`)

/** One push. */
class Push implements Command {
  readonly #wishes: readonly Wish[]
  readonly #failingAt: number

  constructor(wishes: readonly Wish[], failingAt: number) {
    this.#wishes = wishes
    this.#failingAt = failingAt
  }

  check = (): boolean => true

  async run(model: Model, real: Real): Promise<void> {
    const oid = (wish: number | 'none'): string | undefined => (wish === 'none' ? undefined : oids[wish])
    const commands = this.#wishes.map(({ name, believes, wants }) => ({
      ref: name,
      oldOid: believes === 'right' ? model.refs.get(name) : oid(believes),
      newOid: oid(wants),
    }))
    const tips = new Map(oids.map((one) => [one, { oid: one, type: 1, peeled: null }]))
    const verdicts = judgeCommands(commands, store.snapshot(real.id), tips)
    // By the rules, told in another way: what alone is right, then deletions, then whatever finds its place free.
    const allowed = commands.map(({ ref, oldOid, newOid }, at) => {
      const isFirst = commands.findIndex((one) => one.ref === ref) === at
      const isSame = model.refs.get(ref) === oldOid && (oldOid ?? newOid) !== undefined
      return isFirst && isSame && (newOid !== undefined || ref !== HEAD)
    })
    for (const [at, { ref, newOid }] of commands.entries())
      if (allowed[at] && newOid === undefined) model.refs.delete(ref)
    for (const [at, { ref, newOid }] of commands.entries()) {
      if (!allowed[at] || newOid === undefined) continue
      if (Array.from(model.refs.keys()).some((other) => inTheWayOf(ref, other))) allowed[at] = false
      else model.refs.set(ref, newOid)
    }
    assert.deepEqual(
      verdicts.map((one) => 'update' in one),
      allowed,
    )
    const updates = verdicts.flatMap((one) => ('update' in one ? one.update : []))
    if (updates.length > 0) {
      assert.ok(await store.apply({ repositoryId: real.id, updates, userId: null }))
      real.disk.left = this.#failingAt
      await real.projector.show(real.repository, updates, undefined)
      model.isBehind = this.#failingAt >= 0 && real.disk.left < 0
      real.disk.left = -1
    }
    assertShown(model, real)
  }

  toString(): string {
    return `Push(${JSON.stringify(this.#wishes)}, disk fails at ${this.#failingAt})`
  }
}

/** A transaction that was right a moment ago: the database has the last word. */
class Late implements Command {
  readonly #name: string
  readonly #believes: number

  constructor(name: string, believes: number) {
    this.#name = name
    this.#believes = believes
  }

  check = (model: Readonly<Model>): boolean => model.refs.get(this.#name) !== oids[this.#believes]

  async run(model: Model, real: Real): Promise<void> {
    const update = { name: this.#name, oldOid: oids[this.#believes], newOid: oids[0], peeled: null }
    assert.equal(await store.apply({ repositoryId: real.id, updates: [update], userId: null }), false)
    assertShown(model, real)
  }

  toString = (): string => `Late(${this.#name} was ${this.#believes})`
}

/** Somebody's git, which nobody asked; then a start of the node. */
class Foreign implements Command {
  readonly #does: string
  readonly #name: string

  constructor(does: string, name: string) {
    this.#does = does
    this.#name = name
  }

  check = (): boolean => true

  async run(model: Model, real: Real): Promise<void> {
    const path = join(real.path, this.#name)
    try {
      if (this.#does === 'packs refs') run(real.path, ['pack-refs', '--all'])
      if (this.#does === 'sets a ref') run(real.path, ['update-ref', this.#name, oids[2] ?? ''])
      if (this.#does === 'deletes a ref') run(real.path, ['update-ref', '-d', this.#name])
      if (this.#does === 'leaves rubbish') writeFileSync(path, 'rubbish')
      if (this.#does === 'makes folders') mkdirSync(join(path, 'empty'), { recursive: true })
      if (this.#does === 'removes packed refs') rmSync(join(real.path, 'packed-refs'), { force: true })
    } catch {
      // Names are in each other's way for git as well.
    }
    real.projector = projectorOf(real.disk)
    await real.projector.showAllAtStart([real.repository])
    model.isBehind = false
    assertShown(model, real)
  }

  toString = (): string => `Foreign(${this.#does} ${this.#name})`
}

const name = fc.constantFrom(...NAMES)
const value = fc.oneof({ weight: 3, arbitrary: fc.nat(2) }, { weight: 2, arbitrary: fc.constant('none' as const) })
const wish: fc.Arbitrary<Wish> = fc.record({
  name,
  believes: fc.oneof({ weight: 5, arbitrary: fc.constant('right' as const) }, { weight: 1, arbitrary: value }),
  wants: value,
})
/** One goes where the other needs a folder, in the order in which a client happens to say it. */
const swap = fc
  .tuple(fc.constantFrom(['a', 'a/b'], ['a/b', 'a'], ['a/b', 'a/b/c'], ['a/b/c', 'a'], ['a/d', 'a']), fc.boolean())
  .map(([[gone = '', comes = ''], isTurned]): Wish[] => {
    const wishes: Wish[] = [
      { name: `refs/heads/${gone}`, believes: 'right', wants: 'none' },
      { name: `refs/heads/${comes}`, believes: 'right', wants: 1 },
    ]
    return isTurned ? wishes.toReversed() : wishes
  })
const DOINGS = [
  'packs refs',
  'packs refs',
  'sets a ref',
  'deletes a ref',
  'leaves rubbish',
  'makes folders',
  'removes packed refs',
]
const commands = fc.commands(
  [
    fc
      .tuple(fc.array(wish, { minLength: 1, maxLength: 5 }), fc.constantFrom(-1, -1, -1, -1, 0, 1, 2))
      .map(([wishes, at]) => new Push(wishes, at)),
    swap.map((wishes) => new Push(wishes, -1)),
    fc.tuple(swap, fc.nat(2)).map(([wishes, at]) => new Push(wishes, at)),
    fc.array(wish, { minLength: 1, maxLength: 3 }).map((wishes) => new Push(wishes, -1)),
    fc.tuple(name, fc.nat(2)).map(([one, believes]) => new Late(one, believes)),
    fc.tuple(fc.constantFrom(...DOINGS), name).map(([does, one]) => new Foreign(does, one)),
  ],
  { maxCommands: 30 },
)

prop([commands], { numRuns: 25 })(
  'the refs that C git shows are those of a plain map, whatever happens',
  async (plan) => {
    const real = await newRepository()
    await fc.asyncModelRun(() => ({ model: { refs: new Map(), isBehind: false }, real }), plan)
    rmSync(real.path, { recursive: true })
  },
)

import { DatabaseSync } from 'node:sqlite'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { Lease } from '../lease.ts'
import { openTestData, type TestData } from '../testing.ts'
import { signerOf } from './ref-log.ts'
import { RefLog } from './ref-log-store.ts'
import { type RefSnapshot, RefStore, type RefUpdate } from './ref-store.ts'

const [A, B, C] = ['a1', 'b2', 'c3'].map((byte) => byte.repeat(20)) as [string, string, string]
const REPOSITORY = 'repository-1'

let data: TestData
let lease: Lease
let refs: RefStore
const failures: unknown[] = []

beforeEach(async () => {
  data = await openTestData()
  lease = new Lease(data.database, (error) => failures.push(error))
  await lease.start()
  refs = new RefStore(data.database, lease, log())
  const insertRepository = (id: string) => ({
    sql: `INSERT INTO repositories (id, owner_id, name, description, private, head, created_at, updated_at)
      VALUES (?, 'owner-1', ?, '', 0, 'refs/heads/main', 0, 0)`,
    parameters: [id, id],
  })
  await data.database.write([
    { sql: `INSERT INTO owners (id, name, kind, created_at) VALUES ('owner-1', 'alice', 'user', 0)`, parameters: [] },
    insertRepository(REPOSITORY),
    insertRepository('repository-2'),
  ])
})
afterEach(async () => {
  lease.stop()
  await data[Symbol.asyncDispose]()
  expect(failures).toEqual([])
})

const log = (): RefLog => new RefLog(data.database, signerOf(new Uint8Array(32)))

const change = (
  name: string,
  oldOid: string | undefined,
  newOid: string | undefined,
  peeled: string | null = null,
): RefUpdate => ({
  name: `refs/heads/${name}`,
  oldOid,
  newOid,
  peeled,
})
const apply = (...updates: RefUpdate[]): Promise<boolean> =>
  refs.apply({ repositoryId: REPOSITORY, updates, userId: null })
const listed = (snapshot: RefSnapshot = refs.snapshot(REPOSITORY)): string[] =>
  snapshot.refs.map(({ name, oid }) => `${name.slice('refs/heads/'.length)} ${oid.slice(0, 2)}`)

describe('compare-and-swap', () => {
  beforeEach(async () => {
    await apply(change('main', undefined, A), change('other', undefined, B))
  })

  it.each([
    { name: 'creates', updates: [change('new', undefined, C)], after: ['main a1', 'new c3', 'other b2'] },
    { name: 'changes', updates: [change('main', A, C)], after: ['main c3', 'other b2'] },
    { name: 'deletes', updates: [change('main', A, undefined)], after: ['other b2'] },
    {
      name: 'does all of it at once, deletions first',
      updates: [change('main/below', undefined, C), change('main', A, undefined), change('other', B, A)],
      after: ['main/below c3', 'other a1'],
    },
    { name: 'replaces by the same', updates: [change('main', A, A)], after: ['main a1', 'other b2'] },
  ])('$name', async ({ updates, after }) => {
    expect(await apply(...updates)).toBe(true)
    expect(listed()).toEqual(after)
  })

  it.each([
    { name: 'what is there already', update: change('main', undefined, C) },
    { name: 'what is there already with the same value', update: change('main', undefined, A) },
    { name: 'from another value', update: change('main', B, C) },
    { name: 'what is not there', update: change('none', A, C) },
    { name: 'away from another value', update: change('main', B, undefined) },
    { name: 'away what is not there', update: change('none', A, undefined) },
    { name: 'away what nobody saw', update: change('main', undefined, undefined) },
  ])('changes nothing where one is to be moved $name', async ({ update }) => {
    const before = refs.snapshot(REPOSITORY)
    expect(await apply(change('good', undefined, C), update, change('other', B, C))).toBe(false)
    expect(refs.snapshot(REPOSITORY)).toBe(before)
    const entries = await data.database.read.selectFrom('ref_transactions').select('sequence').execute()
    expect(entries).toEqual([{ sequence: 1 }])
  })

  it('lets exactly one of many at the same time win', async () => {
    const outcomes = await Promise.all(Array.from({ length: 20 }, () => apply(change('main', A, B))))
    expect(outcomes.filter(Boolean)).toHaveLength(1)
    expect(refs.snapshot(REPOSITORY).sequence).toBe(2)
  })

  it('leaves other repositories alone', async () => {
    await apply(change('main', A, undefined))
    expect(listed(refs.snapshot('repository-2'))).toEqual([])
    expect(refs.snapshot('repository-2').sequence).toBe(0)
  })
})

describe('what a transaction leaves', () => {
  it('is a line in the log, with its user and what changed', async () => {
    await refs.apply({ repositoryId: REPOSITORY, updates: [change('main', undefined, A)], userId: 'alice' })
    await apply(change('main', A, undefined))
    const rows = await data.database.read.selectFrom('ref_transactions').selectAll().orderBy('sequence').execute()
    const zero = '0'.repeat(40)
    expect(rows.map(({ sequence, user_id, changes }) => [sequence, user_id, JSON.parse(changes)])).toEqual([
      [1, 'alice', [{ ref: 'refs/heads/main', old: zero, new: A }]],
      [2, null, [{ ref: 'refs/heads/main', old: A, new: zero }]],
    ])
  })

  it('is HEAD where it says so, once nobody had chosen it', async () => {
    expect(refs.snapshot(REPOSITORY)).toMatchObject({ head: 'refs/heads/main', headUnborn: true })
    await apply(change('a', undefined, A))
    expect(refs.snapshot(REPOSITORY)).toMatchObject({ head: 'refs/heads/main', headUnborn: true })
    await refs.apply({
      repositoryId: REPOSITORY,
      updates: [change('b', undefined, A)],
      userId: null,
      head: 'refs/heads/b',
    })
    expect(refs.snapshot(REPOSITORY)).toMatchObject({ head: 'refs/heads/b', headUnborn: false })
  })

  it('is the row of its pack, once', async () => {
    const pack = { name: 'p', bytes: 9, commits: 1, trees: 2, blobs: 3, tags: 4 }
    const updates = [change('a', undefined, A)]
    await refs.apply({ repositoryId: REPOSITORY, updates, userId: null, pack })
    await refs.apply({ repositoryId: REPOSITORY, updates: [change('a', A, B)], userId: null, pack })
    await refs.apply({
      repositoryId: REPOSITORY,
      updates: [change('a', A, B)],
      userId: null,
      pack: { ...pack, name: 'q' },
    })
    const rows = await data.database.read.selectFrom('packs').selectAll().execute()
    expect(rows).toEqual([{ repository_id: REPOSITORY, ...pack, unreachable_since: null }])
  })
})

describe('a snapshot', () => {
  it('is the same one until something changes, and stays what it was', async () => {
    await apply(change('main', undefined, A, B))
    const before = refs.snapshot(REPOSITORY)
    expect(refs.snapshot(REPOSITORY)).toBe(before)
    expect(before.byName.get('refs/heads/main')).toEqual({ name: 'refs/heads/main', oid: A, peeled: B })
    await apply(change('main', A, C))
    expect(refs.snapshot(REPOSITORY)).not.toBe(before)
    expect(before.byName.get('refs/heads/main')?.oid).toBe(A)
    expect(refs.snapshot(REPOSITORY).byName.get('refs/heads/main')?.peeled).toBeNull()
  })

  it('is another one when a person sets HEAD', async () => {
    const before = refs.snapshot(REPOSITORY)
    const sql = `UPDATE repositories SET head = 'refs/heads/x' WHERE id = ?`
    await data.database.write([{ sql, parameters: [REPOSITORY] }])
    expect(refs.snapshot(REPOSITORY).head).toBe('refs/heads/x')
    expect(before.head).toBe('refs/heads/main')
  })

  it('is sorted by the bytes of the names', async () => {
    const names = ['\u{1f600}', '\uff5e', 'a', 'a-b', 'a/b', 'a.b', 'B']
    await apply(...names.map((name) => change(name, undefined, A)))
    const bytewise = names
      .map((name) => Buffer.from(name))
      .sort(Buffer.compare)
      .map(String)
    expect(listed()).toEqual(bytewise.map((name) => `${name} a1`))
  })

  it('says at once that another process deleted a repository', () => {
    expect(listed()).toEqual([])
    expect(refs.isThere(REPOSITORY)).toBe(true)
    using other = new DatabaseSync(data.paths.database)
    other.exec(`UPDATE repositories SET deleted_at = 1 WHERE id = '${REPOSITORY}'`)
    expect(refs.isThere(REPOSITORY)).toBe(false)
  })

  it('is none where the repository is gone or going', async () => {
    const missing = expect.objectContaining({ detail: expect.objectContaining({ code: 'repository_missing' }) })
    expect(() => refs.snapshot('repository-3')).toThrow(missing)
    await data.database.write([
      { sql: 'UPDATE repositories SET deleted_at = 1 WHERE id = ?', parameters: [REPOSITORY] },
    ])
    expect(() => refs.snapshot(REPOSITORY)).toThrow(missing)
    expect(await apply(change('main', undefined, A))).toBe(false)
  })
})

describe('the lease', () => {
  it('lets nobody write who lost it, and says so', async () => {
    await apply(change('main', undefined, A))
    const next = new Lease(data.database, (error) => failures.push(error))
    await next.start()
    await expect(apply(change('main', A, B))).rejects.toMatchObject({ detail: { code: 'lease_lost' } })
    // Not even what would fail anyway is told as if it had been looked at.
    await expect(apply(change('main', C, B))).rejects.toMatchObject({ detail: { code: 'lease_lost' } })
    expect(listed()).toEqual(['main a1'])
    const heirs = new RefStore(data.database, next, log())
    expect(await heirs.apply({ repositoryId: REPOSITORY, updates: [change('main', A, B)], userId: null })).toBe(true)
    expect(listed()).toEqual(['main b2'])
    expect(await lease.renew()).toBe(false)
    expect(lease.held).toBe(false)
    expect(await next.renew()).toBe(true)
    next.stop()
  })

  it('gives each holder a higher fence', async () => {
    const fence = async (): Promise<number> =>
      (await data.database.read.selectFrom('node_lease').select('fence').executeTakeFirstOrThrow()).fence
    const first = await fence()
    for (let more = 1; more <= 3; more++) {
      const next = new Lease(data.database, (error) => failures.push(error))
      await next.start()
      next.stop()
      expect(await fence()).toBe(first + more)
    }
  })
})

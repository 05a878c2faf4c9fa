import { existsSync, mkdirSync, readdirSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'

import { RequestError } from '../errors.ts'
import { diskFileSystem } from '../storage/file-system.ts'
import { Lease } from '../storage/lease.ts'
import { failureOf, git, openPeople, type People } from './testing.ts'

const site = { name: 'site', description: 'A site', private: false }
const names = (people: People): string[] =>
  people.repositories
    .list({ page: 1, perPage: 100 }, { userId: '', username: '', admin: true, tokenId: '' })
    .items.map(({ owner, name }) => `${owner}/${name}`)
const leftovers = ({ paths }: People): string[] => [...readdirSync(paths.quarantine), ...readdirSync(paths.trash)]

describe('creating', () => {
  it('makes a bare repository that C git reads, and the row', async () => {
    await using people = await openPeople()
    const alice = await people.join('alice')
    const made = await people.repositories.create(site, alice)
    expect(made).toEqual({
      id: expect.stringMatching(/^[0-9a-f-]{36}$/),
      owner: 'alice',
      ownerId: alice.userId,
      name: 'site',
      description: 'A site',
      private: false,
      head: 'refs/heads/main',
      empty: true,
      createdAtMs: expect.any(Number),
      updatedAtMs: made.createdAtMs,
      pushedAtMs: null,
      canWrite: true,
    })
    const path = people.files.path(made)
    expect(git(path, 'rev-parse', '--is-bare-repository', '--git-dir')).toBe('true\n.\n')
    expect(git(path, 'symbolic-ref', 'HEAD')).toBe('refs/heads/main\n')
    git(path, 'fsck', '--strict')
    expect(leftovers(people)).toEqual([])
    expect(await people.metrics.registry.metrics()).toContain(
      'guts_storage_operation_duration_seconds_count{operation="repository_create"} 1\n',
    )
  })

  it('gives a name once, also when it is asked for at the same time', async () => {
    await using people = await openPeople()
    const alice = await people.join('alice')
    const outcomes = await Promise.all(
      Array.from({ length: 8 }, () => failureOf(() => people.repositories.create(site, alice))),
    )
    expect(outcomes.filter((outcome) => 'returned' in (outcome as object))).toHaveLength(1)
    expect(outcomes.filter((outcome) => (outcome as { code?: string }).code === 'conflict')).toHaveLength(7)
    expect(names(people)).toEqual(['alice/site'])
    git(people.files.path({ owner: 'alice', name: 'site' }), 'fsck', '--strict')
    expect(leftovers(people)).toEqual([])
  })

  it('does not touch what has the name already', async () => {
    await using people = await openPeople()
    const alice = await people.join('alice')
    const path = people.files.path(await people.repositories.create(site, alice))
    writeFileSync(join(path, 'description'), 'by an operator')
    expect(await failureOf(() => people.repositories.create(site, alice))).toEqual({ code: 'conflict' })
    expect(existsSync(join(path, 'description'))).toBe(true)
    expect(names(people)).toEqual(['alice/site'])
  })

  it('does not say to others whether an owner is there', async () => {
    await using people = await openPeople()
    const alice = await people.join('alice')
    await people.join('bob')
    const existing = await failureOf(() => people.repositories.create({ ...site, owner: 'bob' }, alice))
    const missing = await failureOf(() => people.repositories.create({ ...site, owner: 'nobody' }, alice))
    expect(existing).toEqual({ code: 'forbidden' })
    expect(missing).toEqual(existing)
  })

  it('lets administrators create below any owner that is there', async () => {
    await using people = await openPeople()
    await people.join('alice')
    const root = await people.join('root', 'admin')
    expect(await people.repositories.create({ ...site, owner: 'alice' }, root)).toMatchObject({ owner: 'alice' })
    const missing = await failureOf(() => people.repositories.create({ ...site, owner: 'nobody' }, root))
    expect(missing).toEqual({ code: 'not_found' })
  })

  it('takes no name that nobody checked: it becomes a folder', async () => {
    await using people = await openPeople()
    const alice = await people.join('alice')
    for (const name of ['..', '../../x', 'a/b', 'ab\0', 'a'.repeat(101)]) {
      await expect(people.repositories.create({ ...site, name }, alice)).rejects.toThrow('callers check names')
    }
    expect(readdirSync(people.paths.repositories)).toEqual([])
  })

  it('leaves nothing when the disk fails at any step', async () => {
    let stepsLeft = Number.POSITIVE_INFINITY
    const step = (): void => {
      if (stepsLeft-- <= 0) throw Object.assign(new Error('no space left on device'), { code: 'ENOSPC' })
    }
    await using people = await openPeople({
      fileSystem: {
        ...diskFileSystem,
        create: async (...args) => (step(), diskFileSystem.create(...args)),
        makeDirectory: async (path) => (step(), diskFileSystem.makeDirectory(path)),
        rename: async (from, to) => (step(), diskFileSystem.rename(from, to)),
        syncDirectory: async (path) => (step(), diskFileSystem.syncDirectory(path)),
      },
    })
    const alice = await people.join('alice')
    let failures = 0
    for (let steps = 0; ; steps++) {
      stepsLeft = steps
      const outcome = await failureOf(() => people.repositories.create(site, alice))
      if ('returned' in (outcome as object)) break
      failures++
      expect(outcome).toMatchObject({ code: 'ENOSPC' })
      expect([names(people), readdirSync(people.paths.quarantine)]).toEqual([[], []])
      // A disk that refuses a removal keeps the empty folder until the next start.
      stepsLeft = Number.POSITIVE_INFINITY
      await people.repositories.finishInterrupted()
      for (const owner of readdirSync(people.paths.repositories)) {
        expect(readdirSync(join(people.paths.repositories, owner))).toEqual([])
      }
    }
    expect(failures).toBeGreaterThan(10)
    expect(names(people)).toEqual(['alice/site'])
  })

  it('takes its folder back when the lease was lost', async () => {
    await using people = await openPeople()
    const alice = await people.join('alice')
    const rival = new Lease(people.database, () => {})
    await rival.start()
    rival.stop()
    expect(await failureOf(() => people.repositories.create(site, alice))).toEqual({ code: 'lease_lost' })
    expect(readdirSync(join(people.paths.repositories, 'alice'))).toEqual([])
    expect(names(people)).toEqual([])
  })

  it('never takes the place of a folder that holds something', async () => {
    await using people = await openPeople()
    const alice = await people.join('alice')
    const path = people.files.path({ owner: 'alice', name: 'site' })
    mkdirSync(path, { recursive: true })
    git(path, 'init', '--bare', '--quiet')
    git(path, 'hash-object', '-w', '--stdin', '--literally', '-t', 'blob')
    expect(await failureOf(() => people.repositories.create(site, alice))).toEqual({ code: 'conflict' })
    expect(git(path, 'cat-file', '-t', 'e69de29bb2d1d6434b8b29ae775ad8c2e48c5391')).toBe('blob\n')
    expect(names(people)).toEqual([])
  })
})

describe('finding', () => {
  it('shows public ones to anyone, private ones to owner and administrators', async () => {
    await using people = await openPeople()
    const [alice, bob, root] = [
      await people.join('alice'),
      await people.join('bob'),
      await people.join('root', 'admin'),
    ]
    await people.repositories.create(site, alice)
    await people.repositories.create({ ...site, name: 'secret', private: true }, alice)
    const rightsOf = (name: string) =>
      [alice, root, bob, undefined].map((caller) => people.repositories.find('alice', name, caller)?.canWrite)
    expect(rightsOf('site')).toEqual([true, true, false, false])
    expect(rightsOf('secret')).toEqual([true, true, undefined, undefined])
    expect(rightsOf('nothing')).toEqual([undefined, undefined, undefined, undefined])
    expect(people.repositories.find('bob', 'site', alice)).toBeUndefined()
  })

  it('lists and counts only what the caller may read', async () => {
    await using people = await openPeople()
    const [alice, bob, root] = [
      await people.join('alice'),
      await people.join('bob'),
      await people.join('root', 'admin'),
    ]
    await people.repositories.create({ ...site, name: 'b1' }, alice)
    await people.repositories.create({ ...site, name: 'a1', private: true }, alice)
    await people.repositories.create({ ...site, name: 'c1', private: true }, bob)
    const seenBy = (caller: typeof alice | undefined, owner?: string): [string[], number] => {
      const { items, total } = people.repositories.list({ page: 1, perPage: 10, owner }, caller)
      return [items.map((found) => found.name), total]
    }
    expect(seenBy(undefined)).toEqual([['b1'], 1])
    expect(seenBy(alice)).toEqual([['a1', 'b1'], 2])
    expect(seenBy(bob)).toEqual([['b1', 'c1'], 2])
    expect(seenBy(root)).toEqual([['a1', 'b1', 'c1'], 3])
    expect(seenBy(bob, 'alice')).toEqual([['b1'], 1])
    expect(seenBy(bob, 'nobody')).toEqual([[], 0])
    const second = people.repositories.list({ page: 2, perPage: 2 }, root)
    expect([second.items.map((found) => found.name), second.total]).toEqual([['c1'], 3])
  })
})

describe('changing', () => {
  it('changes what is named, and HEAD on disk with it', async () => {
    await using people = await openPeople()
    const alice = await people.join('alice')
    const made = await people.repositories.create(site, alice)
    await people.repositories.update(made, { description: '', private: true, defaultBranch: 'trunk' })
    expect(people.repositories.find('alice', 'site', alice)).toMatchObject({
      description: '',
      private: true,
      head: 'refs/heads/trunk',
    })
    expect(git(people.files.path(made), 'symbolic-ref', 'HEAD')).toBe('refs/heads/trunk\n')
    await people.repositories.update(made, {})
    expect(people.repositories.find('alice', 'site', alice)).toMatchObject({ private: true, head: 'refs/heads/trunk' })
    expect(people.refs.snapshot(made.id)).toMatchObject({ head: 'refs/heads/trunk', headUnborn: false })
  })

  it('counts as choosing HEAD, also where it stays what it is', async () => {
    await using people = await openPeople()
    const alice = await people.join('alice')
    const made = await people.repositories.create(site, alice)
    expect(people.refs.snapshot(made.id).headUnborn).toBe(true)
    await people.repositories.update(made, { defaultBranch: 'main' })
    expect(people.refs.snapshot(made.id)).toMatchObject({ head: 'refs/heads/main', headUnborn: false })
  })

  it('sets HEAD to no branch that a repository with branches lacks', async () => {
    await using people = await openPeople()
    const alice = await people.join('alice')
    const made = await people.repositories.create(site, alice)
    const oid = '1'.repeat(40)
    const updates = [{ name: 'refs/heads/dev', oldOid: undefined, newOid: oid, peeled: null }]
    expect(await people.refs.apply({ repositoryId: made.id, updates, userId: null })).toBe(true)
    expect(
      await failureOf(() => people.repositories.update(made, { defaultBranch: 'nope', description: 'x' })),
    ).toEqual({
      code: 'validation_error',
      problems: [
        {
          field: 'default_branch',
          code: 'not_found',
          message: 'Default branch must be a branch of the repository',
        },
      ],
    })
    expect(people.repositories.find('alice', 'site', alice)).toMatchObject({
      description: 'A site',
      head: 'refs/heads/main',
      empty: false,
    })
    await people.repositories.update(made, { defaultBranch: 'dev' })
    expect(people.repositories.find('alice', 'site', alice)?.head).toBe('refs/heads/dev')
  })

  it('is for those who may write', async () => {
    await using people = await openPeople()
    const [alice, bob] = [await people.join('alice'), await people.join('bob')]
    await people.repositories.create(site, alice)
    const seen = people.repositories.find('alice', 'site', bob)
    if (seen === undefined) throw new Error('public')
    expect(await failureOf(() => people.repositories.update(seen, { private: true }))).toEqual({ code: 'forbidden' })
    expect(await failureOf(() => people.repositories.remove(seen))).toEqual({ code: 'forbidden' })
    expect(names(people)).toEqual(['alice/site'])
  })

  it('waits while the gate is closed, for those who may write', async () => {
    let open = true
    const closed = new RequestError({ code: 'unavailable', retryAfterS: 7 }, 'Maintenance')
    await using people = await openPeople({
      writeGate: {
        assertWritable() {
          if (!open) throw closed
        },
      },
    })
    const [alice, bob] = [await people.join('alice'), await people.join('bob')]
    const made = await people.repositories.create(site, alice)
    open = false
    const refused = { code: 'unavailable', retryAfterS: 7 }
    expect(await failureOf(() => people.repositories.create({ ...site, name: 'other' }, alice))).toEqual(refused)
    expect(await failureOf(() => people.repositories.update(made, { private: true }))).toEqual(refused)
    expect(await failureOf(() => people.repositories.remove(made))).toEqual(refused)
    // Whoever has no right learns nothing of the gate.
    expect(await failureOf(() => people.repositories.create({ ...site, owner: 'alice' }, bob))).toEqual({
      code: 'forbidden',
    })
    expect(names(people)).toEqual(['alice/site'])
    expect(people.repositories.find('alice', 'site', undefined)?.private).toBe(false)
  })
})

describe('removing', () => {
  it('takes row, refs and folder, and gives the name back', async () => {
    await using people = await openPeople()
    const alice = await people.join('alice')
    const made = await people.repositories.create(site, alice)
    const updates = [{ name: 'refs/heads/main', oldOid: undefined, newOid: '1'.repeat(40), peeled: null }]
    await people.refs.apply({ repositoryId: made.id, updates, userId: null })
    await people.repositories.remove(made)
    expect(people.repositories.find('alice', 'site', alice)).toBeUndefined()
    expect(existsSync(people.files.path(made))).toBe(false)
    expect(leftovers(people)).toEqual([])
    for (const table of ['repositories', 'refs', 'ref_transactions']) {
      expect(people.database.reader.prepare(`SELECT count(*) AS count FROM ${table}`).get()).toEqual({ count: 0 })
    }
    expect(await failureOf(() => people.repositories.remove(made))).toEqual({ code: 'not_found' })
    expect(await failureOf(() => people.repositories.update(made, { private: true }))).toEqual({ code: 'not_found' })
    const again = await people.repositories.create(site, alice)
    expect(again.id).not.toBe(made.id)
    // What was found before it was deleted does not reach the new one.
    expect(await failureOf(() => people.repositories.remove(made))).toEqual({ code: 'not_found' })
    expect(names(people)).toEqual(['alice/site'])
  })

  it('hides at once, and finishes later what the disk refused', async () => {
    let broken = false
    await using people = await openPeople({
      fileSystem: {
        ...diskFileSystem,
        rename: async (from, to) => {
          if (broken) throw Object.assign(new Error('i/o error'), { code: 'EIO' })
          await diskFileSystem.rename(from, to)
        },
      },
    })
    const alice = await people.join('alice')
    const made = await people.repositories.create(site, alice)
    const other = await people.repositories.create({ ...site, name: 'other' }, alice)
    broken = true
    for (const one of [made, other]) {
      expect(await failureOf(() => people.repositories.remove(one))).toMatchObject({ code: 'EIO' })
    }
    expect(names(people)).toEqual([])
    broken = false
    const again = await people.repositories.create(site, alice)
    expect(again.id).not.toBe(made.id)
    expect(await people.repositories.finishInterrupted()).toEqual({ removed: 1, unknownFolders: [] })
    expect(readdirSync(join(people.paths.repositories, 'alice'))).toEqual(['site.git'])
    expect(names(people)).toEqual(['alice/site'])
  })

  it('removes folders that never got their row, and names those with something in them', async () => {
    await using people = await openPeople()
    const alice = await people.join('alice')
    await people.repositories.create(site, alice)
    await people.files.create({ owner: 'alice', name: 'orphan' }, 'refs/heads/main')
    await people.files.create({ owner: 'alice', name: 'kept' }, 'refs/heads/main')
    writeFileSync(join(people.files.path({ owner: 'alice', name: 'kept' }), 'packed-refs'), '')
    // A power cut may take a part of what was made, where there is nothing else in it yet.
    await people.files.create({ owner: 'alice', name: 'half-made' }, 'refs/heads/main')
    rmSync(join(people.files.path({ owner: 'alice', name: 'half-made' }), 'HEAD'))
    const { removed, unknownFolders } = await people.repositories.finishInterrupted()
    expect([removed, [...unknownFolders].sort()]).toEqual([2, ['alice/kept']])
    expect(readdirSync(join(people.paths.repositories, 'alice')).sort()).toEqual(['kept.git', 'site.git'])
  })
})

import { existsSync, mkdirSync, readdirSync, readFileSync, symlinkSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest'
import { Git, temporaryFolder } from '../../../integration/support/git.ts'
import { diskFileSystem, type FileSystem } from '../file-system.ts'
import {
  projectAll,
  projectChanges,
  type ProjectedRef,
  projectHead,
  readProjection,
  removeTemporaries,
} from './projection.ts'

const folder = temporaryFolder('projection')
let repository: string
let git: Git
/** A commit, another one, a tag object of the first. */
let oids: { one: string; two: string; tag: string }
let number = 0

beforeAll(async () => {
  const seed = new Git(folder.path)
  await seed.run('init', '--quiet', '--bare', '--initial-branch=main', 'seed.git')
  const inSeed = seed.in('seed.git')
  const tree = (await inSeed.try(['mktree'], '')).stdout.trim()
  const one = await inSeed.run('commit-tree', '-m', 'one', tree)
  const two = await inSeed.run('commit-tree', '-m', 'two', tree)
  const text = `object ${one}\ntype commit\ntag t\ntagger A <a@example.org> 1 +0000\n\nt\n`
  oids = { one, two, tag: (await inSeed.try(['mktag'], text)).stdout.trim() }
})
afterAll(() => folder[Symbol.dispose]())

beforeEach(async () => {
  repository = join(folder.path, `${number++}.git`)
  await new Git(folder.path).run('clone', '--quiet', '--bare', 'seed.git', repository)
  // A clone of no refs copies no objects.
  writeFileSync(join(repository, 'objects/info/alternates'), join(folder.path, 'seed.git/objects\n'))
  git = new Git(repository)
})
afterEach(() => expect(readdirSync(repository).filter((name) => name.endsWith('.lock'))).toEqual([]))

/** By C git: name → id. */
async function shown(): Promise<Record<string, string>> {
  const { stdout, stderr } = await git.try(['for-each-ref', '--format=%(refname) %(objectname)'])
  expect(stderr).toBe('')
  return Object.fromEntries(
    stdout
      .split('\n')
      .filter(Boolean)
      .map((line) => line.split(' ') as [string, string]),
  )
}

type Refs = Readonly<Record<string, string>>
const asRefs = (refs: Refs): ProjectedRef[] =>
  Object.entries(refs).map(([name, oid]) => ({ name, oid, peeled: oid === oids.tag ? oids.one : null }))

/** From one state to another, as one transaction. */
function project(before: Refs, after: Refs, fileSystem: FileSystem = diskFileSystem): Promise<void> {
  const names = new Set([...Object.keys(before), ...Object.keys(after)])
  const changes = Array.from(names)
    .filter((name) => before[name] !== after[name])
    .map((name) => ({ name, newOid: after[name] }))
  return projectChanges(fileSystem, repository, changes, async () => asRefs(after))
}

async function expectShown(refs: Refs): Promise<void> {
  expect(await shown()).toEqual(refs)
  const { refs: read } = await readProjection(repository)
  expect(Object.fromEntries(read)).toEqual(refs)
}

describe('what a transaction changes is what C git shows', () => {
  const rows: { name: string; states: (oid: typeof oids) => Refs[] }[] = [
    {
      name: 'a new ref, then another value',
      states: ({ one, two }) => [{ 'refs/heads/a': one }, { 'refs/heads/a': two }],
    },
    {
      name: 'a ref that goes',
      states: ({ one }) => [{ 'refs/heads/a': one, 'refs/heads/b': one }, { 'refs/heads/b': one }],
    },
    {
      name: 'a folder in the place of a ref',
      states: ({ one }) => [{ 'refs/heads/a': one }, { 'refs/heads/a/b/c': one }],
    },
    {
      name: 'a ref in the place of a folder',
      states: ({ one }) => [{ 'refs/heads/a/b/c': one }, { 'refs/heads/a': one }],
    },
    {
      name: 'a ref in the place of a folder of several',
      states: ({ one, two }) => [{ 'refs/heads/a/b/c': one, 'refs/heads/a/d': one }, { 'refs/heads/a': two }],
    },
    {
      name: 'there and back',
      states: ({ one }) => [{ 'refs/x/a': one }, { 'refs/x/a/b': one }, { 'refs/x/a': one }, {}],
    },
    { name: 'an annotated tag', states: ({ tag }) => [{ 'refs/tags/v1': tag }] },
    { name: 'names beyond ASCII', states: ({ one }) => [{ 'refs/heads/é': one, 'refs/heads/\u{1f600}/x': one }] },
  ]
  it.each(rows)('$name', async ({ states }) => {
    let before: Refs = {}
    for (const after of states(oids)) {
      await project(before, after)
      await expectShown(after)
      before = after
    }
  })

  it.each(rows)('$name, where all were packed in between', async ({ states }) => {
    let before: Refs = {}
    for (const after of states(oids)) {
      await project(before, after)
      await git.run('pack-refs', '--all')
      await expectShown(after)
      before = after
    }
  })

  it('many refs at once, as one file, with what tags point to', async () => {
    const many = (oid: string): Refs =>
      Object.fromEntries(Array.from({ length: 51 }, (_, at) => [`refs/heads/${at}`, oid]))
    const after = {
      ...many(oids.one),
      'refs/tags/v1': oids.tag,
      'refs/heads/a-b': oids.one,
      'refs/heads/a/b': oids.one,
    }
    await project({}, after)
    await expectShown(after)
    expect(readdirSync(join(repository, 'refs/heads'))).toEqual([])
    expect(await git.run('rev-parse', 'refs/tags/v1^{}')).toBe(oids.one)
    expect(readFileSync(join(repository, 'packed-refs'), 'utf8')).toContain(`^${oids.one}\n`)
    await project(after, {})
    await expectShown({})
  })

  it('HEAD', async () => {
    await projectHead(diskFileSystem, repository, 'refs/heads/some/where')
    expect(await git.run('symbolic-ref', 'HEAD')).toBe('refs/heads/some/where')
    expect((await readProjection(repository)).head).toBe('refs/heads/some/where')
  })
})

describe('what others did to the refs is written over', () => {
  it.each<{ name: string; harm: () => void | Promise<unknown> }>([
    { name: 'another value', harm: () => git.run('update-ref', 'refs/heads/a', oids.two) },
    { name: 'a ref of their own', harm: () => git.run('update-ref', 'refs/heads/mine/too', oids.two) },
    { name: 'a ref that is gone', harm: () => git.run('update-ref', '-d', 'refs/heads/a') },
    { name: 'refs that were packed', harm: () => git.run('pack-refs', '--all') },
    { name: 'no packed-refs', harm: () => writeFileSync(join(repository, 'packed-refs'), '') },
    { name: 'a ref that is no id', harm: () => writeFileSync(join(repository, 'refs/heads/a'), 'rubbish') },
    { name: 'an empty ref', harm: () => writeFileSync(join(repository, 'refs/heads/a'), '') },
    {
      name: 'a folder in the way',
      harm: () => mkdirSync(join(repository, 'refs/heads/mine/deep'), { recursive: true }),
    },
    { name: 'a link', harm: () => symlinkSync('a', join(repository, 'refs/heads/link')) },
    { name: 'a link to nowhere', harm: () => symlinkSync('nowhere', join(repository, 'refs/heads/link')) },
    { name: 'a lock that was forgotten', harm: () => writeFileSync(join(repository, 'refs/heads/a.lock'), '') },
  ])('$name', async ({ harm }) => {
    const refs = { 'refs/heads/a': oids.one, 'refs/heads/b/c': oids.one }
    await project({}, refs)
    await harm()
    await projectAll(diskFileSystem, repository, asRefs(refs))
    await expectShown(refs)
    // Every way of writing goes on from there.
    await project(refs, { 'refs/heads/a/b': oids.two })
    await expectShown({ 'refs/heads/a/b': oids.two })
  })

  it('says that they differ, whatever it is', async () => {
    await project({}, { 'refs/heads/a': oids.one })
    symlinkSync('/etc/passwd', join(repository, 'refs/heads/link'))
    expect(Object.fromEntries((await readProjection(repository)).refs)).toEqual({
      'refs/heads/a': oids.one,
      'refs/heads/link': 'a link',
    })
  })

  it('deletes below a ref that somebody put in the place of the folder', async () => {
    writeFileSync(join(repository, 'refs/heads/a'), `${oids.one}\n`)
    await projectChanges(diskFileSystem, repository, [{ name: 'refs/heads/a/b/c', newOid: undefined }], async () => [])
    expect(existsSync(join(repository, 'refs/heads/a'))).toBe(true)
  })
})

describe('a disk that fails', () => {
  /** Fails at the one operation with that number. */
  function failingAt(failing: number): FileSystem & { readonly operations: number } {
    let operations = 0
    const count =
      <T extends unknown[], R>(work: (...parameters: T) => Promise<R>) =>
      async (...parameters: T): Promise<R> => {
        if (operations++ === failing) throw Object.assign(new Error('no space'), { code: 'ENOSPC' })
        return work(...parameters)
      }
    return {
      ...diskFileSystem,
      get operations() {
        return operations
      },
      rename: count(diskFileSystem.rename),
      makeDirectory: count(diskFileSystem.makeDirectory),
      removeDirectory: count(diskFileSystem.removeDirectory),
      create: count(async (path: string, mode?: number) => {
        const file = await diskFileSystem.create(path, mode)
        return { ...file, write: count(file.write.bind(file)), sync: () => file.sync(), close: () => file.close() }
      }),
    }
  }

  it('leaves no temporary file, whichever operation fails, and what comes next mends it', async () => {
    const before = { 'refs/heads/a': oids.one, 'refs/heads/b/c': oids.one }
    const after = { 'refs/heads/a/b': oids.two, 'refs/heads/b': oids.tag }
    let failed = 0
    for (let failing = 0; ; failing++) {
      await projectAll(diskFileSystem, repository, asRefs({}))
      await project({}, before)
      const disk = failingAt(failing)
      const outcome = await project(before, after, disk).then(
        () => 'done',
        (error: Error) => error.message,
      )
      expect(readdirSync(repository).filter((name) => name.endsWith('.lock'))).toEqual([])
      if (disk.operations <= failing) break
      expect(outcome).toBe('no space')
      failed++
      await projectAll(diskFileSystem, repository, asRefs(after))
      await expectShown(after)
    }
    expect(failed).toBeGreaterThan(5)
  })

  it('a crash leaves a temporary file, which a start removes, and no lock of git', async () => {
    const ours = '0192f0c1-0000-4000-8000-000000000000.lock'
    for (const name of [ours, 'packed-refs.lock']) writeFileSync(join(repository, name), 'half')
    await removeTemporaries(diskFileSystem, repository)
    expect(readdirSync(repository).filter((name) => name.endsWith('.lock'))).toEqual(['packed-refs.lock'])
    await diskFileSystem.unlink(join(repository, 'packed-refs.lock'))
  })
})

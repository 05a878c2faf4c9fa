import { afterAll, beforeEach, expect, it } from 'vitest'
import { linkSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import { fsck, Git, temporaryFolder } from '../../../integration/support/git.ts'
import { blob, commit, type MadeObject, tag, tree } from '../../../integration/support/pack-maker.ts'
import { ObjectStore } from '../objects/object-store.ts'
import { fsckObjects } from './fsck.ts'

const folder = temporaryFolder('fsck')
afterAll(() => folder[Symbol.dispose]())

let number = 0
let git: Git
beforeEach(async () => {
  const name = `${number++}.git`
  await new Git(folder.path).run('init', '--quiet', '--bare', name)
  git = new Git(folder.path).in(name)
})

async function write(...objects: readonly MadeObject[]): Promise<void> {
  for (const { type, data, oid } of objects) {
    const args = ['hash-object', '-w', '--stdin', '--literally', '-t', type]
    expect((await git.try(args, data)).stdout.trim()).toBe(oid)
  }
}

async function problemsOf(...tips: readonly string[]): Promise<readonly string[]> {
  const store = ObjectStore.open(git.folder, 2 ** 20)
  try {
    return fsckObjects(store, tips, () => {}).problems.map(({ oid, message }) => `${oid}: ${message}`)
  } finally {
    store.close()
  }
}

const file = blob('a file\n')
const top = tree(['100644', 'file', file.oid])
const first = commit(top.oid)

it('finds nothing in what C git takes for whole', async () => {
  const named = tag(first.oid, 'commit')
  await write(file, top, first, named)
  await git.run('update-ref', 'refs/tags/v1', named.oid)
  await fsck(git.folder)
  expect(await problemsOf(named.oid)).toEqual([])
})

it('tells everything that is missing, and goes on', async () => {
  const other = blob('another file\n')
  const both = tree(['100644', 'file', file.oid], ['100644', 'other', other.oid])
  const second = commit(both.oid, [first.oid])
  await write(both, second)
  const missing = [file, other, first].map(({ oid }) => `${oid}: Object ${oid} is missing`)
  expect([...(await problemsOf(second.oid))].sort()).toEqual(missing.sort())
})

it('tells what git fsck --strict refuses, and what is not of the type that it is named as', async () => {
  const bad = tree(['100644', '.git', file.oid], ['40000', 'folder', file.oid])
  const second = commit(bad.oid)
  await write(file, bad, second)
  const problems = await problemsOf(second.oid)
  expect(problems).toHaveLength(2)
  expect(problems.find((one) => one.startsWith(bad.oid))).toContain('hasDotgit')
  expect(problems.find((one) => one.startsWith(file.oid))).toContain('both as a')
})

it('tells what is stored under another name', async () => {
  await write(file, top, first)
  const pathOf = (oid: string): string => join(git.folder, 'objects', oid.slice(0, 2), oid.slice(2))
  const other = blob('another file\n')
  await write(other)
  rmSync(pathOf(file.oid))
  linkSync(pathOf(other.oid), pathOf(file.oid))
  expect(await problemsOf(first.oid)).toEqual([
    `${file.oid}: Object ${file.oid} is damaged: by its bytes it has another name`,
  ])
})

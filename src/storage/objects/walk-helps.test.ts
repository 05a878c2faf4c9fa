import { cpSync, readdirSync, readFileSync, renameSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest'
import { Git, temporaryFolder } from '../../../integration/support/git.ts'
import { importHistory } from '../../../integration/support/history.ts'
import { ObjectStore } from './object-store.ts'

const folder = temporaryFolder('walk-helps')
afterAll(() => folder[Symbol.dispose]())

const COMMITS = 150
const original = join(folder.path, 'original.git')
let number = 0
let path: string
let git: Git
let store: ObjectStore

beforeAll(async () => {
  await new Git(folder.path).run('init', '--quiet', '--bare', '--initial-branch=main', original)
  await importHistory(original, {
    seed: 1,
    commits: COMMITS,
    filesPerCommit: 1,
    mergeEvery: 9,
    tagEvery: 50,
    fileBytes: 90,
  })
  await new Git(original).run('repack', '-adbq')
  await new Git(original).run('commit-graph', 'write', '--reachable')
})

beforeEach(() => {
  path = join(folder.path, `${number++}.git`)
  cpSync(original, path, { recursive: true })
  git = new Git(path)
  store = ObjectStore.open(path, 2 ** 20)
  return () => store.close()
})

const graphPath = (): string => join(path, 'objects/info/commit-graph')
const bitmapPath = (): string => {
  const packs = join(path, 'objects/pack')
  return join(packs, readdirSync(packs).find((name) => name.endsWith('.bitmap')) ?? '')
}

/** A new file in its place, as whoever writes one puts it there. */
function replace(file: string, change: (bytes: Buffer) => Buffer): void {
  const bytes = change(readFileSync(file))
  writeFileSync(`${file}.new`, bytes)
  renameSync(`${file}.new`, file)
}

async function reachedFromMain(): Promise<number | undefined> {
  const { bitmap } = store
  const tip = Buffer.from(await git.run('rev-parse', 'main'), 'hex')
  return bitmap?.reachedFrom(bitmap.numberOf(tip, 0))?.count()
}

describe("C git's own files", () => {
  it('tell what history is and reaches', async () => {
    expect(store.graph?.count).toBe(COMMITS)
    const listed = await git.run('rev-list', '--objects', '--count', 'main')
    expect(await reachedFromMain()).toBe(Number(listed))
  })

  it('are looked for again when the repository changed', async () => {
    expect(store.graph).toBeDefined()
    expect(store.bitmap).toBeDefined()
    const tree = await git.run('rev-parse', 'main^{tree}')
    const next = await git.run('commit-tree', '-p', 'main', '-m', 'one more', tree)
    await git.run('update-ref', 'refs/heads/main', next)
    await git.run('repack', '-adbq')
    await git.run('commit-graph', 'write', '--reachable')
    store.refresh()
    expect(store.graph?.count).toBe(COMMITS + 1)
    expect(await reachedFromMain()).toBe(Number(await git.run('rev-list', '--objects', '--count', 'main')))
  })
})

describe('files that cannot be used are done without:', () => {
  const flip = (at: number) => (bytes: Buffer) => {
    const changed = Buffer.from(bytes)
    changed[at < 0 ? bytes.length + at : at]! ^= 1
    return changed
  }

  it.each([
    { name: 'a byte changed', change: flip(-100) },
    { name: 'another version', change: flip(4) },
    { name: 'cut off', change: (bytes: Buffer) => bytes.subarray(0, -30) },
    { name: 'empty', change: () => Buffer.alloc(0) },
  ])('$name', ({ change }) => {
    replace(graphPath(), change)
    replace(bitmapPath(), change)
    store.refresh()
    expect(store.graph).toBeUndefined()
    expect(store.bitmap).toBeUndefined()
  })

  it('bitmaps of another pack', async () => {
    const before = readFileSync(bitmapPath())
    await git.run('repack', '-adbfq', '--depth=0')
    replace(bitmapPath(), () => before)
    store.refresh()
    expect(store.packs).toHaveLength(1)
    expect(store.bitmap).toBeUndefined()
  })
})

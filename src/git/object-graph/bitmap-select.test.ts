import { join } from 'node:path'
import { afterAll, beforeAll, expect, it } from 'vitest'
import { Git, temporaryFolder } from '../../../integration/support/git.ts'
import { importLine } from '../../../integration/support/history.ts'
import { ObjectStore } from '../../storage/objects/object-store.ts'
import { readerOf } from '../../transfer/workers/open-stores.ts'
import { COMMITS_HAD_MAX } from './bitmap-select.ts'
import { selectObjects } from './select.ts'

const folder = temporaryFolder('bitmap-select')
const path = join(folder.path, 'line.git')
let store: ObjectStore

beforeAll(async () => {
  await new Git(folder.path).run('init', '--quiet', '--bare', path)
  await importLine(path, 1)
  await new Git(path).run('repack', '-adbq')
  // In a pack of its own, about which nothing is written down.
  await importLine(path, COMMITS_HAD_MAX + 2, 1)
  store = new ObjectStore(path, 2 ** 20)
  expect(store.bitmap).toBeDefined()
})
afterAll(() => {
  store.close()
  folder[Symbol.dispose]()
})

it.each([
  { beyond: COMMITS_HAD_MAX, isByBitmaps: true },
  { beyond: COMMITS_HAD_MAX + 1, isByBitmaps: false },
])('what a receiver with $beyond commits beyond the next bitmap needs: by bitmaps $isByBitmaps', async (row) => {
  const git = new Git(path)
  // The first of the line has the bitmap.
  const had = `line~${COMMITS_HAD_MAX + 2 - row.beyond}`
  const [want = '', have = ''] = (await git.run('rev-parse', 'line', had)).split('\n')
  const selecting = { wants: [Buffer.from(want, 'hex')], haves: [Buffer.from(have, 'hex')] }
  const { oids, count, numbered } = selectObjects(readerOf(store), selecting)
  expect(numbered !== undefined).toBe(row.isByBitmaps)
  expect(numbered?.numbers.count() ?? 0).toBe(0)
  const listed = (await git.run('rev-list', '--objects', '--no-object-names', want, `^${have}`)).split('\n')
  const found = Array.from({ length: count }, (_, at) => oids.toString('hex', at * 20, at * 20 + 20))
  expect(found.sort()).toEqual(listed.filter((line) => line !== '').sort())
})

import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, it } from 'vitest'
import { Git, temporaryFolder } from '../../../integration/support/git.ts'
import { importHistory, importLine } from '../../../integration/support/history.ts'
import { ObjectStore } from '../../storage/objects/object-store.ts'
import { readerOf } from '../../transfer/workers/open-stores.ts'
import { COMMITS_HAD_MAX } from './bitmap-select.ts'
import { fromHex } from './object-reader.ts'
import { selectObjects, type Selection } from './select.ts'

const folder = temporaryFolder('bitmap-select')
const path = join(folder.path, 'line.git')
let store: ObjectStore

beforeAll(async () => {
  await new Git(folder.path).run('init', '--quiet', '--bare', path)
  await importLine(path, 1)
  await new Git(path).run('repack', '-adbq')
  // In a pack of its own, about which nothing is written down.
  await importLine(path, COMMITS_HAD_MAX + 2, 1)
  store = ObjectStore.open(path, 2 ** 20)
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
  const selection = selectObjects(readerOf(store), selecting)
  const { numbered } = selection
  expect(numbered !== undefined).toBe(row.isByBitmaps)
  expect(numbered?.numbers.count() ?? 0).toBe(0)
  const listed = (await git.run('rev-list', '--objects', '--no-object-names', want, `^${have}`)).split('\n')
  expect(namesIn(selection).sort()).toEqual(listed.filter((line) => line !== '').sort())
})

it.each([1, 2, 8])(
  'what a receiver needs whose history ends %d commits deep: by bitmaps, twice alike',
  async (depth) => {
    const source = join(folder.path, `history-${depth}.git`)
    await new Git(folder.path).run('init', '--quiet', '--bare', source)
    await importHistory(source, {
      seed: 7,
      commits: 120,
      filesPerCommit: 2,
      fileBytes: 200,
      mergeEvery: 5,
      tagEvery: 10,
    })
    await new Git(source).run('repack', '-adbq')
    // What came since has no number.
    await importLine(source, 2)
    const cloned = join(folder.path, `shallow-${depth}.git`)
    await new Git(folder.path).run(
      'clone',
      '--quiet',
      '--bare',
      '--no-single-branch',
      '--depth',
      `${depth}`,
      `file://${source}`,
      cloned,
    )
    const git = new Git(cloned)
    const wants = [...new Set((await git.run('rev-parse', '--branches')).split('\n'))].map(fromHex)
    const shallow = readFileSync(join(cloned, 'shallow'), 'latin1').trim().split('\n').map(fromHex)
    const listed = await git.run('rev-list', '--objects', '--no-object-names', '--branches')
    const here = ObjectStore.open(source, 2 ** 20)
    try {
      for (let time = 0; time < 2; time++) {
        const selection = selectObjects(readerOf(here), { wants, haves: [], shallow })
        expect(selection.numbered?.numbers.count()).toBeGreaterThan(depth)
        expect(namesIn(selection).sort()).toEqual(listed.split('\n').sort())
      }
    } finally {
      here.close()
    }
  },
)

function namesIn({ oids, count, numbered }: Selection): string[] {
  const names = Array.from({ length: count }, (_, at) => oids.toString('hex', at * 20, at * 20 + 20))
  const oid = Buffer.alloc(20)
  numbered?.numbers.forEach((number) => {
    numbered.reachability.copyOid(number, oid, 0)
    names.push(oid.toString('hex'))
  })
  return names
}

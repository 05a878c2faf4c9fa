import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { Git, temporaryFolder } from '../../../integration/support/git.ts'
import { SPARSE_LIMITS } from '../../git/object-graph/sparse-patterns.ts'
import { ObjectStore } from '../../storage/objects/object-store.ts'
import { readSparse } from './read-sparse.ts'

const folder = temporaryFolder('read-sparse')
const BYTES_MAX = SPARSE_LIMITS.sparse_filter_bytes.value
const FILTERS_MAX = SPARSE_LIMITS.sparse_filters.value

let store: ObjectStore
/** Of blobs, by their number of bytes. */
const oids = new Map<number, string>()

beforeAll(async () => {
  const git = new Git(join(folder.path, 'sparse.git'))
  await new Git(folder.path).run('init', '--quiet', '--bare', git.folder)
  for (const bytes of [0, 1, BYTES_MAX - 1, BYTES_MAX, BYTES_MAX + 1]) {
    const { stdout } = await git.try(['hash-object', '-w', '--stdin'], Buffer.alloc(bytes, '\n'))
    oids.set(bytes, stdout.trim())
  }
  // Ours are in packs: nothing else is looked for.
  await git.try(['pack-objects', '--quiet', 'objects/pack/pack'], Buffer.from([...oids.values()].join('\n')))
  store = ObjectStore.open(git.folder, 2 ** 20)
})
afterAll(() => {
  store.close()
  folder[Symbol.dispose]()
})

const read = (...bytes: readonly number[]): number | undefined =>
  readSparse(
    store,
    bytes.map((one) => ({ oid: oids.get(one) ?? '', path: '' })),
  )?.lists.length

const over = (limit: keyof typeof SPARSE_LIMITS): Error =>
  expect.objectContaining({ detail: { code: 'over_limit', limit } }) as Error

describe('patterns that a fetch names', () => {
  it(`are read from ${FILTERS_MAX} blobs, and not from one more`, () => {
    const lists = Array<number>(FILTERS_MAX).fill(1)
    expect(read(...lists)).toBe(FILTERS_MAX)
    expect(() => read(...lists, 1)).toThrow(over('sparse_filters'))
  })

  it(`have ${BYTES_MAX} bytes together, and not one more`, () => {
    expect(read(BYTES_MAX, 0)).toBe(2)
    expect(read(BYTES_MAX - 1, 1)).toBe(2)
    expect(() => read(BYTES_MAX + 1)).toThrow(over('sparse_filter_bytes'))
    expect(() => read(BYTES_MAX, 1)).toThrow(over('sparse_filter_bytes'))
  })
})

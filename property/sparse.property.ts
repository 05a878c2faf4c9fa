/** Patterns of sparse checkouts: what a filter by them leaves out, as C git has it. */
import assert from 'node:assert/strict'
import { fc } from '@fast-check/vitest'
import { afterAll, beforeAll } from 'vitest'
import { temporaryFolder } from '../integration/support/git.ts'
import { NO_FILTER } from '../src/git/object-graph/filter.ts'
import { fromHex } from '../src/git/object-graph/object-reader.ts'
import { selectObjects } from '../src/git/object-graph/select.ts'
import { SparsePatterns, SparseBudget } from '../src/git/object-graph/sparse-patterns.ts'
import { ObjectStore } from '../src/storage/objects/object-store.ts'
import { readerOf } from '../src/transfer/workers/open-stores.ts'
import { run } from './histories.ts'
import { prop } from './prop.ts'

const NAMES = [
  'a',
  'b',
  'ab',
  'a.b',
  'B',
  'a b',
  'a ',
  '-',
  ']',
  '[a]',
  '!a',
  '#a',
  '*',
  '?',
  'é',
  '0',
  '_',
  'aab',
  'x\\y',
]
/** Some folders hold the very same, so that one tree lies at several paths. */
const FOLDERS = ['', 'a/', 'b/', 'a/b/', 'b/a/', 'a/b/a/', 'ab/[a]/', 'é/a b/']

const folder = temporaryFolder('sparse')
let store: ObjectStore
let commit: string

beforeAll(() => {
  run(folder.path, ['init', '--quiet', '--bare', '.'])
  const files = FOLDERS.flatMap((path) => NAMES.map((name) => `${path}${path === '' ? 'root ' : ''}${name}`))
  const lines = files.map((path, at) => `M 100644 inline ${JSON.stringify(path)}\ndata <<END\n${at % 40}\nEND\n`)
  const head = 'commit refs/heads/main\ncommitter A <a@example.org> 1600000000 +0000\ndata 0\n'
  run(
    folder.path,
    ['-c', 'core.quotePath=false', 'fast-import', '--quiet', '--date-format=raw'],
    `${head}${lines.join('')}`,
  )
  commit = run(folder.path, ['rev-parse', 'main']).toString().trim()
  store = ObjectStore.open(folder.path, 2 ** 20)
})
afterAll(() => {
  store.close()
  folder[Symbol.dispose]()
})

const piece = fc.oneof(
  { weight: 6, arbitrary: fc.constantFrom('a', 'b', 'ab', '.', 'é', ' ', 'B', '0', '-') },
  { weight: 4, arbitrary: fc.constantFrom('*', '?', '**', '/', '/**/', '**/', '/**', '***') },
  { weight: 2, arbitrary: fc.constantFrom('[ab]', '[!a]', '[^b-z]', '[a-c]', '[[:alpha:]]', '[[:punct:][:digit:]]') },
  {
    weight: 1,
    arbitrary: fc.constantFrom('[]a]', '[!]]', '[a', '[[:no:]]', '[a-', '[b-a]', '[\\]]', '[--0]', '[[:a]', '['),
  },
  { weight: 1, arbitrary: fc.constantFrom('\\', '\\*', '\\a', '\\ ', '\\\\', '!', '#', '\r', '\t', '\0') },
)
const pattern = fc
  .tuple(
    fc.constantFrom('', '', '', '!', '/', '!/', '\\!', '#'),
    fc.array(piece, { maxLength: 6 }),
    fc.constantFrom('', '', '/', ' ', '  ', '\r'),
  )
  .map(([start, middle, end]) => `${start}${middle.join('')}${end}`)
const list = fc
  .tuple(
    fc.constantFrom('', '', '\ufeff', '/*\n', '*\n'),
    fc.array(pattern, { maxLength: 5 }),
    fc.constantFrom('', '\n'),
  )
  .map(([start, lines, end]) => `${start}${lines.join('\n')}${end}`)

prop([list], { numRuns: 120 })('a sparse filter leaves out what C git leaves out', (text) => {
  const oid = run(folder.path, ['hash-object', '-w', '--stdin'], text).toString().trim()
  const budget = new SparseBudget()
  const { oids, count } = selectObjects(readerOf(store), {
    wants: [fromHex(commit)],
    haves: [],
    filter: { ...NO_FILTER, sparse: [oid] },
    sparse: { lists: [new SparsePatterns(Buffer.from(text), budget)], budget },
  })
  const selected = Array.from({ length: count }, (_, at) => oids.toString('hex', at * 20, at * 20 + 20))
  assert.equal(new Set(selected).size, count, 'each object once')
  const args = ['rev-list', '--objects', '--no-object-names', `--filter=sparse:oid=${oid}`, commit]
  const listed = run(folder.path, args).toString().trim().split('\n')
  assert.deepEqual(selected.sort(), listed.sort())
})

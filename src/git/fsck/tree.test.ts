import assert from 'node:assert/strict'
import { describe, test } from 'vitest'

import { checkObject } from './check-object.ts'
import type { FsckId } from './error.ts'
import {
  blob,
  FILE_OID,
  FOLDER_OID,
  gitFsck,
  gitIndexPackAccepts,
  GROUND,
  oidOf,
  ROOT_OID,
  type TestObject,
  tree,
} from './testing.ts'

interface Row {
  readonly name: string
  readonly object: TestObject
  readonly id?: FsckId
}

const file = (name: string | Buffer, mode = '100644') => ({ name, mode, oid: FILE_OID })
const folder = (name: string) => ({ name, mode: '40000', oid: FOLDER_OID })
const raw = (text: string) => ({ type: 2, data: Buffer.from(text, 'latin1') })
const oidBytes = Buffer.from(FILE_OID, 'hex').toString('latin1')

const SHAPES: readonly Row[] = [
  { name: 'an empty tree', object: tree() },
  {
    name: 'all modes that git writes',
    object: tree(file('a'), file('b', '100755'), file('c', '120000'), folder('d'), {
      mode: '160000',
      name: 'e',
      oid: ROOT_OID,
    }),
  },
  { name: 'a mode that git once wrote', object: tree(file('a', '100664')) },
  {
    name: 'modes that nothing writes',
    object: tree(file('a', '1'), file('b', '107777'), file('c', '777777777777777777100644')),
  },
  { name: 'a folder with bits of permission', object: tree({ mode: '40755', name: 'a', oid: FOLDER_OID }) },
  {
    name: 'a mode that begins with a zero',
    object: tree({ mode: '040000', name: 'a', oid: FOLDER_OID }),
    id: 'zeroPaddedFilemode',
  },
  { name: 'a mode that is not octal', object: tree(file('a', '100648')), id: 'badTree' },
  { name: 'no mode', object: tree(file('a', '')), id: 'badTree' },
  { name: 'a second entry without a mode', object: tree(file('a'), file('b', '')), id: 'badTree' },
  { name: 'no name', object: tree(file('')), id: 'badTree' },
  { name: 'a second entry without a name', object: tree(file('a'), file('')), id: 'badTree' },
  { name: 'no space after the mode', object: raw(`100644a\0${oidBytes}`), id: 'badTree' },
  { name: 'an id that stops early', object: raw(`100644 a\0${oidBytes.slice(1)}`), id: 'badTree' },
  { name: 'a byte after the last id', object: raw(`100644 a\0${oidBytes}x`), id: 'badTree' },
  { name: 'a NUL after the last id', object: raw(`100644 a\0${oidBytes}\0`), id: 'badTree' },
  // A NUL where the last name would end, were these the end of an entry.
  ...[1, 6, 8, 16, 19, 20].map((bytes) => ({
    name: `${bytes} bytes after the last id`,
    object: raw(
      `100644 a\0${oidBytes.slice(0, bytes - 1)}\0${oidBytes.slice(bytes)}${'100644 a'.repeat(3).slice(0, bytes)}`,
    ),
    id: 'badTree' as const,
  })),
  { name: 'a few bytes', object: raw('100644'), id: 'badTree' },
  { name: 'zeros', object: raw('\0'.repeat(100)), id: 'badTree' },
  { name: 'digits without end', object: raw('1'.repeat(1000)), id: 'badTree' },
  { name: 'an id of zeros', object: tree({ name: 'a', oid: '0'.repeat(40) }), id: 'nullSha1' },
  { name: 'an id of zeros but for the last', object: tree({ mode: '160000', name: 'a', oid: `${'0'.repeat(39)}1` }) },
]

const ORDERS: readonly Row[] = [
  { name: 'by bytes', object: tree(file('A'), file('a'), file(Buffer.of(0x80)), file(Buffer.of(0xff))) },
  { name: 'not by signed bytes', object: tree(file(Buffer.of(0x80)), file('a')), id: 'treeNotSorted' },
  { name: 'a longer name first', object: tree(file('ab'), file('a')), id: 'treeNotSorted' },
  { name: 'a file before what begins with its name', object: tree(file('a'), file('a.b'), file('a0')) },
  { name: 'a folder as if it ended with a slash', object: tree(file('a.b'), folder('a'), file('a0')) },
  { name: 'a folder as if it were a file', object: tree(folder('a'), file('a.b')), id: 'treeNotSorted' },
  { name: 'a file as if it were a folder', object: tree(file('a.b'), file('a')), id: 'treeNotSorted' },
  { name: 'the same file twice', object: tree(file('a'), file('a')), id: 'duplicateEntries' },
  { name: 'a file and a folder side by side', object: tree(file('a'), folder('a')), id: 'duplicateEntries' },
  {
    name: 'a file and a folder with a name between',
    object: tree(file('a'), file('a.b'), folder('a')),
    id: 'duplicateEntries',
  },
  {
    name: 'the outer one of two such pairs',
    object: tree(file('a'), file('a.b'), file('a.b.c'), folder('a.b0'), folder('a')),
    id: 'duplicateEntries',
  },
  {
    name: 'the inner one of two such pairs',
    object: tree(file('a'), file('a-b'), file('a-b-c'), folder('a-b'), file('a.c')),
    id: 'duplicateEntries',
  },
  {
    name: 'names in between that fit no pair',
    object: tree(file('a'), file('a-b'), file('a-b-c'), folder('a-b-d'), folder('a.e'), file('a0')),
  },
  {
    name: 'a pair around a folder that is in the place of no file',
    object: tree(file('a'), file('a-b-c'), folder('a-b'), folder('a')),
    id: 'duplicateEntries',
  },
  {
    name: 'a folder in the place of no file, and then another file',
    object: tree(file('a'), file('a-b-c'), folder('a-b'), file('a0')),
  },
  {
    name: 'a file that waits for no longer name',
    object: tree(file('a'), file('a-'), file('ab-c'), folder('ab')),
  },
  {
    name: 'a file and a folder of a longer name after such a file',
    object: tree(file('a'), file('a-'), file('ab'), file('ab-c'), folder('ab')),
    id: 'duplicateEntries',
  },
  {
    name: 'a pair after a folder in between',
    object: tree(file('a'), file('a.b'), folder('a.c'), folder('a')),
    id: 'duplicateEntries',
  },
  {
    name: 'a file, what begins with its name, and a folder that had to come before that',
    object: tree(file('a'), file('ab'), folder('a')),
    id: 'treeNotSorted',
  },
  {
    name: 'a file and a folder with both kinds of longer names between',
    object: tree(file('a'), file('a-'), folder('a-b'), file('a.b'), folder('a')),
    id: 'duplicateEntries',
  },
  {
    name: 'a file with a longer name than fits behind the last folder',
    object: tree(file('a'.repeat(60)), file(`${'a'.repeat(60)}-`), file('b-'), folder('b')),
  },
  {
    name: 'files and folders that take turns',
    object: tree(file('a'), file('a-'), folder('a-b'), folder('a.b'), file('a0'), file('a0-'), folder('a0.')),
  },
]

type NameRow = readonly [name: string | Buffer, id?: FsckId]

function hfsNames(kinds: readonly (readonly [points: readonly number[], id: FsckId | undefined])[]): NameRow[] {
  return kinds.flatMap(([points, id]) =>
    points.map((point): NameRow => {
      const name = `.g${String.fromCodePoint(point)}it`
      return id === undefined ? [name] : [name, id]
    }),
  )
}

/** Behind ".git": what is no UTF-8 ends the name for git. */
function utf8Names(kinds: readonly (readonly [hex: string, id: FsckId | undefined])[]): NameRow[] {
  return kinds.flatMap(([hex, id]) =>
    hex.split(' ').map((bytes): NameRow => {
      const name = Buffer.concat([Buffer.from('.git'), Buffer.from(bytes, 'hex')])
      return id === undefined ? [name] : [name, id]
    }),
  )
}

const NAMES: readonly NameRow[] = [
  ['...'],
  ['.a'],
  ['a.git\\b'],
  ['a\\.gitmodules'],
  ['\x0egit'],
  ['git^1'],
  ['git~\x11'],
  ['g'],
  ['g.'],
  ['.', 'hasDot'],
  ['..', 'hasDotdot'],
  ['a/b', 'fullPathname'],
  ['/', 'fullPathname'],
  ['a\\b'],
  ['.git', 'hasDotgit'],
  ['.GiT', 'hasDotgit'],
  ['git'],
  ['.git2'],
  ['.gi'],
  ['.gitignore'],
  ['.git ', 'hasDotgit'],
  ['.git. .', 'hasDotgit'],
  ['.git. x'],
  ['.git:', 'hasDotgit'],
  ['.git::$INDEX_ALLOCATION', 'hasDotgit'],
  ['.git\\hooks', 'hasDotgit'],
  ['a\\.git', 'hasDotgit'],
  ['a\\.GIT .\\b', 'hasDotgit'],
  ['a\\.git2'],
  ['\\.git', 'hasDotgit'],
  ['git~1', 'hasDotgit'],
  ['GIT~1. ', 'hasDotgit'],
  ['a\\git~1', 'hasDotgit'],
  ['git~2'],
  ['git~10'],
  ['.g\u200cit', 'hasDotgit'],
  ['\u200d.git', 'hasDotgit'],
  ['.git\ufeff', 'hasDotgit'],
  ['\u202a.\u202eG\u206aI\u206fT', 'hasDotgit'],
  ['.g\u2010it'],
  ['.g\u2070it'],
  ['.gı\u200ct'],
  // The bytes after "t" are no UTF-8, which git takes for the end of the name.
  [Buffer.from('.git\xff', 'latin1'), 'hasDotgit'],
  [Buffer.from('.git\xc0\x80', 'latin1'), 'hasDotgit'],
  [Buffer.from('.git\xe2\x80', 'latin1'), 'hasDotgit'],
  [Buffer.from('.git\xed\xa0\x80', 'latin1'), 'hasDotgit'],
  [Buffer.from('.git\xef\xbf\xbf', 'latin1'), 'hasDotgit'],
  [Buffer.from('.git\xf4\x90\x80\x80', 'latin1'), 'hasDotgit'],
  [Buffer.from('.g\xffit', 'latin1')],
  ...hfsNames([
    // The first and the last of what HFS+ ignores, and what stands beside those.
    [[0x200c, 0x200f, 0x202a, 0x202e, 0x206a, 0x206f, 0xfeff], 'hasDotgit'],
    [[0x200b, 0x2010, 0x2029, 0x202f, 0x2069, 0x2070, 0xfefe, 0xff00], undefined],
  ]),
  ...utf8Names([
    ['c280 dfbf e0a080 ed9fbf ee8080 efbfbd f0908080 f48fbfbf', undefined],
    ['80 bf c0af c180 c2 c278 e08080 e09fbf e27880 e28078 eda080 edbfbf efbfbe efbfbf', 'hasDotgit'],
    ['f0808080 f08fbfbf f09080 f0908078 f0907880 f0789080 f4908080 f5808080 ff', 'hasDotgit'],
  ]),
  ['.git\u{10ffff}'],
  ['.gité'],
]

/** As the name of a symbolic link, what is taken for `.gitmodules` is refused at once. */
const GITMODULES_NAMES: readonly (readonly [name: string | Buffer, isTaken: boolean])[] = [
  ['.gitmodules', true],
  ['.GITModules', true],
  ['gitmodules', false],
  ['.gitmodule', false],
  ['.gitmodules2', false],
  ['.gitmodules . ', true],
  ['.gitmodules:$DATA', true],
  ['.gitmodules\\x', false],
  ['a\\.gitmodules', true],
  ['a\\b\\GITMOD~2', true],
  ['.git\u200cmodules', true],
  [Buffer.from('.gitmodules\xff', 'latin1'), true],
  ['gitmod~1', true],
  ['GITMOD~4 .', true],
  ['gitmod~5', false],
  ['gitmod~0', false],
  ['gitmod~1a', false],
  ['gi7eba~1', true],
  ['GI7EBA~9', true],
  ['gi7eba~0', false],
  ['gi7eba~10', false],
  ['gi7eb~01', false],
  ['gi7eb~10', true],
  ['g~123456', true],
  ['~1000000', true],
  ['~0000000', false],
  ['~100000', false],
  ['gi7ebaa~', false],
  ['gi7d29~1', false],
  ['gi7eb~1x', false],
  ['gi7e~12x', false],
  ['g~12345x', false],
  ['g~1a3456', false],
  ['~123456x', false],
  ['gi7eba~:', false],
  ['gi7ebax1', false],
  ['gitmodx1', false],
  ['.abcdefghij', false],
  ['ggitmodules', false],
  ['gi7eba~1x', false],
  ['gi7eba~1 .', true],
]

const nameRows = NAMES.map(([name, id]): Row => ({
  name: JSON.stringify(name.toString('latin1')),
  object: tree(file(name)),
  ...(id === undefined ? {} : { id }),
}))
const linkRows = GITMODULES_NAMES.map(([name, isTaken]): Row => ({
  name: JSON.stringify(name.toString('latin1')),
  object: tree(file(name, '120000')),
  ...(isTaken ? { id: 'gitmodulesSymlink' } : {}),
}))

const SUITES = { 'a tree': SHAPES, 'the order of a tree': ORDERS, 'a name': nameRows, 'a link named': linkRows }
const complaints = gitFsck([...GROUND, ...Object.values(SUITES).flatMap((rows) => rows.map(({ object }) => object))])

for (const [suite, rows] of Object.entries(SUITES)) {
  describe(`${suite}, judged as git fsck --strict and git index-pack --strict do`, () => {
    for (const { name, object, id } of rows) {
      test(`${name}: ${id ?? 'fine'}`, () => {
        assert.equal(checkObject(object.type, object.data), id)
        const ids = complaints.get(oidOf(object))
        if (id === undefined) assert.equal(ids, undefined)
        else assert.ok(ids?.has(id) === true, `git says ${Array.from(ids ?? []).join()}`)
        assert.equal(gitIndexPackAccepts([...GROUND, object]), id === undefined)
      })
    }
  })
}

/** Of the names below, those that may be both, and those that are the other. */
const GITMODULES_TOO = ['~1234567', 'gi7eba~1', 'a\\.gitmodules']

test('names that git takes for .gitattributes, which it looks into', () => {
  const names = [
    '.gitattributes',
    '.GITATTRIBUTES. ',
    'gitatt~1',
    'gi7d29~3',
    'gi7d2~12',
    '~1234567',
    '.gitattributes2',
    'gitatt~5',
    'a\\.gitattributes',
    'a\\.gitmodules',
    'gi7eba~1',
    '.gitattribute\u200es',
  ]
  // Each its own file, with a line that is too long, so that git names it.
  const files = names.map((name) => ({ name, file: blob(`${name} ${'x'.repeat(3000)}`) }))
  const trees = files.map((row) => tree({ name: row.name, oid: oidOf(row.file) }))
  const said = gitFsck([...trees, ...files.map((row) => row.file)])
  files.forEach((row, i) => {
    const found: string[] = []
    assert.equal(
      checkObject(2, (trees[i] as TestObject).data, (kind) => found.push(kind)),
      undefined,
    )
    assert.equal(found.includes('gitmodules'), GITMODULES_TOO.includes(row.name), row.name)
    assert.equal(
      found.includes('gitattributes'),
      said.get(oidOf(row.file))?.has('gitattributesLineLength') === true,
      row.name,
    )
  })
  assert.ok(said.size > 3)
})

test('a million names of which each begins the next ones are checked in linear time', () => {
  const names = Array.from({ length: 300_000 }, (_, i) => i.toString().padStart(6, '0'))
  const entries = names.flatMap((name) => [file(name), file(`${name}.x`), file(`${name}.x.y`)])
  const data = Buffer.concat([...entries.map((entry) => tree(entry).data), tree(folder('a')).data])
  assert.equal(checkObject(2, data), undefined)
})

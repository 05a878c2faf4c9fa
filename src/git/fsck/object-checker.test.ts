import assert from 'node:assert/strict'
import { describe, test } from 'vitest'

import { FsckError, type FsckId } from './error.ts'
import { GITATTRIBUTES_BYTES_MAX, GITATTRIBUTES_LINE_BYTES_MAX } from './gitattributes.ts'
import { GITMODULES_BYTES_MAX, ObjectChecker } from './object-checker.ts'
import {
  blob,
  FOLDER,
  FOLDER_OID,
  gitFsck,
  gitIndexPackAccepts,
  GROUND,
  oidOf,
  ROOT,
  ROOT_OID,
  type TestObject,
  tree,
} from './testing.ts'

const BAD_MODULES = blob('[submodule ".."]\n\tpath = a\n')
const GOOD_MODULES = blob('[submodule "a"]\n\tpath = a\n')
const LONG_LINE = blob('*'.repeat(GITATTRIBUTES_LINE_BYTES_MAX + 1))
const modules = (file: TestObject, mode = '100644') => tree({ name: '.gitmodules', mode, oid: oidOf(file) })
const attributes = (file: TestObject, mode = '100644') => tree({ name: '.gitattributes', mode, oid: oidOf(file) })
const NOWHERE = '7'.repeat(40)

interface Row {
  readonly name: string
  readonly pack: readonly TestObject[]
  /** In the repository already. */
  readonly before?: readonly TestObject[]
  readonly id?: FsckId
  readonly oid?: string
  /** `git index-pack` leaves it to those who started it. */
  readonly indexPackTakes?: true
}

const ROWS: readonly Row[] = [
  { name: 'a bad .gitmodules that no tree calls so', pack: [BAD_MODULES, LONG_LINE] },
  { name: 'a good .gitmodules', pack: [modules(GOOD_MODULES), GOOD_MODULES] },
  {
    name: 'a bad .gitmodules after its tree',
    pack: [modules(BAD_MODULES), BAD_MODULES],
    id: 'gitmodulesName',
    oid: oidOf(BAD_MODULES),
  },
  {
    name: 'a bad .gitmodules before its tree',
    pack: [BAD_MODULES, modules(BAD_MODULES)],
    id: 'gitmodulesName',
    oid: oidOf(BAD_MODULES),
  },
  {
    name: 'a bad .gitmodules that was there before',
    pack: [modules(BAD_MODULES)],
    before: [BAD_MODULES],
    id: 'gitmodulesName',
    oid: oidOf(BAD_MODULES),
  },
  {
    name: 'a .gitmodules that is missing',
    pack: [tree({ name: '.gitmodules', oid: NOWHERE })],
    id: 'gitmodulesMissing',
    oid: NOWHERE,
  },
  {
    name: 'a .gitmodules that is a submodule',
    pack: [tree({ name: '.gitmodules', mode: '160000', oid: NOWHERE })],
    id: 'gitmodulesMissing',
    oid: NOWHERE,
    indexPackTakes: true,
  },
  {
    name: 'a .gitmodules that is a folder',
    pack: [FOLDER, modules(FOLDER, '40000')],
    id: 'gitmodulesBlob',
    oid: FOLDER_OID,
  },
  {
    name: 'a .gitmodules that is a commit',
    pack: [ROOT, modules(ROOT, '160000')],
    id: 'gitmodulesBlob',
    oid: ROOT_OID,
  },
  {
    name: 'a .gitattributes with a long line',
    pack: [attributes(LONG_LINE), LONG_LINE],
    id: 'gitattributesLineLength',
    oid: oidOf(LONG_LINE),
  },
  { name: 'a .gitattributes that is a link', pack: [attributes(LONG_LINE, '120000'), LONG_LINE] },
  {
    name: 'a .gitattributes that is missing',
    pack: [tree({ name: '.gitattributes', oid: NOWHERE })],
    id: 'gitattributesMissing',
    oid: NOWHERE,
  },
  {
    name: 'a .gitattributes that is a folder',
    pack: [FOLDER, attributes(FOLDER, '40000')],
    id: 'gitattributesBlob',
    oid: FOLDER_OID,
  },
  {
    name: 'a file of both names, bad as the second',
    pack: [modules(LONG_LINE), LONG_LINE, attributes(LONG_LINE)],
    id: 'gitattributesLineLength',
    oid: oidOf(LONG_LINE),
  },
  {
    name: 'a file of both names, bad as the first',
    pack: [attributes(BAD_MODULES), BAD_MODULES, modules(BAD_MODULES)],
    id: 'gitmodulesName',
    oid: oidOf(BAD_MODULES),
  },
  {
    name: 'a tree out of order',
    pack: [tree({ name: 'b' }, { name: 'a' })],
    id: 'treeNotSorted',
    oid: oidOf(tree({ name: 'b' }, { name: 'a' })),
  },
]

function verdict(pack: readonly TestObject[], before: readonly TestObject[] = []): FsckError | undefined {
  const known = new Map([...before, ...pack].map((object) => [oidOf(object), object]))
  const checker = new ObjectChecker()
  try {
    // Ids come from a table of ids, as the indexer's do.
    const oids = Buffer.concat(pack.map((object) => Buffer.from(oidOf(object), 'hex')))
    pack.forEach(({ type, data }, i) => checker.check(type, data, oids, i * 20))
    checker.finish((oid) => known.get(oid.toString('hex')))
    return undefined
  } catch (error) {
    assert.ok(error instanceof FsckError)
    return error
  }
}

describe('the objects of a push, judged as git fsck --strict does', () => {
  for (const { name, pack, before = [], id, oid, indexPackTakes } of ROWS) {
    test(`${name}: ${id ?? 'fine'}`, () => {
      const error = verdict(pack, before)
      const said = gitFsck([...GROUND, ...pack, ...before])
      assert.equal(error?.detail.id, id)
      assert.equal(error?.detail.oid, oid)
      assert.deepEqual(
        Array.from(said, ([oid_, ids]) => [oid_, ...ids]),
        id === undefined ? [] : [[oid, id]],
      )
      assert.equal(gitIndexPackAccepts([...GROUND, ...pack, ...before]), id === undefined || indexPackTakes === true)
    })
  }
})

test('an error says which object and why, by git’s id', () => {
  const error = verdict([BAD_MODULES, modules(BAD_MODULES)])
  assert.equal(error?.detail.code, 'object_refused')
  assert.equal(
    error?.message,
    `object ${oidOf(BAD_MODULES)}: gitmodulesName: a .gitmodules has a submodule with a name that is not allowed`,
  )
})

describe('limits', () => {
  // As lines of a kilobyte, as the check looks for each line's end.
  const lines = (bytes: number) => ({ type: 3, data: Buffer.alloc(bytes, `${'#'.repeat(1_023)}\n`) })
  const rows = [
    { name: 'a .gitattributes of the largest size', of: attributes, bytes: GITATTRIBUTES_BYTES_MAX },
    { name: 'a byte more', of: attributes, bytes: GITATTRIBUTES_BYTES_MAX + 1, id: 'gitattributesLarge' },
    { name: 'a .gitmodules of the largest size', of: modules, bytes: GITMODULES_BYTES_MAX },
    { name: 'a byte more in .gitmodules', of: modules, bytes: GITMODULES_BYTES_MAX + 1, id: 'gitmodulesLarge' },
  ]
  for (const { name, of, bytes, id } of rows) {
    test(`${name}: ${id ?? 'fine'}`, () => {
      const file = lines(bytes)
      assert.equal(verdict([of(file), file])?.detail.id, id)
    })
  }

  test('the largest .gitattributes is also the largest for git', () => {
    const files = [lines(GITATTRIBUTES_BYTES_MAX), lines(GITATTRIBUTES_BYTES_MAX + 1)]
    const said = gitFsck([...files, ...files.map((file) => attributes(file))])
    assert.deepEqual(
      files.map((file) => Array.from(said.get(oidOf(file)) ?? [])),
      [[], ['gitattributesLarge']],
    )
  })

  test('the longest line of a .gitattributes, up to the first NUL', () => {
    const longest = '*'.repeat(GITATTRIBUTES_LINE_BYTES_MAX)
    const rowsOfText = [
      { text: longest, ok: true },
      { text: `${longest}\n${longest}\n`, ok: true },
      { text: `x\n${longest}*\n`, ok: false },
      { text: `\0${longest}*`, ok: true },
      { text: `\n${longest}\n${longest}`, ok: true },
      { text: `x\0\n${longest}*\n`, ok: true },
    ]
    const said = gitFsck(rowsOfText.flatMap(({ text }) => [blob(text), attributes(blob(text))]))
    for (const { text, ok } of rowsOfText) {
      assert.equal(said.has(oidOf(blob(text))), !ok)
      assert.equal(verdict([attributes(blob(text)), blob(text)])?.detail.id, ok ? undefined : 'gitattributesLineLength')
    }
  })
})

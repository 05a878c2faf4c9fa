import assert from 'node:assert/strict'
import { describe, test } from 'vitest'

import { ObjectError } from '../object/error.ts'
import { forEachLink } from './links.ts'
import { blob, commit, FILE_OID, FOLDER_OID, ROOT_OID, tag, type TestObject, tree, WHO } from './testing.ts'

const BY = `author ${WHO}\ncommitter ${WHO}\n`
const OTHER = 'ab'.repeat(20)

const ROWS: readonly { name: string; object: TestObject; links: readonly string[] }[] = [
  { name: 'a file needs nothing', object: blob('x'), links: [] },
  { name: 'a root commit needs its tree', object: commit(`tree ${FOLDER_OID}\n${BY}`), links: [`2 ${FOLDER_OID}`] },
  {
    name: 'a merge needs its tree and its parents',
    object: commit(`tree ${FOLDER_OID}\nparent ${ROOT_OID}\nparent ${OTHER}\n${BY}\nparent ${FILE_OID}\n`),
    links: [`2 ${FOLDER_OID}`, `1 ${ROOT_OID}`, `1 ${OTHER}`],
  },
  { name: 'ids in capitals are ids', object: commit(`tree ${OTHER.toUpperCase()}\n${BY}`), links: [`2 ${OTHER}`] },
  {
    name: 'a tree needs its files, links and folders, whatever the bits of permission, and no submodule',
    object: tree(
      { name: 'a', mode: '100755' },
      { name: 'b', mode: '100664' },
      { name: 'c', mode: '120000' },
      { name: 'd', mode: '40000', oid: FOLDER_OID },
      { name: 'e', mode: '40755', oid: FOLDER_OID },
      { name: 'f', mode: '160000', oid: ROOT_OID },
      { name: 'g', mode: '1', oid: ROOT_OID },
    ),
    links: [`3 ${FILE_OID}`, `3 ${FILE_OID}`, `3 ${FILE_OID}`, `2 ${FOLDER_OID}`, `2 ${FOLDER_OID}`],
  },
  { name: 'an empty tree needs nothing', object: tree(), links: [] },
  { name: 'a tag of a commit', object: tag(`object ${ROOT_OID}\ntype commit\ntag v1\n`), links: [`1 ${ROOT_OID}`] },
  { name: 'a tag of a tag', object: tag(`object ${OTHER}\ntype tag\ntag v1\n`), links: [`4 ${OTHER}`] },
]

describe('what an object needs', () => {
  for (const { name, object, links } of ROWS) {
    test(name, () => {
      const found: string[] = []
      forEachLink(object.type, object.data, (oids, oidAt, expectedType) =>
        found.push(`${expectedType} ${oids.toString('hex', oidAt, oidAt + 20)}`),
      )
      assert.deepEqual(found, links)
    })
  }
})

describe('objects that fsck would have refused', () => {
  const needs = 'it does not name what it needs'
  const rows = [
    { name: 'a commit without a tree', object: commit(BY), code: 'commit_invalid' },
    { name: 'an empty commit', object: commit(''), code: 'commit_invalid' },
    {
      name: 'a parent that is no id',
      object: commit(`tree ${FOLDER_OID}\nparent x\n${BY}`),
      code: 'commit_invalid',
    },
    { name: 'a tag without a type', object: tag(`object ${ROOT_OID}\ntag v1\n`), code: 'tag_invalid' },
    { name: 'a tag of nothing', object: tag('type commit\n'), code: 'tag_invalid' },
    {
      name: 'a tag whose object is called something else',
      object: tag(`objecx ${ROOT_OID}\ntype commit\n`),
      code: 'tag_invalid',
    },
    {
      name: 'half a tree',
      object: { type: 2, data: tree({ name: 'a' }).data.subarray(0, 20) },
      code: 'tree_invalid',
      reason: 'it ends inside an entry',
    },
  ]
  for (const { name, object, code, reason = needs } of rows) {
    test(name, () => {
      const what = code.replace('_', ' is ')
      assert.throws(
        () => forEachLink(object.type, object.data, () => {}),
        (error) => {
          assert.ok(error instanceof ObjectError)
          assert.deepEqual(error.detail, { code, reason })
          assert.equal(error.message, `A ${what}: ${reason}`)
          return true
        },
      )
    })
  }
})

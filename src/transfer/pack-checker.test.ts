import { spawnSync } from 'node:child_process'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { Git, temporaryFolder } from '../../integration/support/git.ts'
import { blob, commit, type MadeObject, makeObject, tag, tree } from '../../integration/support/pack-maker.ts'
import { OBJECT_TYPE } from '../git/object/type.ts'
import { EntryTable } from '../git/pack/entry-table.ts'
import { ObjectStore } from '../storage/objects/object-store.ts'
import { PackChecker } from './pack-checker.ts'

const folder = temporaryFolder('pack-checker')
const repository = join(folder.path, 'r.git')
const stored = [blob('stored'), blob('too')]
let store: ObjectStore

beforeAll(async () => {
  await new Git(folder.path).run('init', '--quiet', '--bare', repository)
  for (const { data } of stored) spawnSync('git', ['hash-object', '-w', '--stdin'], { cwd: repository, input: data })
  store = new ObjectStore(repository, 2 ** 20)
})
afterAll(() => {
  store.close()
  folder[Symbol.dispose]()
})

/** Gives the objects as a pack of so many would. */
function check(objects: readonly MadeObject[], declared = objects.length) {
  const entries = new EntryTable()
  const checker = new PackChecker(store)
  checker.expect(declared, entries)
  for (const { type, data, oid } of objects) {
    const entry = entries.add(12, OBJECT_TYPE[type], 1, data.length)
    const name = entries.name(entry, OBJECT_TYPE[type], Buffer.from(oid, 'hex'))
    checker.add(OBJECT_TYPE[type], data, entries.oids, name * 20)
  }
  const read = (oid: Buffer) => {
    const found = objects.find((one) => one.oid === oid.toString('hex'))
    return found === undefined ? store.read(oid) : { type: OBJECT_TYPE[found.type], data: found.data }
  }
  return checker.finish(read)
}
const detail = (code: string): unknown => expect.objectContaining({ detail: expect.objectContaining({ code }) })

const [here, too] = stored as [MadeObject, MadeObject]
const file = blob('new')
const root = tree(['100644', 'a', file.oid], ['100644', 'b', here.oid])
const missing = 'ab'.repeat(20)

describe('what a pack may be', () => {
  it('counts what was not here before', () => {
    const change = commit(root.oid)
    expect(check([file, root, change, tag(change.oid, 'commit'), here])).toEqual({
      commits: 1,
      trees: 1,
      blobs: 1,
      tags: 1,
    })
  })

  it('is complete with what is here, and with what comes later in it', () => {
    expect(check([commit(root.oid), root, file])).toMatchObject({ commits: 1 })
    expect(check([tree(['100644', 'a', here.oid], ['160000', 'module', missing])])).toMatchObject({ trees: 1 })
  })

  it.each([
    { name: 'a file that is nowhere', objects: [tree(['100644', 'a', missing])], declared: 5, code: 'object_missing' },
    {
      name: 'a parent that is nowhere',
      objects: [file, root, commit(root.oid, [missing])],
      declared: 5,
      code: 'object_missing',
    },
    { name: 'a tag of nothing', objects: [tag(missing, 'commit')], declared: 5, code: 'object_missing' },
    {
      name: 'a blob as a folder',
      objects: [tree(['40000', 'a', here.oid])],
      declared: 5,
      code: 'object_type_conflict',
    },
    { name: 'a blob as a commit', objects: [tag(here.oid, 'commit')], declared: 5, code: 'object_type_conflict' },
    { name: 'a commit whose tree is a blob', objects: [commit(here.oid)], declared: 5, code: 'object_type_conflict' },
    {
      name: 'one name as two types',
      objects: [tree(['100644', 'a', missing], ['40000', 'b', missing])],
      declared: 5,
      code: 'object_type_conflict',
    },
    {
      name: 'other bytes for a name that is here',
      objects: [{ ...blob('evil'), oid: here.oid }],
      declared: 5,
      code: 'object_collision',
    },
    {
      name: 'another type for a name that is here',
      objects: [{ ...makeObject('tree', here.data), oid: here.oid }],
      declared: 5,
      code: 'object_collision',
    },
  ])('is not one with $name', ({ objects, declared, code }) => {
    expect(() => check(objects, declared)).toThrow(detail(code))
  })
})

describe('names', () => {
  const naming = (count: number): MadeObject =>
    tree(
      ...Array.from({ length: count }, (_, at): [string, string, string] => [
        '100644',
        `f${String(at).padStart(5, '0')}`,
        at === 0 ? here.oid : at === 1 ? too.oid : blob(String(at)).oid,
      ]),
    )
  const files = (count: number): MadeObject[] => Array.from({ length: count - 2 }, (_, at) => blob(String(at + 2)))

  it('may be as many as there are objects in the pack and here', () => {
    // 99 blobs and a tree in the pack, and two blobs here.
    expect(check([naming(101), ...files(101)])).toMatchObject({ blobs: 99 })
  })

  it('are not kept when they are more', () => {
    expect(() => check([naming(103)], 100)).toThrow(
      expect.objectContaining({ detail: { code: 'names_over_limit', limitNames: 102 } }),
    )
    expect(() => check([naming(101)], 100)).toThrow(detail('object_missing'))
  })
})

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
const large = blob(Buffer.alloc(123_456, 'large'))
const stored = [blob('stored'), blob('too'), large]
let store: ObjectStore

beforeAll(async () => {
  await new Git(folder.path).run('init', '--quiet', '--bare', repository)
  for (const { data } of stored) spawnSync('git', ['hash-object', '-w', '--stdin'], { cwd: repository, input: data })
  store = ObjectStore.open(repository, 2 ** 20)
})
afterAll(() => {
  store.close()
  folder[Symbol.dispose]()
})

const LARGE_BYTES = 100_000
function inPieces(data: Buffer, visit: (piece: Buffer) => void): void {
  for (let at = 0; at < data.length; at += 30_000) visit(Buffer.from(data.subarray(at, at + 30_000)))
}

/** Gives the objects as a pack of so many would. */
function check(objects: readonly MadeObject[], declared = objects.length) {
  const entries = new EntryTable()
  const checker = new PackChecker(store)
  checker.expect(declared, entries)
  for (const { type, data, oid } of objects) {
    const entry = entries.add(12, OBJECT_TYPE[type], 1, data.length)
    const name = entries.name(entry, OBJECT_TYPE[type], Buffer.from(oid, 'hex'))
    if (data.length < LARGE_BYTES) checker.add(OBJECT_TYPE[type], data, entries.oids, name * 20)
    else checker.addLargeBlob(data.length, entries.oids, name * 20, (visit) => inPieces(data, visit))
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

describe('a large blob', () => {
  const other = Buffer.from(large.data)
  other.writeUInt8(other.readUInt8(100_000) ^ 1, 100_000)
  const lines = (bytes: number): MadeObject => blob(Buffer.alloc(bytes, 'a line of attributes\n'))
  const named = (name: string, { oid }: MadeObject): MadeObject => tree(['100644', name, oid])

  it('is new, or what is here', () => {
    expect(check([large, lines(LARGE_BYTES)])).toMatchObject({ blobs: 1 })
  })

  it.each([
    { name: 'other bytes', made: { ...blob(other), oid: large.oid } },
    { name: 'more bytes', made: { ...blob(Buffer.alloc(123_457, 'large')), oid: large.oid } },
    { name: 'a name that something small has', made: { ...lines(LARGE_BYTES), oid: here.oid } },
  ])('is refused with $name', ({ made }) => {
    expect(() => check([made])).toThrow(detail('object_collision'))
  })

  it.each([
    { name: 'new', file: blob(Buffer.alloc(LARGE_BYTES, 'x')) },
    { name: 'here', file: large },
  ])('is read where a tree says that git would read it: $name', ({ file: wrong }) => {
    expect(() => check([named('.gitattributes', wrong), wrong])).toThrow(detail('object_refused'))
    expect(() => check([wrong, named('.gitattributes', wrong)])).toThrow(detail('object_refused'))
    expect(check([named('any', wrong), wrong])).toMatchObject({ trees: 1 })
    const fine = lines(LARGE_BYTES)
    expect(check([named('.gitattributes', fine), fine])).toMatchObject({ blobs: 1 })
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
    // 99 blobs and a tree in the pack, and three blobs here, one of which nobody names.
    expect(check([naming(101), ...files(101)])).toMatchObject({ blobs: 99 })
  })

  it('are not kept when they are more', () => {
    expect(() => check([naming(104)], 100)).toThrow(
      expect.objectContaining({ detail: { code: 'names_over_limit', limitNames: 103 } }),
    )
    expect(() => check([naming(101)], 100)).toThrow(detail('object_missing'))
  })
})

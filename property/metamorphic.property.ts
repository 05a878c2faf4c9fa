/** What may be changed without anybody seeing it: how objects lie, in which order they come, what is asked for twice. */
import assert from 'node:assert/strict'
import { mkdirSync, mkdtempSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import { fc } from '@fast-check/vitest'
import { afterAll } from 'vitest'
import { readPack } from '../fuzz/oracles/packs.ts'
import { blob, commit, delta, type MadeObject, pack, refDelta, tree, whole } from '../integration/support/pack-maker.ts'
import type { SizedObjectReader } from '../src/git/object-graph/object-reader.ts'
import { selectObjects } from '../src/git/object-graph/select.ts'
import { OBJECT_TYPE } from '../src/git/object/type.ts'
import { ObjectStore } from '../src/storage/objects/object-store.ts'
import { writePackOf } from '../src/transfer/maintenance/testing.ts'
import { readerOf } from '../src/transfer/workers/open-stores.ts'
import { memoryFolder } from './memory-folder.ts'
import { namesOf } from './names-of.ts'
import { prop } from './prop.ts'

const folder = memoryFolder('metamorphic')
afterAll(() => folder[Symbol.dispose]())

interface Graph {
  /** In the order in which they were made. */
  readonly commits: readonly MadeObject[]
  readonly parents: readonly (readonly number[])[]
  /** Each once. */
  readonly objects: readonly MadeObject[]
}

/** Few texts, so that commits share blobs and trees. */
const graph: fc.Arbitrary<Graph> = fc
  .array(
    fc.record({
      texts: fc.array(fc.nat(4), { maxLength: 3 }),
      back: fc.uniqueArray(fc.integer({ min: 1, max: 4 }), { maxLength: 2 }),
    }),
    {
      minLength: 1,
      maxLength: 8,
    },
  )
  .map((plans) => {
    const commits: MadeObject[] = []
    const parents = plans.map(({ back }, at) => back.map((one) => at - one).filter((one) => one >= 0))
    const objects = new Map<string, MadeObject>()
    for (const [at, { texts }] of plans.entries()) {
      const files = texts.map((text) => blob(`text ${text}\n`.repeat(9)))
      const inner = tree(...files.map(({ oid }, place) => ['100644', `f${place}`, oid] as const))
      const root = tree(['40000', 'folder', inner.oid])
      const made = commit(
        root.oid,
        (parents[at] ?? []).map((one) => commits[one]?.oid ?? ''),
        `${at}\n`,
      )
      commits.push(made)
      for (const one of [...files, inner, root, made]) objects.set(one.oid, one)
    }
    return { commits, parents, objects: [...objects.values()] }
  })

/** Works on a repository in which each object lies in the packs that `places` say. */
function inPacks<T>({ objects }: Graph, places: readonly (readonly number[])[], work: (store: ObjectStore) => T): T {
  const path = mkdtempSync(join(folder.path, 'repository-'))
  try {
    mkdirSync(join(path, 'objects/pack'), { recursive: true })
    const packs = new Map<number, MadeObject[]>()
    for (const [at, one] of objects.entries()) {
      for (const place of new Set(places[at % places.length])) packs.set(place, [...(packs.get(place) ?? []), one])
    }
    for (const inOne of packs.values()) writePackOf(path, inOne)
    const store = ObjectStore.open(path, 2 ** 20)
    try {
      return work(store)
    } finally {
      store.close()
    }
  } finally {
    rmSync(path, { recursive: true })
  }
}

function reached({ parents }: Graph, from: readonly number[]): ReadonlySet<number> {
  const found = new Set(from)
  for (const one of found) for (const parent of parents[one] ?? []) found.add(parent)
  return found
}

type Ask = (wants: readonly number[], haves: readonly number[]) => string[]

function select({ commits }: Graph, reader: SizedObjectReader, wants: readonly number[], haves: readonly number[]) {
  const oids = (all: readonly number[]): Buffer[] => all.map((one) => Buffer.from(commits[one]?.oid ?? '', 'hex'))
  return selectObjects(reader, { wants: oids(wants), haves: oids(haves) })
}

/** Names, sorted; each is there once. */
function sorted(names: readonly string[]): string[] {
  assert.equal(new Set(names).size, names.length)
  return names.toSorted()
}

const fromStore =
  (made: Graph, store: ObjectStore): Ask =>
  (wants, haves) =>
    sorted(namesOf(store, select(made, readerOf(store), wants, haves)))

/** Without a disk: where objects lie has a property of its own. */
function fromMemory(made: Graph): Ask {
  const objects = new Map(made.objects.map((one) => [one.oid, one]))
  const find = (oid: Buffer, at: number): MadeObject => {
    const found = objects.get(oid.toString('hex', at, at + 20))
    assert.ok(found !== undefined, 'something was looked for that nothing names')
    return found
  }
  const reader: SizedObjectReader = {
    read: (oid, at) => ({ type: OBJECT_TYPE[find(oid, at).type], data: find(oid, at).data }),
    sizeOf: (oid, at) => find(oid, at).data.length,
  }
  return (wants, haves) => {
    const { oids, count } = select(made, reader, wants, haves)
    return sorted(Array.from({ length: count }, (_, at) => oids.toString('hex', at * 20, at * 20 + 20)))
  }
}

const some = fc.array(fc.nat(7), { maxLength: 3 })
const places = fc.array(fc.array(fc.nat(3), { minLength: 1, maxLength: 2 }), { minLength: 1, maxLength: 6 })
const numbersIn = ({ commits }: Graph, numbers: readonly number[]): number[] =>
  numbers.map((one) => one % commits.length)

prop([graph, some, some, places])('what is sent is the same in whatever packs it lies', (made, wants, haves, lie) => {
  const [wanted, had] = [numbersIn(made, [0, ...wants]), numbersIn(made, haves)]
  const inOne = fromMemory(made)(wanted, had)
  assert.deepEqual(
    inPacks(made, lie, (store) => fromStore(made, store)(wanted, had)),
    inOne,
  )
})

prop([graph, some, some, some])(
  'wants that others reach, wants and haves said again and in another order change nothing of what is sent',
  (made, wants, haves, more) => {
    const [wanted, had] = [numbersIn(made, [7, ...wants]), numbersIn(made, haves)]
    const below = [...reached(made, wanted)]
    const extra = more.map((one) => below[one % below.length] ?? 0)
    const known = [...reached(made, had)]
    const moreHaves = known.length === 0 ? [] : more.map((one) => known[one % known.length] ?? 0)
    const sent = fromMemory(made)
    const plain = sent(wanted, had)
    assert.deepEqual(sent([...extra, ...wanted.toReversed(), ...wanted], had), plain)
    assert.deepEqual(sent(wanted, [...had.toReversed(), ...moreHaves]), plain)
    assert.deepEqual(sent(extra, wanted), [], 'whoever has it all gets nothing')
  },
)

prop([graph, some, some])('who is sent something, and has it then, lacks nothing of it', (made, wants, haves) => {
  const [wanted, had] = [numbersIn(made, [7, ...wants]), numbersIn(made, haves)]
  const sent = fromMemory(made)
  // Some may come twice: a file that is as it was long ago is not looked for.
  assert.deepEqual(new Set([...sent(had, []), ...sent(wanted, had)]), new Set(sent([...wanted, ...had], [])))
})

/** Texts of which each after the first may be a delta of any other one. */
const texts = fc.uniqueArray(fc.string({ minLength: 1, maxLength: 30 }), { minLength: 1, maxLength: 8 })

prop([
  texts,
  fc.array(fc.option(fc.nat(7), { nil: undefined }), { minLength: 8, maxLength: 8 }),
  fc.infiniteStream(fc.nat()),
])('a pack holds the same in whatever order its entries come, whole or as deltas', (all, bases, draws) => {
  const objects = all.map((text) => blob(text))
  const entries = objects.map((object, at) => {
    const base = objects[(bases[at] ?? 0) % Math.max(1, at)]
    if (bases[at] === undefined || at === 0 || base === undefined) return whole(object)
    return refDelta(base.oid, delta(base.data.length, object.data))
  })
  const shuffled = entries
    .map((entry) => ({ entry, key: draws.next().value ?? 0 }))
    .sort((a, b) => a.key - b.key)
    .map(({ entry }) => entry)
  const contents = (bytes: Buffer): Map<string, string> =>
    new Map(Array.from(readPack(bytes).objects, ([oid, { data }]) => [oid, data.toString()] as const).sort())
  const expected = new Map(objects.map(({ oid, data }) => [oid, data.toString()] as const).sort())
  assert.deepEqual(contents(pack(entries)), expected)
  assert.deepEqual(contents(pack(shuffled)), expected)
})

/** Commit-graphs and bitmaps: what C git reads of ours, and we of C git's, is what is there. */
import assert from 'node:assert/strict'
import { createHash } from 'node:crypto'
import { cpSync, mkdirSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { fc } from '@fast-check/vitest'
import { afterAll, beforeAll } from 'vitest'
import { numbersOf } from '../fuzz/oracles/numbers-of.ts'
import { temporaryFolder } from '../integration/support/git.ts'
import { BitSet } from '../src/git/bitmap/bit-set.ts'
import { BitmapFile, BitmapWriter } from '../src/git/bitmap/bitmap-file.ts'
import { BitmapError } from '../src/git/bitmap/error.ts'
import { CommitGraph } from '../src/git/commit-graph/commit-graph.ts'
import { CommitGraphError } from '../src/git/commit-graph/error.ts'
import { encodeCommitGraph } from '../src/git/commit-graph/encode.ts'
import { NO_FILTER } from '../src/git/object-graph/filter.ts'
import { fromHex, readCommit } from '../src/git/object-graph/object-reader.ts'
import { selectObjects } from '../src/git/object-graph/select.ts'
import { ObjectStore } from '../src/storage/objects/object-store.ts'
import { makeHelps } from '../src/transfer/workers/helps-task.ts'
import { readerOf } from '../src/transfer/workers/open-stores.ts'
import { type Commit, history, type Made, makeHistory, run } from './histories.ts'
import { namesOf } from './names-of.ts'
import { prop } from './prop.ts'

const folder = temporaryFolder('walk-helps')
beforeAll(() => {
  run(folder.path, ['init', '--quiet', '--bare', 'empty.git'])
})
afterAll(() => folder[Symbol.dispose]())

interface Place {
  readonly path: string
  readonly made: Made
}

/** In a repository with that history in one pack, and maybe more of it in another. */
function inHistory(commits: readonly Commit[], later: readonly Commit[], work: (place: Place) => void): void {
  const path = mkdtempSync(join(folder.path, 'repository-'))
  cpSync(join(folder.path, 'empty.git'), path, { recursive: true })
  try {
    let made = makeHistory(path, commits)
    run(path, ['repack', '-adfq', '--window=20'])
    if (later.length > 0) {
      made = makeHistory(path, [...commits, ...later])
      run(path, ['repack', '-dq'])
    }
    work({ path, made })
  } finally {
    rmSync(path, { recursive: true })
  }
}

const tipsOf = ({ commits, tags }: Made): Buffer[] => [...commits, ...tags.keys()].map(fromHex)

/** Ours, where C git finds them. */
function writeHelps({ path, made }: Place): void {
  const store = ObjectStore.open(path, 2 ** 20)
  const { graph, bitmap } = makeHelps(store, tipsOf(made), { graph: true, bitmap: true })
  store.close()
  assert.ok(graph !== undefined)
  mkdirSync(join(path, 'objects/info'), { recursive: true })
  writeFileSync(join(path, 'objects/info/commit-graph'), graph)
  if (bitmap !== undefined) writeFileSync(join(path, `objects/pack/${bitmap.packName}.bitmap`), bitmap.bytes)
}

const parts = [history('right'), fc.oneof(fc.constant([]), history('wrong'))] as const

prop([...parts], { numRuns: 8 })('C git verifies our commit-graphs, and we read its own', (commits, later) =>
  inHistory(commits, later, (place) => {
    writeHelps(place)
    run(place.path, ['commit-graph', 'verify'])
    const ours = readAll(place)
    rmSync(join(place.path, 'objects/info/commit-graph'))
    assert.deepEqual(readAll(place), ours)
    run(place.path, ['commit-graph', 'write', '--reachable', '--no-progress'])
    assert.deepEqual(readAll(place), ours)
  }),
)

/** All commits as a walk sees them. */
function readAll({ path, made }: Place): unknown[] {
  const store = ObjectStore.open(path, 2 ** 20)
  const nodes = made.commits.map((oid) => {
    const { tree, parents, committerTimeS } = readCommit(readerOf(store), fromHex(oid))
    return [tree.toString('hex'), parents.map((parent) => parent.toString('hex')), committerTimeS]
  })
  store.close()
  return nodes
}

prop([...parts, fc.array(fc.nat(1_000), { minLength: 1, maxLength: 3 })], { numRuns: 8 })(
  'C git finds by our bitmaps what it finds without, and so do we by its own',
  (commits, later, places) =>
    inHistory(commits, later, (place) => {
      const { path, made } = place
      const all = [...made.commits, ...made.tags.keys()]
      const wants = places.map((at) => all[at % all.length] ?? '')
      const listed = run(path, ['rev-list', '--objects', '--no-object-names', ...wants])
        .toString()
        .trim()
        .split('\n')
        .sort()
      writeHelps(place)
      // The newest commit of the pack has bits, which C git compares with a walk.
      if (later.length === 0) run(path, ['rev-list', '--test-bitmap', made.commits.at(-1) ?? ''])
      const byBitmap = ['rev-list', '--use-bitmap-index', '--objects', '--no-object-names', ...wants]
      assert.deepEqual(run(path, byBitmap).toString().trim().split('\n').sort(), listed)
      assert.deepEqual(selected(path, wants), listed)
      for (const name of readdirSync(join(path, 'objects/pack'))) {
        if (name.endsWith('.bitmap')) rmSync(join(path, 'objects/pack', name))
      }
      run(path, ['repack', '-adbq'])
      assert.deepEqual(selected(path, wants), listed)
    }),
)

const someOf = fc.array(fc.nat(1_000), { minLength: 1, maxLength: 3 })

prop([...parts, someOf, someOf], { numRuns: 8 })(
  'of what is wanted, all that the receiver does not reach is chosen, and nothing else',
  (commits, later, wanted, had) =>
    inHistory(commits, later, (place) => {
      const { path, made } = place
      writeHelps(place)
      const wants = wanted.map((at) => made.commits[at % made.commits.length] ?? '')
      const all = [...made.commits, ...made.tags.keys()]
      const haves = had.map((at) => all[at % all.length] ?? '')
      const [reached, known] = [wants, haves].map((oids) => new Set(selected(path, oids)))
      const missing = new Set([...(reached ?? [])].filter((name) => known?.has(name) === false))
      assert.deepEqual(selected(path, wants, haves), [...missing])
      // The map says what a tag finally points to.
      for (const [tag, target] of made.tags) if (missing.has(target) && known?.has(tag) === false) missing.add(tag)
      assert.deepEqual(selected(path, wants, haves, [...made.tags.keys()]), [...missing].sort())
      const store = ObjectStore.open(path, 2 ** 20)
      const selecting = { wants: wants.map(fromHex), haves: haves.map(fromHex) }
      const { isKnown } = selectObjects(readerOf(store), selecting)
      store.close()
      for (const name of reached ?? []) assert.equal(isKnown(fromHex(name), 0), known?.has(name), name)
    }),
)

function selected(
  path: string,
  wants: readonly string[],
  haves: readonly string[] = [],
  tags: readonly string[] = [],
): string[] {
  const store = ObjectStore.open(path, 2 ** 20)
  assert.ok(store.bitmap !== undefined)
  const [wanted, had, annotatedTags] = [wants.map(fromHex), haves.map(fromHex), tags.map(fromHex)] as const
  const selecting = { wants: wanted, haves: had, annotatedTags, filter: NO_FILTER }
  const names = namesOf(store, selectObjects(readerOf(store), selecting)).sort()
  store.close()
  return names
}

/** As damaged as can be without its checksum telling. */
const damage = fc.array(fc.tuple(fc.nat(10_000), fc.nat(255)), { minLength: 1, maxLength: 3 })

function damaged(file: Buffer, changes: readonly (readonly [at: number, byte: number])[]): Buffer {
  const content = Buffer.from(file.subarray(0, -20))
  for (const [at, byte] of changes) content[at % content.length] = byte
  return Buffer.concat([content, createHash('sha1').update(content).digest()])
}

const COMMITS = 6
const oids = Buffer.from(Array.from({ length: COMMITS * 20 }, (_, at) => (at * 151 + 7) % 256))
const parents = [[1, 2, 3], [2], [4], [5, 4], [], []]
const graphFile = encodeCommitGraph({ count: COMMITS, oids, trees: oids, parents, timesS: new Float64Array(COMMITS) })

prop([damage])('a commit-graph whose bytes were changed is read within its bounds, or refused', (changes) => {
  try {
    const graph = new CommitGraph(damaged(graphFile, changes))
    for (let rank = 0; rank < graph.count; rank++) {
      for (const parent of graph.parentsOf(rank)) assert.equal(graph.treeOf(parent).length, 20)
      assert.ok(graph.timeSOf(rank) >= 0)
    }
    for (let at = 0; at < COMMITS; at++) assert.ok(graph.names.rankOf(oids, at * 20) < graph.count)
  } catch (error) {
    assert.ok(error instanceof CommitGraphError)
  }
})

const mark = { objects: 200, checksum: oids.subarray(0, 20) }
const bits = (step: number): BitSet => {
  const set = new BitSet(mark.objects)
  for (let number = 0; number < mark.objects; number += step) set.add(number)
  return set
}
const writer = new BitmapWriter(mark, { commits: bits(2), trees: bits(3), blobs: bits(5), tags: bits(199) })
for (const [rank, step] of [1, 1, 2, 3, 1, 70].entries()) writer.add(rank, bits(step))
const bitmapFile = writer.finish()

prop([damage])('a bitmap file whose bytes were changed is read within its bounds, or refused', (changes) => {
  try {
    const file = new BitmapFile(damaged(bitmapFile, changes), mark)
    for (let rank = 0; rank < mark.objects; rank++) {
      assert.ok(numbersOf(file.reachedFrom(rank) ?? new BitSet(0)).every((number) => number < mark.objects))
    }
    assert.ok(numbersOf(file.types.blobs).every((number) => number < mark.objects))
  } catch (error) {
    assert.ok(error instanceof BitmapError)
  }
})

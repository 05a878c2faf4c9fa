/** Files beside a pack, read as they were written, and one byte of whose frame is another. */
import assert from 'node:assert/strict'
import { fc } from '@fast-check/vitest'
import { CommitGraph } from '../src/git/commit-graph/commit-graph.ts'
import { encodeCommitGraph } from '../src/git/commit-graph/encode.ts'
import { CommitGraphError } from '../src/git/commit-graph/error.ts'
import { PackError } from '../src/git/pack/error.ts'
import { encodePackIndex, PackIndex } from '../src/git/pack/index-file.ts'
import { decodeMtimes, encodeMtimes } from '../src/git/pack/mtimes-file.ts'
import { oidHex } from './arbitraries.ts'
import { prop } from './prop.ts'

const checksum = Buffer.alloc(20, 7)
const oids = fc.uniqueArray(oidHex, { maxLength: 20 })
const flip = fc.integer({ min: 1, max: 255 })

/** @returns the same with one other byte */
function changed(bytes: Buffer, place: number, by: number): Buffer {
  const other = Buffer.from(bytes)
  const at = place % other.length
  other[at] = (other[at] ?? 0) ^ by
  return other
}

const times = fc.array(fc.nat(2 ** 32 - 1), { maxLength: 30 })

prop([times, fc.nat(), flip])(
  'times of objects are read as they were written, and refused with one other byte',
  (all, place, by) => {
    const timesS = Uint32Array.from(all)
    const mark = { objects: all.length, checksum }
    const bytes = encodeMtimes(timesS, checksum)
    assert.deepEqual(decodeMtimes(bytes, mark), timesS)
    assert.throws(() => decodeMtimes(changed(bytes, place, by), mark), PackError)
    for (const cut of [bytes.subarray(1), bytes.subarray(0, -1), Buffer.concat([bytes, bytes.subarray(0, 4)])]) {
      assert.throws(() => decodeMtimes(cut, mark), PackError)
    }
  },
)

const graphed = fc
  .array(
    fc.record({
      back: fc.uniqueArray(fc.integer({ min: 1, max: 9 }), { maxLength: 5 }),
      timeS: fc.nat(2 ** 34 - 1),
      tree: oidHex,
    }),
    {
      maxLength: 20,
    },
  )
  .chain((commits) =>
    fc
      .uniqueArray(oidHex, { minLength: commits.length, maxLength: commits.length })
      .map((names) => ({ commits, names })),
  )

prop([graphed, fc.nat(), flip])(
  'a commit-graph is read as it was written, however many parents there are, and refused with one other byte',
  ({ commits, names }, place, by) => {
    const parents = commits.map(({ back }, at) => back.map((one) => at - one).filter((one) => one >= 0))
    const bytes = encodeCommitGraph({
      count: commits.length,
      oids: Buffer.from(names.join(''), 'hex'),
      trees: Buffer.from(commits.map(({ tree }) => tree).join(''), 'hex'),
      parents,
      timesS: Float64Array.from(commits, ({ timeS }) => timeS),
    })
    const read = new CommitGraph(bytes)
    assert.equal(read.count, commits.length)
    const rankOf = (oid: string): number => read.names.rankOf(Buffer.from(oid, 'hex'), 0)
    for (const [at, { tree, timeS }] of commits.entries()) {
      const rank = rankOf(names[at] ?? '')
      assert.equal(read.treeOf(rank).toString('hex'), tree)
      assert.equal(read.timeSOf(rank), timeS)
      const ranks = (parents[at] ?? []).map((one) => rankOf(names[one] ?? ''))
      assert.deepEqual(read.parentsOf(rank), ranks)
      for (const parent of ranks) assert.ok(read.levelOf(rank) > read.levelOf(parent))
    }
    assert.throws(() => new CommitGraph(changed(bytes, place, by)), CommitGraphError)
  },
)

const places = fc.infiniteStream(fc.oneof(fc.nat(2 ** 31 - 1), fc.integer({ min: 2 ** 31, max: 2 ** 40 })))

prop([oids, places, fc.nat(), flip])(
  'an index with one other byte is refused, or says something else, or the byte is none that it reads',
  (names, offsets, place, by) => {
    const bytes = encodePackIndex(
      {
        count: names.length,
        oids: Buffer.from(names.join(''), 'hex'),
        names: Int32Array.from(names.keys()),
        crcs: Uint32Array.from(names, () => 0),
        offsets: Float64Array.from(names, () => offsets.next().value ?? 0),
      },
      checksum,
    ).bytes
    const read = (file: Buffer): unknown => {
      const index = new PackIndex(file)
      const ranks = Array.from({ length: index.count }, (_, rank) => rank)
      return [
        ranks.map((rank) => [
          index.oidAt(rank),
          index.offsetOf(rank),
          index.rankOf(Buffer.from(index.oidAt(rank), 'hex')),
        ]),
        index.packChecksum,
      ]
    }
    const before = read(bytes)
    const at = place % bytes.length
    let after: unknown
    try {
      after = read(changed(bytes, at, by))
    } catch (error) {
      assert.ok(error instanceof PackError, String(error))
      return
    }
    // Checksums of entries, and its own, are there for git's fsck: `guts repo fsck` reads the objects themselves.
    const crcsAt = 8 + 1_024 + names.length * 20
    const isUnread = (at >= crcsAt && at < crcsAt + names.length * 4) || at >= bytes.length - 20
    if (isUnread) assert.deepEqual(after, before)
    else assert.notDeepEqual(after, before)
  },
)

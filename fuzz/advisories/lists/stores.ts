/** Indexes, bitmaps, commit-graphs: files that lie beside a pack, and that another program may have written. */
import { encodeEwah } from '../../../src/git/bitmap/ewah.ts'
import { BitSet } from '../../../src/git/bitmap/bit-set.ts'
import { encodeCommitGraph } from '../../../src/git/commit-graph/encode.ts'
import { CHUNK, GRAPH } from '../../../src/git/commit-graph/commit-graph.ts'
import { type Advisory, all } from '../advisory.ts'
import { hex, packIndex } from '../makers.ts'

const NAMES = ['00'.repeat(20), '11'.repeat(20), 'ff'.repeat(20)] as const
const LONG = 0x80000000

/** Of 40 bits. */
const EMPTY_SET = encodeEwah(new BitSet(40, new Uint32Array(2)))
const bitmapHead = (flags: string, entries: string) => hex(`28 4249544d 0001 ${flags} ${entries} ${'ab'.repeat(20)}`)

/** Three commits, of which the last has two parents, without the checksum. */
function graph(change: (bytes: Buffer, commitsAt: number) => void = () => {}): Buffer {
  const oids = Buffer.concat(NAMES.map((name) => Buffer.from(name, 'hex')))
  const parents = [[], [0], [0, 1]]
  const bytes = encodeCommitGraph({ count: 3, oids, trees: oids, parents, timesS: Float64Array.of(1, 2, 3) })
  change(bytes, bytes.length - 20 - 3 * GRAPH.commitBytes)
  return bytes.subarray(0, -20)
}

/** @returns where the row of a chunk begins in the table */
const rowOf = (bytes: Buffer, id: number): number =>
  [0, 1, 2].map((row) => GRAPH.headerBytes + row * GRAPH.chunkRowBytes).find((at) => bytes.readUInt32BE(at) === id) ?? 0

export const STORES: readonly Advisory[] = [
  {
    name: 'src-d/go-git#502',
    of: ['go-git'],
    defect: 'offsets beyond 2 GiB were written without the table for them, and other gits found no object there',
    inputs: all('packIndex', 'accepted', {
      'an offset of 5 GiB': () => packIndex(NAMES, [12, LONG, 40], [5n * 2n ** 30n]),
    }),
  },
  {
    name: 'git t5313',
    of: ['git'],
    defect: 'offsets of an index led out of its table of long offsets, or out of its mapping',
    inputs: all('packIndex', 'index_invalid', {
      'a long offset, and no table': () => packIndex(NAMES, [12, LONG, 40]),
      'behind the table': () => packIndex(NAMES, [12, LONG + 1, 40], [1n]),
      'far behind the table': () => packIndex(NAMES, [12, 0xffffffff, 40], [1n]),
    }),
  },
  {
    name: 'go-git/go-git#2119',
    of: ['go-git'],
    defect: 'memory for as many objects as an index claims was asked for, whatever the length of the file',
    inputs: all('packIndex', 'index_invalid', {
      'four thousand million objects': () => packIndex(NAMES, [12, 30, 40], [], 0xffffffff),
      'one object more than there are': () => packIndex(NAMES, [12, 30, 40], [], 4),
      'a fan-out that falls': () => {
        const bytes = packIndex(NAMES, [12, 30, 40])
        bytes.writeUInt32BE(7, 8 + 4 * 0x20)
        return bytes
      },
    }),
  },
  {
    name: 'jelmer/dulwich#2289',
    of: ['dulwich'],
    defect: 'a run of a bit set that claims thousands of millions of bits was put into a set bit by bit',
    inputs: all('ewah', 'bitmap_invalid', {
      'a run of 2^32 - 1 words': () => hex('0028 00000028 00000001 00000001 ffffffff 00000000'),
      'one word more than there are bits': () => hex('0028 00000080 00000001 00000000 00000005 00000000'),
    }),
  },
  {
    name: 'git 9d2e330b17',
    of: ['git'],
    defect: 'the lengths in a bit set were believed, and read beyond the mapping of the file',
    inputs: all('ewah', 'bitmap_invalid', {
      'more words than the file has': () => hex('0028 00000028 00000100 00000000 00000000 00000000'),
      'more literals than the set has': () => hex('0028 00000028 00000001 00000004 00000000 00000000'),
      'cut off within its head': () => hex('0028 000000'),
      'no place of its last run': () => hex('0028 00000028 00000001 00000000 00000002'),
    }),
  },
  {
    name: 'git ec6c7b4367',
    of: ['git'],
    defect: 'the length of a table of hashes that a bitmap file claims to have was taken off a length that is shorter',
    inputs: all('bitmap', 'bitmap_invalid', {
      'a table, and no bytes for it': () => Buffer.concat([bitmapHead('0005', '00000000')]),
      'a set that is cut off': () => Buffer.concat([bitmapHead('0001', '00000000'), EMPTY_SET.subarray(0, 9)]),
      'entries that are not there': () =>
        Buffer.concat([bitmapHead('0001', 'ffffffff'), EMPTY_SET, EMPTY_SET, EMPTY_SET, EMPTY_SET]),
    }),
  },
  {
    name: 'git t5318',
    of: ['git'],
    defect: 'chunks, parents and lists of parents of a commit-graph led out of it',
    inputs: {
      ...all('commitGraph', 'accepted', { 'as it should be': () => graph() }),
      ...all('commitGraph', 'commit_graph_invalid', {
        'a parent that is not there': () => graph((bytes, at) => bytes.writeUInt32BE(3, at + 36 + 20)),
        'a list of parents, and no chunk for it': () => graph((bytes, at) => bytes.writeUInt32BE(LONG, at + 36 + 24)),
        'a chunk behind the end': () => graph((bytes) => bytes.writeUInt32BE(0xffff, rowOf(bytes, CHUNK.commits) + 8)),
        'a chunk that is missing': () => graph((bytes) => bytes.writeUInt32BE(0x58585858, rowOf(bytes, CHUNK.names))),
        'more chunks than there is room for': () => graph((bytes) => bytes.writeUInt8(255, 6)),
        'a fan-out that falls': () =>
          graph((bytes) => bytes.writeUInt32BE(9, bytes.readUInt32BE(rowOf(bytes, CHUNK.fanout) + 8))),
      }),
    },
  },
]

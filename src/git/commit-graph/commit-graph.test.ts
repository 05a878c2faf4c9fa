import { createHash } from 'node:crypto'
import { describe, expect, it } from 'vitest'
import { CHUNK, CommitGraph } from './commit-graph.ts'

interface Row {
  readonly first?: number
  readonly second?: number
  readonly level?: number
  readonly timeS?: number
}

interface File {
  readonly rows?: readonly Row[]
  readonly edges?: readonly number[]
  /** Instead of what belongs there. */
  readonly chunks?: readonly (readonly [id: number, bytes: Buffer])[]
  readonly change?: (bytes: Buffer) => void
}

const NO_PARENT = 0x7000_0000
const LAST = 0x8000_0000
const nameOf = (rank: number): Buffer => Buffer.alloc(20, rank * 16)

function chunksOf(rows: readonly Row[], edges: readonly number[]): (readonly [id: number, bytes: Buffer])[] {
  const fanout = Buffer.alloc(1_024)
  for (let byte = 0; byte < 256; byte++) {
    fanout.writeUInt32BE(rows.filter((_, rank) => rank * 16 <= byte).length, byte * 4)
  }
  const commits = rows.map(({ first = NO_PARENT, second = NO_PARENT, level = 1, timeS = 0 }, rank) => {
    const bytes = Buffer.alloc(36, 0xa0 + rank)
    bytes.writeUInt32BE(first, 20)
    bytes.writeUInt32BE(second, 24)
    bytes.writeUInt32BE(level * 4 + Math.floor(timeS / 2 ** 32), 28)
    bytes.writeUInt32BE(timeS % 2 ** 32, 32)
    return bytes
  })
  const edgeBytes = Buffer.alloc(edges.length * 4)
  for (const [place, edge] of edges.entries()) edgeBytes.writeUInt32BE(edge, place * 4)
  return [
    [CHUNK.fanout, fanout],
    [CHUNK.names, Buffer.concat(rows.map((_, rank) => nameOf(rank)))],
    [CHUNK.commits, Buffer.concat(commits)],
    ...(edges.length > 0 ? [[CHUNK.edges, edgeBytes] as const] : []),
  ]
}

/** A commit-graph by gitformat-commit-graph, with its checksum. */
function graphFile({ rows = [], edges = [], chunks = chunksOf(rows, edges), change }: File): Buffer {
  const header = Buffer.from('CGPH\x01\x01\0\0', 'latin1')
  header[6] = chunks.length
  let at = 8 + 12 * (chunks.length + 1)
  const table = [...chunks, [0, Buffer.alloc(0)] as const].map(([id, bytes]) => {
    const row = Buffer.alloc(12)
    row.writeUInt32BE(id)
    row.writeBigUInt64BE(BigInt(at), 4)
    at += bytes.length
    return row
  })
  const content = Buffer.concat([header, ...table, ...chunks.map(([, bytes]) => bytes)])
  change?.(content)
  return Buffer.concat([content, createHash('sha1').update(content).digest()])
}

const graph = (file: File): CommitGraph => new CommitGraph(graphFile(file))

describe('CommitGraph', () => {
  const readable = () =>
    graph({
      rows: [
        {},
        { first: 0, level: 2, timeS: 1_700_000_000 },
        { first: 1, second: 0, level: 3, timeS: 2 ** 34 - 1 },
        { first: 2, second: LAST + 1, level: 0x3fff_ffff, timeS: 2 ** 32 },
        { first: 0, second: LAST, level: 3 },
      ],
      edges: [0, 1, LAST + 2],
    })

  it('reads parents, one, two and many', () => {
    const read = readable()
    expect([0, 1, 2, 3, 4].map((rank) => read.parentsOf(rank))).toEqual([[], [0], [1, 0], [2, 1, 2], [0, 0, 1, 2]])
  })

  it('reads times of 34 bits, and levels of 30', () => {
    const read = readable()
    expect([0, 1, 2, 3].map((rank) => read.timeSOf(rank))).toEqual([0, 1_700_000_000, 2 ** 34 - 1, 2 ** 32])
    expect([0, 1, 2, 3].map((rank) => read.levelOf(rank))).toEqual([1, 2, 3, 0x3fff_ffff])
  })

  it('reads names and trees', () => {
    const read = readable()
    expect(read.count).toBe(5)
    expect([0, 4].map((rank) => read.treeOf(rank))).toEqual([Buffer.alloc(20, 0xa0), Buffer.alloc(20, 0xa4)])
    expect([0, 3].map((rank) => read.names.rankOf(nameOf(rank)))).toEqual([0, 3])
    expect(read.names.rankOf(Buffer.alloc(20, 1))).toBe(-1)
  })

  it('reads a graph of no commits, and passes over chunks that it does not know', () => {
    const more = [[0x42494458, Buffer.from('unknown')], ...chunksOf([{}], [])] as const
    expect(graph({}).count).toBe(0)
    expect(graph({ chunks: more }).parentsOf(0)).toEqual([])
  })

  it.each([
    { name: 'a first parent', rows: [{ first: 1 }] },
    { name: 'a second parent', rows: [{ first: 0, second: 1 }] },
    { name: 'one of many', rows: [{ first: 0, second: LAST }], edges: [1, LAST] },
    { name: 'the last of many', rows: [{ first: 0, second: LAST }], edges: [LAST + 1] },
  ])('refuses $name that is not in it', ({ rows, edges = [] }) => {
    expect(() => graph({ rows, edges }).parentsOf(0)).toThrow('A commit-graph is invalid: a parent is not in it')
  })

  it.each([
    { name: 'no list of parents', second: LAST, edges: [] },
    { name: 'a list that begins behind the last', second: LAST + 1, edges: [LAST] },
    { name: 'a list that does not end', second: LAST, edges: [0, 0] },
  ])('refuses $name', ({ second, edges }) => {
    expect(() => graph({ rows: [{ first: 0, second }], edges }).parentsOf(0)).toThrow('its list of parents has no end')
  })

  const otherFanout = (change: (fanout: Buffer) => Buffer): NonNullable<File['chunks']> =>
    chunksOf([{}, {}], []).map(([id, bytes]) => [id, id === CHUNK.fanout ? change(bytes) : bytes] as const)
  const without = (gone: number): NonNullable<File['chunks']> => chunksOf([{}], []).filter(([id]) => id !== gone)
  const longer = (which: number): NonNullable<File['chunks']> =>
    chunksOf([{}], []).map(
      ([id, bytes]) => [id, id === which ? Buffer.concat([bytes, Buffer.alloc(1)]) : bytes] as const,
    )

  it.each<File & { readonly name: string; readonly reason: string }>([
    { name: 'other first letters', change: (bytes) => (bytes[0] = 0), reason: 'it is not of version 1 with SHA-1' },
    { name: 'another version', change: (bytes) => (bytes[4] = 2), reason: 'it is not of version 1 with SHA-1' },
    { name: 'another hash', change: (bytes) => (bytes[5] = 2), reason: 'it is not of version 1 with SHA-1' },
    { name: 'a part of a chain', change: (bytes) => (bytes[7] = 1), reason: 'it is a part of a chain' },
    {
      name: 'more chunks than it has room for',
      change: (bytes) => (bytes[6] = 255),
      reason: 'it ends within its table',
    },
    { name: 'no fan-out', chunks: without(CHUNK.fanout), reason: 'a chunk is missing' },
    { name: 'no names', chunks: without(CHUNK.names), reason: 'a chunk is missing' },
    { name: 'no commits', chunks: without(CHUNK.commits), reason: 'a chunk is missing' },
    {
      name: 'a fan-out that is too short',
      chunks: otherFanout((bytes) => bytes.subarray(4)),
      reason: 'its fan-out falls',
    },
    {
      name: 'a fan-out that falls',
      chunks: otherFanout((bytes) => {
        bytes.writeUInt32BE(1, 1_020)
        return bytes
      }),
      reason: 'its fan-out falls',
    },
    { name: 'names of other length', chunks: longer(CHUNK.names), reason: 'its chunks have different lengths' },
    { name: 'commits of other length', chunks: longer(CHUNK.commits), reason: 'its chunks have different lengths' },
    { name: 'a chunk within the table', change: (bytes) => (bytes[19] = 55), reason: 'a chunk lies beyond it' },
    {
      name: 'a chunk that begins behind the next',
      change: (bytes) => (bytes[18] = 5),
      reason: 'a chunk lies beyond it',
    },
    {
      name: 'a last chunk that goes beyond the end',
      change: (bytes) => bytes[55]!++,
      reason: 'a chunk lies beyond it',
    },
    { name: 'an offset of 64 bits', change: (bytes) => (bytes[12] = 0x80), reason: 'a chunk lies beyond it' },
  ])('refuses $name', ({ reason, name: _name, ...file }) => {
    expect(() => graph({ rows: [{}], ...file })).toThrow(
      expect.objectContaining({
        name: 'CommitGraphError',
        detail: { code: 'commit_graph_invalid', reason },
        message: `A commit-graph is invalid: ${reason}`,
      }),
    )
  })

  it('refuses what does not match its checksum', () => {
    const bytes = graphFile({ rows: [{}] })
    bytes[bytes.length - 1]! ^= 1
    expect(() => new CommitGraph(bytes)).toThrow('it does not match its checksum')
  })

  it.each([0, 19, 20, 39])('refuses %i bytes', (length) => {
    expect(() => new CommitGraph(Buffer.alloc(length))).toThrow('it is too short')
  })

  it('looks into the shortest file there may be, which has no chunks', () => {
    expect(() => graph({ chunks: [] })).toThrow('a chunk is missing')
    expect(graphFile({ chunks: [] })).toHaveLength(40)
  })
})

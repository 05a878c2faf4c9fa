import { createHash } from 'node:crypto'
import { isFanout, SortedNames } from '../object/sorted-names.ts'
import { commitGraphInvalid } from './error.ts'

/**
 * A commit-graph file, version 1 (gitformat-commit-graph): trees, parents and times of commits, so that a walk over
 * history need not inflate them. Its commits are closed: a parent of one is one.
 */

export const GRAPH = {
  magic: 0x43475048,
  version: 1,
  sha1: 1,
  headerBytes: 8,
  chunkRowBytes: 12,
  checksumBytes: 20,
  fanoutBytes: 256 * 4,
  commitBytes: 36,
  noParent: 0x70000000,
  moreParents: 0x80000000,
} as const

/** Ids of the chunks: four letters each. */
export const CHUNK = { fanout: 0x4f494446, names: 0x4f49444c, commits: 0x43444154, edges: 0x45444745 } as const

interface Chunk {
  readonly at: number
  readonly bytes: number
}

export class CommitGraph {
  readonly names: SortedNames
  readonly #bytes: Buffer
  readonly #commitsAt: number
  readonly #edges: Chunk

  /** @throws CommitGraphError */
  constructor(bytes: Buffer) {
    const end = bytes.length - GRAPH.checksumBytes
    if (end < GRAPH.headerBytes + GRAPH.chunkRowBytes) throw commitGraphInvalid('it is too short')
    if (bytes.readUInt32BE(0) !== GRAPH.magic || bytes[4] !== GRAPH.version || bytes[5] !== GRAPH.sha1) {
      throw commitGraphInvalid('it is not of version 1 with SHA-1')
    }
    if (bytes[7] !== 0) throw commitGraphInvalid('it is a part of a chain')
    if (!createHash('sha1').update(bytes.subarray(0, end)).digest().equals(bytes.subarray(end))) {
      throw commitGraphInvalid('it does not match its checksum')
    }
    const chunks = readChunks(bytes, end)
    const fanout = mustHave(chunks, CHUNK.fanout)
    if (fanout.bytes !== GRAPH.fanoutBytes || !isFanout(bytes, fanout.at)) throw commitGraphInvalid('its fan-out falls')
    const names = mustHave(chunks, CHUNK.names)
    const commits = mustHave(chunks, CHUNK.commits)
    this.names = new SortedNames(bytes, fanout.at, names.at)
    if (names.bytes !== this.count * 20 || commits.bytes !== this.count * GRAPH.commitBytes) {
      throw commitGraphInvalid('its chunks have different lengths')
    }
    this.#bytes = bytes
    this.#commitsAt = commits.at
    this.#edges = chunks.get(CHUNK.edges) ?? { at: 0, bytes: 0 }
  }

  get count(): number {
    return this.names.count
  }

  /** @returns the 20 bytes of its tree's name, a part of the file */
  treeOf(rank: number): Buffer {
    const at = this.#at(rank)
    return this.#bytes.subarray(at, at + 20)
  }

  /** @returns ranks, in the order in which the commit names them. @throws CommitGraphError */
  parentsOf(rank: number): number[] {
    const at = this.#at(rank)
    const first = this.#bytes.readUInt32BE(at + 20)
    const second = this.#bytes.readUInt32BE(at + 24)
    if (first === GRAPH.noParent) return []
    const parents = [this.#checked(first)]
    if (second === GRAPH.noParent) return parents
    if (second < GRAPH.moreParents) return [...parents, this.#checked(second)]
    for (let place = second - GRAPH.moreParents; ; place++) {
      if (place * 4 + 4 > this.#edges.bytes) throw commitGraphInvalid('its list of parents has no end')
      const parent = this.#bytes.readUInt32BE(this.#edges.at + place * 4)
      parents.push(this.#checked(parent % GRAPH.moreParents))
      if (parent >= GRAPH.moreParents) return parents
    }
  }

  /** Seconds since 1970. */
  timeSOf(rank: number): number {
    const at = this.#at(rank)
    return (this.#bytes.readUInt32BE(at + 28) & 3) * 2 ** 32 + this.#bytes.readUInt32BE(at + 32)
  }

  /** More than that of any parent: 1 for a commit without any. */
  levelOf(rank: number): number {
    return this.#bytes.readUInt32BE(this.#at(rank) + 28) >>> 2
  }

  #at(rank: number): number {
    return this.#commitsAt + rank * GRAPH.commitBytes
  }

  #checked(rank: number): number {
    if (rank >= this.count) throw commitGraphInvalid('a parent is not in it')
    return rank
  }
}

function readChunks(bytes: Buffer, end: number): ReadonlyMap<number, Chunk> {
  const count = bytes[6] as number
  const tableEnd = GRAPH.headerBytes + (count + 1) * GRAPH.chunkRowBytes
  if (tableEnd > end) throw commitGraphInvalid('it ends within its table')
  const chunks = new Map<number, Chunk>()
  const offsetAt = (row: number): number =>
    Number(bytes.readBigUInt64BE(GRAPH.headerBytes + row * GRAPH.chunkRowBytes + 4))
  for (let row = 0; row < count; row++) {
    const at = offsetAt(row)
    const next = offsetAt(row + 1)
    if (at < tableEnd || next < at || next > end) throw commitGraphInvalid('a chunk lies beyond it')
    chunks.set(bytes.readUInt32BE(GRAPH.headerBytes + row * GRAPH.chunkRowBytes), { at, bytes: next - at })
  }
  return chunks
}

function mustHave(chunks: ReadonlyMap<number, Chunk>, id: number): Chunk {
  const chunk = chunks.get(id)
  if (chunk === undefined) throw commitGraphInvalid('a chunk is missing')
  return chunk
}

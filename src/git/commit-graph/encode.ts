import { createHash } from 'node:crypto'
import { writeFanout } from '../object/sorted-names.ts'
import { CHUNK, GRAPH } from './commit-graph.ts'

/** Commits with numbers from 0 on, children before parents or not. */
export interface GraphedCommits {
  readonly count: number
  /** 20 bytes each. */
  readonly oids: Buffer
  /** 20 bytes each. */
  readonly trees: Buffer
  /** Numbers of the parents: all of them are among the commits. */
  readonly parents: readonly (readonly number[])[]
  /** Seconds since 1970. */
  readonly timesS: Float64Array
}

/** The largest level there is room for (GENERATION_NUMBER_V1_MAX in commit.h). */
const LEVEL_MAX = 0x3fffffff

/** @returns a commit-graph as `git commit-graph write --reachable` makes it, with topological levels */
export function encodeCommitGraph(commits: GraphedCommits): Buffer {
  const { count, oids } = commits
  const order = Uint32Array.from({ length: count }, (_, number) => number).sort((a, b) =>
    oids.compare(oids, b * 20, b * 20 + 20, a * 20, a * 20 + 20),
  )
  const names = Buffer.alloc(count * 20)
  const rankOf = new Uint32Array(count)
  for (let rank = 0; rank < count; rank++) {
    const number = order[rank] as number
    rankOf[number] = rank
    oids.copy(names, rank * 20, number * 20, number * 20 + 20)
  }
  const levels = levelsOf(commits)
  const edges: number[] = []
  const data = Buffer.alloc(count * GRAPH.commitBytes)
  for (let rank = 0, at = 0; rank < count; rank++, at += GRAPH.commitBytes) {
    const number = order[rank] as number
    const parents = (commits.parents[number] as readonly number[]).map((parent) => rankOf[parent] as number)
    commits.trees.copy(data, at, number * 20, number * 20 + 20)
    data.writeUInt32BE(parents[0] ?? GRAPH.noParent, at + 20)
    data.writeUInt32BE(parents.length > 2 ? GRAPH.moreParents + edges.length : (parents[1] ?? GRAPH.noParent), at + 24)
    if (parents.length > 2) {
      for (const parent of parents.slice(1, -1)) edges.push(parent)
      edges.push(GRAPH.moreParents + (parents.at(-1) as number))
    }
    const timeS = commits.timesS[number] as number
    const timeHigh = Math.floor(timeS / 2 ** 32) & 3
    data.writeUInt32BE((levels[number] as number) * 4 + timeHigh, at + 28)
    data.writeUInt32BE(timeS % 2 ** 32, at + 32)
  }
  const fanout = Buffer.alloc(GRAPH.fanoutBytes)
  writeFanout(fanout, 0, names, count)
  const edgeBytes = Buffer.alloc(edges.length * 4)
  for (const [place, edge] of edges.entries()) edgeBytes.writeUInt32BE(edge, place * 4)
  return join([
    [CHUNK.fanout, fanout],
    [CHUNK.names, names],
    [CHUNK.commits, data],
    ...(edges.length > 0 ? [[CHUNK.edges, edgeBytes] as const] : []),
  ])
}

/** One more than the highest of the parents, without recursion: a commit waits on the stack for its parents. */
function levelsOf({ count, parents }: GraphedCommits): Uint32Array {
  const levels = new Uint32Array(count)
  const stack: number[] = []
  for (let start = 0; start < count; start++) {
    if (levels[start] !== 0) continue
    stack.push(start)
    for (let number = stack.at(-1); number !== undefined; number = stack.at(-1)) {
      let level = 1
      let waits = false
      for (const parent of parents[number] as readonly number[]) {
        const above = levels[parent] as number
        if (above === 0) {
          stack.push(parent)
          waits = true
        }
        level = Math.max(level, above + 1)
      }
      if (waits) continue
      levels[number] = Math.min(level, LEVEL_MAX)
      stack.pop()
    }
  }
  return levels
}

function join(chunks: readonly (readonly [id: number, bytes: Buffer])[]): Buffer {
  const head = Buffer.alloc(GRAPH.headerBytes + (chunks.length + 1) * GRAPH.chunkRowBytes)
  head.writeUInt32BE(GRAPH.magic, 0)
  head.set([GRAPH.version, GRAPH.sha1, chunks.length, 0], 4)
  let offset = head.length
  for (const [row, [id, bytes]] of [...chunks, [0, Buffer.alloc(0)] as const].entries()) {
    head.writeUInt32BE(id, GRAPH.headerBytes + row * GRAPH.chunkRowBytes)
    head.writeBigUInt64BE(BigInt(offset), GRAPH.headerBytes + row * GRAPH.chunkRowBytes + 4)
    offset += bytes.length
  }
  const content = Buffer.concat([head, ...chunks.map(([, bytes]) => bytes)])
  return Buffer.concat([content, createHash('sha1').update(content).digest()])
}

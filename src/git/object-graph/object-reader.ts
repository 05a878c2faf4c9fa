import type { CommitGraph } from '../commit-graph/commit-graph.ts'
import { parseCommit } from '../object/commit.ts'
import { parseTag } from '../object/tag.ts'
import { OBJECT_TYPE } from '../object/type.ts'
import type { Reachability } from './reachability.ts'

/** Objects by name; a name that is asked for here is known to exist. */
export interface ObjectReader {
  /** 1 commit, 2 tree, 3 blob, 4 tag; throws if the object is missing */
  read(oid: Buffer, at: number): { readonly type: number; readonly data: Buffer }
  /** Knows some of the commits, which then need not be read. */
  readonly graph?: CommitGraph | undefined
}

export interface SizedObjectReader extends ObjectReader {
  /** Bytes of the object, without inflating it where the pack tells. */
  sizeOf(oid: Buffer, at: number): number
  /** What some commits reach. */
  readonly reachability?: Reachability | undefined
}

/** What a walk over history needs of a commit; names are of 20 bytes. */
export interface CommitNode {
  readonly tree: Buffer
  readonly parents: readonly Buffer[]
  /** Seconds since 1970; 0 where the commit does not say it in a way that git understands. */
  readonly committerTimeS: number
}

/** @throws ObjectError commit_invalid */
export function readCommit(reader: ObjectReader, oid: Buffer): CommitNode {
  const { graph } = reader
  const rank = graph === undefined ? -1 : graph.names.rankOf(oid)
  if (graph !== undefined && rank >= 0) {
    const parents = graph.parentsOf(rank).map((parent) => graph.names.at(parent))
    return { tree: graph.treeOf(rank), parents, committerTimeS: graph.timeSOf(rank) }
  }
  const { tree, parents, committerTimeS } = parseCommit(reader.read(oid, 0).data)
  return { tree: fromHex(tree), parents: parents.map(fromHex), committerTimeS }
}

/** @returns the commit that a tag, or a tag of a tag, or the object itself is; undefined for a tree or a blob */
export function peelToCommit(reader: ObjectReader, oid: Buffer): Buffer | undefined {
  for (let name = oid; ;) {
    if ((reader.graph?.names.rankOf(name) ?? -1) >= 0) return name
    const { type, data } = reader.read(name, 0)
    if (type === OBJECT_TYPE.commit) return name
    if (type !== OBJECT_TYPE.tag) return undefined
    name = fromHex(parseTag(data).object)
  }
}

export function fromHex(hex: string): Buffer {
  return Buffer.from(hex, 'hex')
}

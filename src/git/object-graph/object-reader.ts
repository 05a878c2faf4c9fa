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

/** @returns as `Peeler.commitOf`; for one object alone */
export function peelToCommit(reader: ObjectReader, oid: Buffer): Buffer | undefined {
  return new Peeler(reader).commitOf(oid)
}

/** For many objects: tags may be tags of each other, in a long line, which is walked once, not for each of them. */
export class Peeler {
  readonly #reader: ObjectReader
  /** By the name of a tag, as a string of its bytes. */
  readonly #commits = new Map<string, Buffer | undefined>()

  constructor(reader: ObjectReader) {
    this.#reader = reader
  }

  /** @returns the commit that a tag, or a tag of a tag, or the object itself is; undefined for a tree or a blob */
  commitOf(oid: Buffer): Buffer | undefined {
    const tags: string[] = []
    let commit: Buffer | undefined
    for (let name = oid; ;) {
      if ((this.#reader.graph?.names.rankOf(name) ?? -1) >= 0) {
        commit = name
        break
      }
      const key = name.toString('latin1')
      if (this.#commits.has(key)) {
        commit = this.#commits.get(key)
        break
      }
      const { type, data } = this.#reader.read(name, 0)
      if (type === OBJECT_TYPE.commit) commit = name
      if (type !== OBJECT_TYPE.tag) break
      tags.push(key)
      name = fromHex(parseTag(data).object)
    }
    for (const tag of tags) this.#commits.set(tag, commit)
    return commit
  }
}

export function fromHex(hex: string): Buffer {
  return Buffer.from(hex, 'hex')
}

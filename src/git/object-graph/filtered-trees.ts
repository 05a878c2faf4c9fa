import { forEachTreeEntry, GITLINK_MODE, TREE_MODE } from '../object/tree.ts'
import { OBJECT_TYPE } from '../object/type.ts'
import { OidMap } from '../pack/oid-map.ts'
import type { ObjectFilter } from './filter.ts'
import { KNOWN, type Marks, OMITTED, WANTED } from './marks.ts'
import type { SizedObjectReader } from './object-reader.ts'

/**
 * Walks the trees of commits as far as a filter lets through what they hold (list-objects-filter.c). A tree that comes
 * again less deep is walked again, as more of it may be wanted; level by level, so that it happens seldom.
 */
export class FilteredTrees {
  readonly #reader: SizedObjectReader
  readonly #marks: Marks
  readonly #list: (oid: Buffer, at: number) => void
  readonly #blobBytes: number
  readonly #treeDepth: number
  readonly #sends: { readonly trees: boolean; readonly blobs: boolean }
  /** The smallest depth at which each tree came; without a limit of it, all are at 0. */
  readonly #depths = new OidMap()

  /** @param list takes what is to be sent, once each */
  constructor(
    reader: SizedObjectReader,
    marks: Marks,
    { blobBytes = Number.POSITIVE_INFINITY, treeDepth = Number.POSITIVE_INFINITY, type }: ObjectFilter,
    list: (oid: Buffer, at: number) => void,
  ) {
    this.#reader = reader
    this.#marks = marks
    this.#list = list
    this.#blobBytes = blobBytes
    this.#treeDepth = treeDepth
    this.#sends = {
      trees: type === undefined || type === OBJECT_TYPE.tree,
      blobs: blobBytes > 0 && (type === undefined || type === OBJECT_TYPE.blob),
    }
  }

  /** @param depth of the tree itself */
  walk(tree: Buffer, depth: number): void {
    if (this.#enter(tree, 0, depth)) this.walkEntries(tree, depth + 1)
  }

  /** @param depth of what the tree holds */
  walkEntries(tree: Buffer, depth: number): void {
    let level = [tree]
    for (let at = depth; level.length > 0; at++) {
      const next: Buffer[] = []
      for (const oid of level) {
        const { data } = this.#reader.read(oid, 0)
        forEachTreeEntry(data, (mode, _nameStart, _nameEnd, oidAt) => {
          if (mode === GITLINK_MODE) return
          if (mode !== TREE_MODE) this.#takeBlob(data, oidAt, at)
          // A copy: a part would keep the whole tree in memory for as long as its level waits.
          else if (this.#enter(data, oidAt, at)) next.push(Buffer.from(data.subarray(oidAt, oidAt + 20)))
        })
      }
      level = next
    }
  }

  /** @returns whether what it holds has to be looked at */
  #enter(oid: Buffer, at: number, depth: number): boolean {
    const { trees, blobs } = this.#sends
    const flags = this.#marks.of(oid, at)
    if (depth >= this.#treeDepth || (flags & KNOWN) !== 0 || !(trees || blobs)) return false
    const counted = this.#treeDepth === Number.POSITIVE_INFINITY ? 0 : depth
    const before = this.#depths.get(oid, at)
    if (before !== -1 && before <= counted) return false
    this.#depths.set(oid, at, counted)
    if (trees && (flags & WANTED) === 0) this.#send(oid, at)
    return true
  }

  #takeBlob(oid: Buffer, at: number, depth: number): void {
    if (!this.#sends.blobs || depth >= this.#treeDepth) return
    if ((this.#marks.of(oid, at) & (WANTED | KNOWN | OMITTED)) !== 0) return
    const isSmall = this.#blobBytes === Number.POSITIVE_INFINITY || this.#reader.sizeOf(oid, at) < this.#blobBytes
    if (isSmall) this.#send(oid, at)
    else this.#marks.add(oid, at, OMITTED)
  }

  #send(oid: Buffer, at: number): void {
    this.#marks.add(oid, at, WANTED)
    this.#list(oid, at)
  }
}

import { forEachTreeEntry, TREE_MODE } from '../../git/object/tree.ts'
import type { ObjectStore } from '../../storage/objects/object-store.ts'
import { readBounded } from './browse-objects.ts'

export interface PathEntry {
  readonly mode: number
  readonly oid: Buffer
}

/** Answers kept while one history is walked: most commits share most of their folders. */
const REMEMBERED_MAX = 200_000

/** Finds what lies at one path in any number of trees. */
export class PathFinder {
  readonly #store: ObjectStore
  readonly #segments: readonly Buffer[]
  readonly #remembered = new Map<string, PathEntry | undefined>()

  /** @param path empty for the root */
  constructor(store: ObjectStore, path: string) {
    this.#store = store
    this.#segments = path === '' ? [] : path.split('/').map((segment) => Buffer.from(segment))
  }

  find(rootTree: Buffer): PathEntry | undefined {
    let entry: PathEntry | undefined = { mode: TREE_MODE, oid: rootTree }
    for (const [depth, segment] of this.#segments.entries()) {
      if (entry?.mode !== TREE_MODE) return undefined
      entry = this.#step(entry.oid, depth, segment)
    }
    return entry
  }

  #step(tree: Buffer, depth: number, segment: Buffer): PathEntry | undefined {
    const key = `${depth}:${tree.toString('latin1')}`
    if (this.#remembered.has(key)) return this.#remembered.get(key)
    if (this.#remembered.size >= REMEMBERED_MAX) this.#remembered.clear()
    const entry = findEntry(readBounded(this.#store, tree, 'tree_bytes').data, segment)
    this.#remembered.set(key, entry)
    return entry
  }
}

function findEntry(data: Buffer, name: Buffer): PathEntry | undefined {
  let found: PathEntry | undefined
  forEachTreeEntry(data, (mode, nameStart, nameEnd, oidAt) => {
    if (nameEnd - nameStart !== name.length || data.compare(name, 0, name.length, nameStart, nameEnd) !== 0) return
    // A copy: the tree's bytes need not stay.
    found = { mode, oid: Buffer.from(data.subarray(oidAt, oidAt + 20)) }
  })
  return found
}

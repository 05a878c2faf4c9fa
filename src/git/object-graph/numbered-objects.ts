/**
 * What trees hold and commits come from, by the numbers of a reachability: for the next walk that comes to them. Most of
 * what lies between two commits that have bitmaps is walked by each fetch of what is new, and reading an object and finding
 * the numbers of what it names takes far longer than walking it.
 */
import { LRUCache } from 'lru-cache'

/** Of all trees together: 4 bytes each. */
const ENTRIES_MAX = 1_000_000
/** What a tree costs beside its entries, counted in entries. */
const TREE_ENTRIES = 32
/** About 200 bytes each. */
const COMMITS_MAX = 20_000
/** Numbers are doubled, and must fit into 32 bits. */
const OBJECTS_MAX = 2 ** 31

export class NumberedTrees {
  readonly #trees = new LRUCache<number, Uint32Array>({
    maxSize: ENTRIES_MAX,
    sizeCalculation: (entries) => entries.length + TREE_ENTRIES,
  })

  /** @returns of each entry, twice its number, and one more for a tree; undefined where nobody has looked */
  get(number: number): Uint32Array | undefined {
    return this.#trees.get(number)
  }

  /** @param objects have numbers: a tree that holds another one is read again */
  set(number: number, entries: readonly number[], objects: number): void {
    if (objects <= OBJECTS_MAX && entries.every((entry) => entry < 2 * objects)) {
      this.#trees.set(number, Uint32Array.from(entries))
    }
  }
}

export interface NumberedCommit {
  readonly tree: number
  readonly parents: readonly number[]
  readonly committerTimeS: number
}

export class NumberedCommits {
  readonly #commits = new LRUCache<number, NumberedCommit>({ max: COMMITS_MAX })

  /** @returns undefined where nobody has looked */
  get(number: number): NumberedCommit | undefined {
    return this.#commits.get(number)
  }

  /** @param objects have numbers: a commit that names another one is read again */
  set(number: number, commit: NumberedCommit, objects: number): void {
    if (commit.tree < objects && commit.parents.every((parent) => parent < objects)) this.#commits.set(number, commit)
  }
}

import { LRUCache } from 'lru-cache'

/** Of all trees together: 4 bytes each. */
const ENTRIES_MAX = 1_000_000
/** What a tree costs beside its entries, counted in entries. */
const TREE_ENTRIES = 32
/** Numbers are doubled, and must fit into 32 bits. */
const OBJECTS_MAX = 2 ** 31

/**
 * What trees hold, by the numbers of a reachability: for the next walk that comes to them. Most of the trees between two
 * commits that have bitmaps are walked by each fetch of what is new, and reading one takes far longer than walking it.
 */
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

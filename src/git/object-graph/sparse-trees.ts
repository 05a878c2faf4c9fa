import { forEachTreeEntry, GITLINK_MODE, TREE_MODE } from '../object/tree.ts'
import { OBJECT_TYPE } from '../object/type.ts'
import { OidMap } from '../pack/oid-map.ts'
import type { ObjectFilter } from './filter.ts'
import { KNOWN, type Marks, WANTED } from './marks.ts'
import type { SizedObjectReader } from './object-reader.ts'
import type { Sparse } from './sparse-patterns.ts'

/** A folder on the way down. */
interface Folder {
  readonly oid: Buffer
  /** From the root; with a slash at its end, or empty. */
  readonly path: Buffer
  /** How deep what it holds lies. */
  readonly depth: number
  /** For each list of patterns: what they say of the folder counts for what they do not speak of. */
  readonly isIn: readonly boolean[]
}

const SLASH = Buffer.from('/')

/**
 * Walks the trees of commits by their paths, as patterns are about those (list-objects-filter.c, `filter_sparse`): all
 * trees are sent, and the blobs that lie somewhere where every list of patterns has them. The same tree elsewhere is
 * walked again, so a few trees may have very many paths: the budget ends that.
 */
export class SparseTrees {
  readonly #reader: SizedObjectReader
  readonly #marks: Marks
  readonly #filter: ObjectFilter
  readonly #lists: Sparse['lists']
  readonly #budget: Sparse['budget']
  readonly #list: (oid: Buffer, at: number) => void
  /** By path: the trees that were there in commits before. */
  readonly #seen = new Map<string, OidMap>()
  /** By path, of folders with a slash at its end: it decides alone, in whatever commit. */
  readonly #verdicts = new Map<string, readonly boolean[]>()

  /** @param list takes what is to be sent, once each */
  constructor(
    reader: SizedObjectReader,
    marks: Marks,
    filter: ObjectFilter,
    { lists, budget }: Sparse,
    list: (oid: Buffer, at: number) => void,
  ) {
    this.#reader = reader
    this.#marks = marks
    this.#filter = filter
    this.#lists = lists
    this.#budget = budget
    this.#list = list
  }

  /** @param depth of the tree itself */
  walk(tree: Buffer, depth: number): void {
    const path = Buffer.alloc(0)
    const isIn = this.#judge(path, 0, true, [])
    if (this.#enter(tree, 0, path, depth)) this.#walkAll({ oid: tree, path, depth: depth + 1, isIn })
  }

  /** @param depth of what the tree holds */
  walkEntries(tree: Buffer, depth: number): void {
    const path = Buffer.alloc(0)
    this.#walkAll({ oid: tree, path, depth, isIn: this.#judge(path, 0, true, []) })
  }

  #walkAll(root: Folder): void {
    const stack = [root]
    for (let folder = stack.pop(); folder !== undefined; folder = stack.pop()) {
      const { oid, path, depth, isIn } = folder
      const { data } = this.#reader.read(oid, 0)
      forEachTreeEntry(data, (mode, nameStart, nameEnd, oidAt) => {
        this.#budget.spend(1)
        if (mode === GITLINK_MODE) return
        const isFolder = mode === TREE_MODE
        if (!isFolder && !this.#maySend(data, oidAt, depth)) return
        const full = Buffer.concat([path, data.subarray(nameStart, nameEnd)])
        const isInHere = this.#judge(full, path.length, isFolder, isIn)
        if (isFolder) {
          const below = Buffer.concat([full, SLASH])
          if (!this.#enter(data, oidAt, below, depth)) return
          // A copy: a part would keep the whole tree in memory for as long as it waits.
          const child = Buffer.from(data.subarray(oidAt, oidAt + 20))
          stack.push({ oid: child, path: below, depth: depth + 1, isIn: isInHere })
        } else if (isInHere.every(Boolean)) this.#send(data, oidAt)
      })
    }
  }

  /** @returns for each list whether it has what lies there */
  #judge(path: Buffer, nameAt: number, isFolder: boolean, above: readonly boolean[]): readonly boolean[] {
    const key = isFolder ? `${path.toString('latin1')}/` : path.toString('latin1')
    const known = this.#verdicts.get(key)
    if (known !== undefined) return known
    const verdicts = this.#lists.map((patterns, at) => {
      const verdict = patterns.judge(path, nameAt, isFolder)
      return verdict === 'undecided' ? above[at] === true : verdict === 'in'
    })
    this.#verdicts.set(key, verdicts)
    return verdicts
  }

  /** @returns whether what it holds has to be looked at */
  #enter(oid: Buffer, at: number, path: Buffer, depth: number): boolean {
    const { treeDepth = Number.POSITIVE_INFINITY, type } = this.#filter
    if (depth >= treeDepth || (this.#marks.of(oid, at) & KNOWN) !== 0) return false
    const key = path.toString('latin1')
    let trees = this.#seen.get(key)
    if (trees === undefined) this.#seen.set(key, (trees = new OidMap(8)))
    if (trees.get(oid, at) !== -1) return false
    trees.set(oid, at, 1)
    if ((type ?? OBJECT_TYPE.tree) === OBJECT_TYPE.tree && (this.#marks.of(oid, at) & WANTED) === 0) this.#send(oid, at)
    return true
  }

  #maySend(oid: Buffer, at: number, depth: number): boolean {
    const { blobBytes = Number.POSITIVE_INFINITY, treeDepth = Number.POSITIVE_INFINITY, type } = this.#filter
    if (depth >= treeDepth || (type ?? OBJECT_TYPE.blob) !== OBJECT_TYPE.blob) return false
    if ((this.#marks.of(oid, at) & (WANTED | KNOWN)) !== 0) return false
    return blobBytes === Number.POSITIVE_INFINITY || this.#reader.sizeOf(oid, at) < blobBytes
  }

  #send(oid: Buffer, at: number): void {
    this.#marks.add(oid, at, WANTED)
    this.#list(oid, at)
  }
}

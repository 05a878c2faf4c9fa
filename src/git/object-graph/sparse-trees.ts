import { createHash } from 'node:crypto'
import { forEachTreeEntry, GITLINK_MODE, TREE_MODE } from '../object/tree.ts'
import { OBJECT_TYPE } from '../object/type.ts'
import { OidMap } from '../pack/oid-map.ts'
import type { ObjectFilter } from './filter.ts'
import { KNOWN, type Marks, WANTED } from './marks.ts'
import type { SizedObjectReader } from './object-reader.ts'
import type { Sparse } from './sparse-patterns.ts'

/** Where something lies. Its path is written out only when a pattern has to see it: there may be very many. */
interface Place {
  /** undefined: it is the root */
  readonly parent: Place | undefined
  readonly name: Buffer
  /** Bytes of the path. */
  readonly bytes: number
  /** Stands for the path: 20 bytes. */
  readonly key: Buffer
}

/** A folder on the way down. */
interface Folder {
  readonly oid: Buffer
  readonly place: Place
  /** How deep what it holds lies. */
  readonly depth: number
  /** A bit for each list of patterns: what it says of the folder counts for what it does not speak of. */
  readonly isIn: number
}

const NOTHING = Buffer.alloc(0)
const ROOT: Place = { parent: undefined, name: NOTHING, bytes: 0, key: keyOf(NOTHING, NOTHING) }

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
  /** By a tree and its place: those that were walked, in commits before. */
  readonly #walked = new OidMap()
  /** By place, with 1 for a file and 2 for a folder: its bits. A path decides alone, in whatever commit. */
  readonly #verdicts = new OidMap()
  readonly #all: number

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
    this.#all = 2 ** lists.length - 1
  }

  /** @param depth of the tree itself */
  walk(tree: Buffer, depth: number): void {
    if (this.#enter(tree, 0, ROOT, depth)) this.walkEntries(tree, depth + 1)
  }

  /** @param depth of what the tree holds */
  walkEntries(tree: Buffer, depth: number): void {
    const stack: Folder[] = [{ oid: tree, place: ROOT, depth, isIn: this.#judge(ROOT, true, 0) }]
    for (let folder = stack.pop(); folder !== undefined; folder = stack.pop()) this.#walkOne(folder, stack)
  }

  #walkOne({ oid, place, depth, isIn }: Folder, stack: Folder[]): void {
    const { data } = this.#reader.read(oid, 0)
    forEachTreeEntry(data, (mode, nameStart, nameEnd, oidAt) => {
      this.#budget.spend(1)
      if (mode === GITLINK_MODE) return
      const isFolder = mode === TREE_MODE
      if (!isFolder && !this.#maySend(data, oidAt, depth)) return
      const here = placeIn(place, data.subarray(nameStart, nameEnd))
      if (!isFolder) {
        if (this.#judge(here, false, isIn) === this.#all) this.#send(data, oidAt)
      } else if (this.#enter(data, oidAt, here, depth)) {
        // Copies: a part would keep the whole tree in memory for as long as it waits.
        const child = Buffer.from(data.subarray(oidAt, oidAt + 20))
        const kept = { ...here, name: Buffer.from(here.name) }
        stack.push({ oid: child, place: kept, depth: depth + 1, isIn: this.#judge(here, true, isIn) })
      }
    })
  }

  /** @param above bits of the folder in which it lies. @returns a bit for each list that has it */
  #judge(place: Place, isFolder: boolean, above: number): number {
    const key = isFolder ? keyOf(place.key, NOTHING) : place.key
    const known = this.#verdicts.get(key)
    if (known !== -1) return known
    const path = pathOf(place)
    this.#budget.spend(path.length)
    this.#budget.remember()
    let bits = 0
    for (const [at, patterns] of this.#lists.entries()) {
      const verdict = patterns.judge(path, path.length - place.name.length, isFolder)
      if (verdict === 'undecided' ? (above & (1 << at)) !== 0 : verdict === 'in') bits |= 1 << at
    }
    this.#verdicts.set(key, 0, bits)
    return bits
  }

  /** @returns whether what it holds has to be looked at */
  #enter(oid: Buffer, at: number, place: Place, depth: number): boolean {
    const { treeDepth = Number.POSITIVE_INFINITY, type } = this.#filter
    if (depth >= treeDepth || (this.#marks.of(oid, at) & KNOWN) !== 0) return false
    const key = keyOf(place.key, oid.subarray(at, at + 20))
    if (this.#walked.get(key) !== -1) return false
    this.#budget.remember()
    this.#walked.set(key, 0, 1)
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

/** 20 bytes that stand for both together. */
function keyOf(above: Buffer, name: Buffer): Buffer {
  return createHash('sha256').update(above).update(name).digest().subarray(0, 20)
}

function placeIn(parent: Place, name: Buffer): Place {
  const slash = parent.parent === undefined ? 0 : 1
  return { parent, name, bytes: parent.bytes + slash + name.length, key: keyOf(parent.key, name) }
}

function pathOf(place: Place): Buffer {
  const path = Buffer.alloc(place.bytes, '/')
  let end = place.bytes
  for (let at = place; at.parent !== undefined; at = at.parent) {
    at.name.copy(path, end - at.name.length)
    end -= at.name.length + 1
  }
  return path
}

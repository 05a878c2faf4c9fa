import type { BitSet } from '../bitmap/bit-set.ts'
import { parseTag } from '../object/tag.ts'
import { forEachTreeEntry, GITLINK_MODE, TREE_MODE } from '../object/tree.ts'
import { OBJECT_TYPE } from '../object/type.ts'
import { OidMap } from '../pack/oid-map.ts'
import { selectByBitmaps } from './bitmap-select.ts'
import { CommitWalk, type WalkedCommit } from './commit-walk.ts'
import { isFiltering, NO_FILTER, type ObjectFilter } from './filter.ts'
import { FilteredTrees } from './filtered-trees.ts'
import { KNOWN, Marks, UNSENT, WANTED } from './marks.ts'
import { fromHex, type SizedObjectReader } from './object-reader.ts'
import type { Reachability } from './reachability.ts'
import type { Sparse } from './sparse-patterns.ts'
import { SparseTrees } from './sparse-trees.ts'

export interface Selection {
  /** 20 bytes each: commits newest first, then tags, trees and blobs as they were found. */
  readonly oids: Buffer
  /** Of `oids`. */
  readonly count: number
  /** And these, where bitmaps told what is reached: none of `oids` is among them. */
  readonly numbered?: { readonly numbers: BitSet; readonly reachability: Reachability }
  /** The receiver has this object already: it may serve as a base of a thin pack. */
  isKnown(oid: Buffer, at: number): boolean
}

export interface Selecting {
  readonly wants: readonly Buffer[]
  /** What the receiver has, with all that it reaches. */
  readonly haves: readonly Buffer[]
  /** Tag objects to add where the object they point to is sent (include-tag). */
  readonly annotatedTags?: readonly Buffer[]
  /** Commits at which the receiver's history ends: their parents are neither there nor wanted. */
  readonly shallow?: readonly Buffer[]
  readonly filter?: ObjectFilter
  /** What the names in `filter.sparse` stand for. */
  readonly sparse?: Sparse | undefined
}

/**
 * Which objects a receiver needs: what `git rev-list --objects WANTS --not HAVES` lists, or some more where commit
 * times contradict history.
 */
export function selectObjects(reader: SizedObjectReader, selecting: Selecting): Selection {
  return selectByBitmaps(reader, selecting) ?? new Selector(reader, selecting).select()
}

class Selector {
  readonly #reader: SizedObjectReader
  readonly #selecting: Required<Omit<Selecting, 'sparse'>>
  readonly #marks = new Marks()
  readonly #walk: CommitWalk
  readonly #filtered: FilteredTrees | SparseTrees | undefined
  /** Commits that are wanted by their own name, or by that of a tag: no filter leaves them out. */
  readonly #named = new OidMap()
  #oids = Buffer.alloc(20 * 4096)
  #count = 0

  constructor(reader: SizedObjectReader, selecting: Selecting) {
    const { annotatedTags = [], shallow = [], filter = NO_FILTER, sparse, ...rest } = selecting
    this.#reader = reader
    this.#selecting = { annotatedTags, shallow, filter, ...rest }
    this.#walk = new CommitWalk(reader, this.#marks, { shallow, sinceS: Number.NEGATIVE_INFINITY })
    const list = (oid: Buffer, at: number): void => this.#list(oid, at)
    if (sparse !== undefined) this.#filtered = new SparseTrees(reader, this.#marks, filter, sparse, list)
    else if (isFiltering(filter)) this.#filtered = new FilteredTrees(reader, this.#marks, filter, list)
  }

  select(): Selection {
    const { wants, haves, annotatedTags, shallow } = this.#selecting
    const roots: Buffer[] = []
    const edges: Buffer[] = []
    for (const have of haves) this.#start(have, KNOWN, roots, edges)
    for (const want of wants) this.#start(want, WANTED, roots, edges)
    const commits = this.#walk.run()
    this.#markBoundary(commits)
    // What was cut off hides which commits of the receiver are next to those that it gets.
    if (shallow.length > 0) for (const oid of edges) this.#walkTrees(this.#walk.read(oid).tree, KNOWN)
    this.#listCommits(commits)
    for (const root of roots) this.#walkRoot(root)
    for (const { tree } of commits) this.#walkWanted(tree)
    for (const tag of annotatedTags) this.#includeTag(tag)
    return {
      oids: this.#oids.subarray(0, this.#count * 20),
      count: this.#count,
      // Of what a receiver with a filter has, it has a part: nobody knows which.
      isKnown: (oid, at) => this.#filtered === undefined && (this.#marks.of(oid, at) & KNOWN) !== 0,
    }
  }

  /** A want or a have may be a tag of a tag of anything. */
  #start(oid: Buffer, flag: number, roots: Buffer[], edges: Buffer[]): void {
    for (let name = oid; ;) {
      const { type, data } = this.#reader.read(name, 0)
      if (type === OBJECT_TYPE.commit) {
        this.#walk.enqueue(name, flag)
        if (flag === KNOWN) edges.push(name)
        else this.#named.set(name, 0, 1)
        return
      }
      if (type !== OBJECT_TYPE.tag) {
        if (flag === KNOWN) this.#walkTrees(name, KNOWN)
        else roots.push(name)
        return
      }
      if ((this.#marks.of(name) & (flag | KNOWN)) !== 0) return
      this.#marks.add(name, 0, flag)
      if (flag === WANTED) this.#list(name, 0)
      name = fromHex(parseTag(data).object)
    }
  }

  /** What the known parents of wanted commits hold need not be sent; what older commits hold is not worth the walk. */
  #markBoundary(commits: readonly WalkedCommit[]): void {
    for (const { parents } of commits) {
      for (const parent of parents) {
        if ((this.#marks.of(parent) & KNOWN) === 0) continue
        this.#walkTrees(this.#walk.read(parent).tree, KNOWN)
      }
    }
  }

  #listCommits(commits: readonly WalkedCommit[]): void {
    const { type } = this.#selecting.filter
    const areAll = type === undefined || type === OBJECT_TYPE.commit
    for (const { oid } of commits) if (areAll || this.#named.get(oid) === 1) this.#list(oid, 0)
  }

  #walkWanted(tree: Buffer): void {
    if (this.#filtered === undefined) this.#walkTrees(tree, WANTED)
    else this.#filtered.walk(tree, 0)
  }

  /** Something that the client named: sent whatever the filter says, but that is about what a tree holds. */
  #walkRoot(oid: Buffer): void {
    if (this.#filtered === undefined) return this.#walkTrees(oid, WANTED)
    if (!this.#visit(oid, 0, WANTED)) return
    if (this.#reader.read(oid, 0).type === OBJECT_TYPE.tree) this.#filtered.walkEntries(oid, 0)
  }

  /** Marks a tree or blob and all below it; what becomes wanted is listed. */
  #walkTrees(root: Buffer, flag: number): void {
    if (!this.#visit(root, 0, flag)) return
    if (this.#reader.read(root, 0).type !== OBJECT_TYPE.tree) return
    const stack = [root]
    for (let oid = stack.pop(); oid !== undefined; oid = stack.pop()) {
      const { data } = this.#reader.read(oid, 0)
      forEachTreeEntry(data, (mode, _nameStart, _nameEnd, oidAt) => {
        if (mode === GITLINK_MODE || !this.#visit(data, oidAt, flag)) return
        if (mode === TREE_MODE) stack.push(data.subarray(oidAt, oidAt + 20))
      })
    }
  }

  /** @returns whether this is the first visit that matters */
  #visit(oid: Buffer, at: number, flag: number): boolean {
    if ((this.#marks.of(oid, at) & (flag | KNOWN)) !== 0) return false
    this.#marks.add(oid, at, flag)
    if (flag === WANTED) this.#list(oid, at)
    return true
  }

  /** Adds a tag, and the tags between it and what it points to, when that is being sent. */
  #includeTag(tag: Buffer): void {
    const chain: Buffer[] = []
    let isSent = false
    for (let name = tag; ;) {
      const flags = this.#marks.of(name)
      isSent = (flags & (WANTED | KNOWN)) === WANTED
      if ((flags & (WANTED | KNOWN | UNSENT)) !== 0) break
      const { type, data } = this.#reader.read(name, 0)
      if (type !== OBJECT_TYPE.tag) break
      chain.push(name)
      name = fromHex(parseTag(data).object)
    }
    for (const name of chain) {
      if (isSent) this.#visit(name, 0, WANTED)
      // Tags may be tags of each other, in a long line: it is walked once, not for each of them.
      else this.#marks.add(name, 0, UNSENT)
    }
  }

  #list(oid: Buffer, at: number): void {
    if (this.#count * 20 === this.#oids.length) {
      const bigger = Buffer.alloc(this.#oids.length * 2)
      this.#oids.copy(bigger)
      this.#oids = bigger
    }
    oid.copy(this.#oids, this.#count * 20, at, at + 20)
    this.#count++
  }
}

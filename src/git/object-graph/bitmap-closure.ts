import { BitSet } from '../bitmap/bit-set.ts'
import { parseTag } from '../object/tag.ts'
import { forEachTreeEntry, GITLINK_MODE, TREE_MODE } from '../object/tree.ts'
import { OBJECT_TYPE } from '../object/type.ts'
import { OidMap } from '../pack/oid-map.ts'
import { CommitQueue } from './commit-queue.ts'
import type { NumberedCommit } from './numbered-objects.ts'
import { fromHex, type ObjectReader, readCommit } from './object-reader.ts'
import { NO_TAG, type Reachability } from './reachability.ts'

interface Queued extends NumberedCommit {
  readonly number: number
}

/** What was named: commits, and tags of commits; or trees and blobs as well. */
type Added = 'commits' | 'anything' | 'too-many'

/**
 * All that some objects reach, found by walking to the next commits whose closure is written down. Objects that have no
 * number there get the ones behind.
 */
export class BitmapClosure {
  readonly found: BitSet
  readonly #reader: ObjectReader
  readonly #known: Reachability
  /** Numbers. */
  readonly #shallow = new Set<number>()
  readonly #queue = new CommitQueue<Queued>()
  readonly #roots: Buffer[] = []
  readonly #numbers = new OidMap()
  readonly #others: Buffer[] = []
  /** Numbers of those without a number there that are blobs. */
  readonly #otherBlobs = new BitSet(0)

  /** @param shallow commits that count as having no parents: then all of history is walked, as far as it goes */
  constructor(reader: ObjectReader, known: Reachability, shallow: readonly Buffer[] = []) {
    this.#reader = reader
    this.#known = known
    this.found = new BitSet(known.objects)
    for (const oid of shallow) this.#shallow.add(this.numberFor(oid, 0))
  }

  /** What was found and has no number there, in the order in which it was met. */
  get others(): readonly { readonly oid: Buffer; readonly isBlob: boolean }[] {
    const { objects } = this.#known
    return this.#others
      .map((oid, at) => ({ oid, isBlob: this.#otherBlobs.has(at), isFound: this.found.has(objects + at) }))
      .filter(({ isFound }) => isFound)
  }

  has(oid: Buffer): boolean {
    return this.isIn(this.found, oid, 0)
  }

  /** @param set by the same numbers as `found` */
  isIn(set: BitSet, oid: Buffer, at: number): boolean {
    const number = this.#numberOf(oid, at)
    return number !== undefined && set.has(number)
  }

  /**
   * Adds what the objects reach: commits, tags of anything, trees and blobs. What was found before is not walked again.
   *
   * @param commitsMax to be walked, because nothing is written down about them; from then on the closure is of no use
   */
  add(oids: readonly Buffer[], commitsMax = Number.POSITIVE_INFINITY): Added {
    for (const oid of oids) this.#start(oid)
    const kinds = this.#roots.length === 0 ? 'commits' : 'anything'
    const trees: number[] = []
    for (let commit = this.#queue.pop(); commit !== undefined; commit = this.#queue.pop()) {
      if (this.found.has(commit.number)) continue
      const reached = this.#reachedFrom(commit.number)
      if (reached !== undefined) {
        this.found.addAll(reached)
        continue
      }
      if (trees.length >= commitsMax) return 'too-many'
      this.found.add(commit.number)
      trees.push(commit.tree)
      for (const parent of commit.parents) this.#enqueue(parent)
    }
    for (const tree of trees) this.#walkTree(tree)
    for (const root of this.#roots.splice(0)) this.#walkTree(this.numberFor(root, 0))
    return kinds
  }

  /** The object's number, which it gets where it has none. */
  numberFor(oid: Buffer, at: number): number {
    const number = this.#numberOf(oid, at)
    if (number !== undefined) return number
    this.#numbers.set(oid, at, this.#others.length)
    // A copy: a part would keep the object in memory that names it.
    this.#others.push(Buffer.from(oid.subarray(at, at + 20)))
    return this.#known.objects + this.#others.length - 1
  }

  /** @returns the number of what the tag points to; NO_TAG */
  targetOf(number: number): number {
    const { objects, targets } = this.#known
    const known = targets.get(number)
    if (known !== undefined) return known
    const target = this.#readTarget(number)
    if (number < objects && target < objects) targets.set(number, target)
    return target
  }

  #readTarget(number: number): number {
    const { type, data } = this.#reader.read(this.#oidOf(number), 0)
    return type === OBJECT_TYPE.tag ? this.numberFor(fromHex(parseTag(data).object), 0) : NO_TAG
  }

  #start(oid: Buffer): void {
    for (let name = oid; !this.has(name);) {
      const { type, data } = this.#reader.read(name, 0)
      if (type === OBJECT_TYPE.commit) return this.#enqueue(this.numberFor(name, 0))
      if (type !== OBJECT_TYPE.tag) {
        this.#roots.push(name)
        return
      }
      this.found.add(this.numberFor(name, 0))
      name = fromHex(parseTag(data).object)
    }
  }

  #enqueue(number: number): void {
    if (this.found.has(number)) return
    const { tree, parents, committerTimeS } = this.#known.commits.get(number) ?? this.#readCommit(number)
    this.#queue.push({ tree, parents: this.#shallow.has(number) ? [] : parents, committerTimeS, number })
  }

  #readCommit(number: number): NumberedCommit {
    const { tree, parents, committerTimeS } = readCommit(this.#reader, this.#oidOf(number))
    const commit = {
      tree: this.numberFor(tree, 0),
      parents: parents.map((parent) => this.numberFor(parent, 0)),
      committerTimeS,
    }
    const { objects, commits } = this.#known
    if (number < objects) commits.set(number, commit, objects)
    return commit
  }

  /** @param root a tree; or a blob, where something was named that is no commit */
  #walkTree(root: number): void {
    if (this.found.has(root)) return
    this.found.add(root)
    const stack = [root]
    for (let number = stack.pop(); number !== undefined; number = stack.pop()) {
      const entries = this.#known.trees.get(number) ?? this.#readTree(number)
      for (let at = 0; at < entries.length; at++) {
        const entry = entries[at] as number
        const child = Math.floor(entry / 2)
        if (this.found.has(child)) continue
        this.found.add(child)
        if (entry % 2 === 1) stack.push(child)
      }
    }
  }

  /** @returns as `NumberedTrees` has it: of each entry, twice its number, and one more for a tree; nothing of a blob */
  #readTree(number: number): readonly number[] {
    const { type, data } = this.#reader.read(this.#oidOf(number), 0)
    const entries: number[] = []
    if (type !== OBJECT_TYPE.tree) return entries
    const { objects, trees } = this.#known
    forEachTreeEntry(data, (mode, _nameStart, _nameEnd, oidAt) => {
      if (mode === GITLINK_MODE) return
      const child = this.numberFor(data, oidAt)
      const isTree = mode === TREE_MODE
      if (!isTree && child >= objects) this.#otherBlobs.add(child - objects)
      entries.push(child * 2 + (isTree ? 1 : 0))
    })
    if (number < objects) trees.set(number, entries, objects)
    return entries
  }

  #oidOf(number: number): Buffer {
    const { objects } = this.#known
    const other = this.#others[number - objects]
    if (other !== undefined) return other
    const oid = Buffer.alloc(20)
    this.#known.copyOid(number, oid, 0)
    return oid
  }

  #reachedFrom(number: number): BitSet | undefined {
    const isWrittenDown = this.#shallow.size === 0 && number < this.#known.objects
    return isWrittenDown ? this.#known.reachedFrom(number) : undefined
  }

  #numberOf(oid: Buffer, at: number): number | undefined {
    const known = this.#known.numberOf(oid, at)
    if (known >= 0) return known
    const other = this.#numbers.get(oid, at)
    return other === -1 ? undefined : this.#known.objects + other
  }
}

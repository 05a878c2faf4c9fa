import { parseCommit } from '../object/commit.ts'
import { parseTag } from '../object/tag.ts'
import { forEachTreeEntry, GITLINK_MODE, TREE_MODE } from '../object/tree.ts'
import { OidMap } from '../pack/oid-map.ts'
import { CommitQueue } from './commit-queue.ts'

/** Objects by name; a name that is asked for here is known to exist. */
export interface ObjectReader {
  /** 1 commit, 2 tree, 3 blob, 4 tag; throws if the object is missing */
  read(oid: Buffer, at: number): { readonly type: number; readonly data: Buffer }
}

export interface Selection {
  /** 20 bytes each: commits newest first, then tags, trees and blobs as they were found. */
  readonly oids: Buffer
  readonly count: number
  /** The receiver has this object already: it may serve as a base of a thin pack. */
  isKnown(oid: Buffer, at: number): boolean
}

const WANTED = 1
const KNOWN = 2
const IN_QUEUE = 4
/** A tag that was asked about, whose object is not sent. */
const UNSENT = 8

interface QueuedCommit {
  readonly oid: Buffer
  readonly tree: Buffer
  readonly parents: readonly Buffer[]
  readonly committerTimeS: number
}

/**
 * Which objects a receiver needs that wants `wants` and has `haves` with all they reach: what `git rev-list --objects
 * WANTS --not HAVES` lists, or some more where commit times contradict history.
 *
 * @param annotatedTags names of tag objects to add where the object they point to is sent (include-tag)
 */
export function selectObjects(
  reader: ObjectReader,
  wants: readonly Buffer[],
  haves: readonly Buffer[],
  annotatedTags: readonly Buffer[],
): Selection {
  return new Selector(reader).select(wants, haves, annotatedTags)
}

class Selector {
  readonly #reader: ObjectReader
  readonly #flags = new OidMap(65_536)
  readonly #queue = new CommitQueue<QueuedCommit>()
  #wantedInQueue = 0
  #oids = Buffer.alloc(20 * 4096)
  #count = 0

  constructor(reader: ObjectReader) {
    this.#reader = reader
  }

  select(wants: readonly Buffer[], haves: readonly Buffer[], annotatedTags: readonly Buffer[]): Selection {
    const roots: Buffer[] = []
    for (const have of haves) this.#start(have, KNOWN, roots)
    for (const want of wants) this.#start(want, WANTED, roots)
    const commits = this.#walkCommits()
    this.#markBoundary(commits)
    for (const commit of commits) this.#append(commit.oid, 0)
    for (const root of roots) this.#walkTrees(root, WANTED)
    for (const commit of commits) this.#walkTrees(commit.tree, WANTED)
    for (const tag of annotatedTags) this.#includeTag(tag)
    return {
      oids: this.#oids.subarray(0, this.#count * 20),
      count: this.#count,
      isKnown: (oid, at) => (this.#flagsOf(oid, at) & KNOWN) !== 0,
    }
  }

  /** A want or a have may be a tag of a tag of anything. */
  #start(oid: Buffer, flag: number, roots: Buffer[]): void {
    for (let name = oid; ;) {
      const { type, data } = this.#reader.read(name, 0)
      if (type === 1) {
        this.#enqueue(name, flag)
        return
      }
      if (type !== 4) {
        if (flag === KNOWN) this.#walkTrees(name, KNOWN)
        else roots.push(name)
        return
      }
      if ((this.#flagsOf(name, 0) & (flag | KNOWN)) !== 0) return
      this.#mark(name, 0, flag)
      if (flag === WANTED) this.#append(name, 0)
      name = Buffer.from(parseTag(data).object, 'hex')
    }
  }

  #enqueue(oid: Buffer, flag: number): void {
    const flags = this.#flagsOf(oid, 0)
    if ((flags & (flag | KNOWN)) !== 0) return
    if ((flags & IN_QUEUE) !== 0) {
      // Wanted until now, and not looked at yet.
      this.#wantedInQueue--
      this.#mark(oid, 0, flag)
      return
    }
    const { tree, parents, committerTimeS } = parseCommit(this.#reader.read(oid, 0).data)
    this.#queue.push({ oid, tree: fromHex(tree), parents: parents.map(fromHex), committerTimeS })
    this.#mark(oid, 0, flag | IN_QUEUE)
    if (flag === WANTED) this.#wantedInQueue++
  }

  /** Paints history newest first until only known commits are left. @returns the wanted ones that are not known */
  #walkCommits(): QueuedCommit[] {
    const wanted: QueuedCommit[] = []
    while (this.#wantedInQueue > 0) {
      const commit = this.#queue.pop()
      if (commit === undefined) break
      const flags = this.#flagsOf(commit.oid, 0)
      const known = (flags & KNOWN) !== 0
      this.#flags.set(commit.oid, 0, flags & ~IN_QUEUE)
      if (!known) {
        wanted.push(commit)
        this.#wantedInQueue--
      }
      for (const parent of commit.parents) this.#enqueue(parent, known ? KNOWN : WANTED)
    }
    // A commit may turn out to be known after it was listed, where a parent is younger than its child.
    return wanted.filter((commit) => (this.#flagsOf(commit.oid, 0) & KNOWN) === 0)
  }

  /** What the known parents of wanted commits hold need not be sent; what older commits hold is not worth the walk. */
  #markBoundary(commits: readonly QueuedCommit[]): void {
    for (const { parents } of commits) {
      for (const parent of parents) {
        if ((this.#flagsOf(parent, 0) & KNOWN) === 0) continue
        this.#walkTrees(fromHex(parseCommit(this.#reader.read(parent, 0).data).tree), KNOWN)
      }
    }
  }

  /** Marks a tree or blob and all below it; what becomes wanted is listed. */
  #walkTrees(root: Buffer, flag: number): void {
    if (!this.#visit(root, 0, flag)) return
    if (this.#reader.read(root, 0).type !== 2) return
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
    if ((this.#flagsOf(oid, at) & (flag | KNOWN)) !== 0) return false
    this.#mark(oid, at, flag)
    if (flag === WANTED) this.#append(oid, at)
    return true
  }

  /** Adds a tag, and the tags between it and what it points to, when that is being sent. */
  #includeTag(tag: Buffer): void {
    const chain: Buffer[] = []
    let isSent = false
    for (let name = tag; ;) {
      const flags = this.#flagsOf(name, 0)
      isSent = (flags & (WANTED | KNOWN)) === WANTED
      if ((flags & (WANTED | KNOWN | UNSENT)) !== 0) break
      const { type, data } = this.#reader.read(name, 0)
      if (type !== 4) break
      chain.push(name)
      name = fromHex(parseTag(data).object)
    }
    for (const name of chain) {
      if (isSent) this.#visit(name, 0, WANTED)
      // Tags may be tags of each other, in a long line: it is walked once, not for each of them.
      else this.#mark(name, 0, UNSENT)
    }
  }

  #flagsOf(oid: Buffer, at: number): number {
    return Math.max(0, this.#flags.get(oid, at))
  }

  #mark(oid: Buffer, at: number, flag: number): void {
    this.#flags.set(oid, at, this.#flagsOf(oid, at) | flag)
  }

  #append(oid: Buffer, at: number): void {
    if (this.#count * 20 === this.#oids.length) {
      const bigger = Buffer.alloc(this.#oids.length * 2)
      this.#oids.copy(bigger)
      this.#oids = bigger
    }
    oid.copy(this.#oids, this.#count * 20, at, at + 20)
    this.#count++
  }
}

function fromHex(hex: string): Buffer {
  return Buffer.from(hex, 'hex')
}

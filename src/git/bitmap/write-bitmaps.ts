import { forEachTreeEntry, GITLINK_MODE, TREE_MODE } from '../object/tree.ts'
import { OBJECT_TYPE } from '../object/type.ts'
import { OidMap } from '../pack/oid-map.ts'
import { CommitQueue } from '../object-graph/commit-queue.ts'
import { type CommitNode, type ObjectReader, Peeler, readCommit } from '../object-graph/object-reader.ts'
import { BitSet } from './bit-set.ts'
import { BitmapWriter, type PackMark, type TypeSets } from './bitmap-file.ts'

/** The objects of the pack that is to have bitmaps, numbered as they lie. */
export interface NumberedPack extends PackMark {
  /** @returns -1: it is not in the pack */
  numberOf(oid: Buffer, at: number): number
  /** In the order of names. */
  rankOf(number: number): number
  oidOf(number: number): Buffer
  /** By number: 1 commit, 2 tree, 3 blob, 4 tag. */
  types(): Uint8Array
}

/**
 * Between two commits with bitmaps lie so many in the walk: a walk that meets none of them reads as many before it does.
 * Of what is older fewer have any, as C git chooses (next_commit_index in pack-bitmap-write.c).
 */
const STEP = { recent: 100, old: 1_000, recentCommits: 20_000 } as const

interface Numbered extends CommitNode {
  readonly number: number
}

/**
 * Makes the bitmap file of a pack: for the newest commit, and for some on the way down from the tips, all that they
 * reach, as long as all of that is in the pack.
 *
 * @param tips what refs point to; what is not in the pack is walked through
 * @returns undefined where no commit has all it reaches in the pack
 */
export function writeBitmaps(reader: ObjectReader, pack: NumberedPack, tips: readonly Buffer[]): Buffer | undefined {
  const chosen = chooseCommits(walkPack(reader, pack, tips))
  const writer = new BitmapWriter(pack, typesOf(pack))
  const closures = new Closures(reader, pack, writer)
  let written = 0
  // Oldest first, so that each closure is the one before it and a little more.
  for (const number of chosen.toReversed()) {
    const closure = closures.of(number)
    if (closure !== undefined) {
      writer.add(pack.rankOf(number), closure)
      written++
    }
  }
  return written === 0 ? undefined : writer.finish()
}

/** @returns numbers of the commits in the pack, newest first */
function walkPack(reader: ObjectReader, pack: NumberedPack, tips: readonly Buffer[]): number[] {
  const queue = new CommitQueue<Numbered>()
  const seen = new BitSet(pack.objects)
  const elsewhere = new OidMap()
  const enqueue = (oid: Buffer): void => {
    const number = pack.numberOf(oid, 0)
    if (number < 0 ? elsewhere.get(oid) !== -1 : seen.has(number)) return
    if (number < 0) elsewhere.set(oid, 0, 1)
    else seen.add(number)
    queue.push({ ...readCommit(reader, oid), number })
  }
  const peeler = new Peeler(reader)
  for (const tip of tips) {
    const commit = peeler.commitOf(tip)
    if (commit !== undefined) enqueue(commit)
  }
  const inPack: number[] = []
  for (let commit = queue.pop(); commit !== undefined; commit = queue.pop()) {
    if (commit.number >= 0) inPack.push(commit.number)
    for (const parent of commit.parents) enqueue(parent)
  }
  return inPack
}

function chooseCommits(commits: readonly number[]): number[] {
  return commits.filter((_, age) => age % (age < STEP.recentCommits ? STEP.recent : STEP.old) === 0)
}

function typesOf(pack: NumberedPack): TypeSets {
  const [commits, trees, blobs, tags] = Array.from({ length: 4 }, () => new BitSet(pack.objects)) as [
    BitSet,
    BitSet,
    BitSet,
    BitSet,
  ]
  const sets = [commits, trees, blobs, tags]
  for (const [number, type] of pack.types().entries()) sets[type - 1]?.add(number)
  return { commits, trees, blobs, tags }
}

class Closures {
  readonly #reader: ObjectReader
  readonly #pack: NumberedPack
  readonly #written: BitmapWriter
  /** Commits that reach what is not in the pack. */
  readonly #open = new Set<number>()

  constructor(reader: ObjectReader, pack: NumberedPack, written: BitmapWriter) {
    this.#reader = reader
    this.#pack = pack
    this.#written = written
  }

  /** @returns undefined where the commit reaches what is not in the pack */
  of(number: number): BitSet | undefined {
    const closure = this.#make(number)
    if (closure === undefined) this.#open.add(number)
    return closure
  }

  #make(commit: number): BitSet | undefined {
    const closure = new BitSet(this.#pack.objects)
    const trees: Buffer[] = []
    const stack = [this.#pack.oidOf(commit)]
    for (let oid = stack.pop(); oid !== undefined; oid = stack.pop()) {
      const number = this.#pack.numberOf(oid, 0)
      if (number < 0 || this.#open.has(number)) return undefined
      if (closure.has(number)) continue
      const known = this.#written.reachedFrom(this.#pack.rankOf(number))
      if (known !== undefined) {
        closure.addAll(known)
        continue
      }
      closure.add(number)
      const { tree, parents } = readCommit(this.#reader, oid)
      trees.push(tree)
      // The first is looked at first: by it most of history comes along at once.
      for (const parent of parents.toReversed()) stack.push(parent)
    }
    return trees.every((tree) => this.#addTree(closure, tree)) ? closure : undefined
  }

  /** @returns false where something is not in the pack */
  #addTree(closure: BitSet, root: Buffer): boolean {
    const stack: Buffer[] = []
    /** @returns false where it is not in the pack */
    const visit = (oid: Buffer, at: number, isTree: boolean): boolean => {
      const number = this.#pack.numberOf(oid, at)
      if (number < 0) return false
      if (closure.has(number)) return true
      closure.add(number)
      // A copy: a part would keep the whole tree in memory.
      if (isTree) stack.push(Buffer.from(oid.subarray(at, at + 20)))
      return true
    }
    if (!visit(root, 0, true)) return false
    for (let oid = stack.pop(); oid !== undefined; oid = stack.pop()) {
      const { type, data } = this.#reader.read(oid, 0)
      if (type !== OBJECT_TYPE.tree) continue
      let isClosed = true
      forEachTreeEntry(data, (mode, _nameStart, _nameEnd, oidAt) => {
        if (mode !== GITLINK_MODE && !visit(data, oidAt, mode === TREE_MODE)) isClosed = false
      })
      if (!isClosed) return false
    }
    return true
  }
}

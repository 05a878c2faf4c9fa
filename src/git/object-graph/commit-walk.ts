import { OidMap } from '../pack/oid-map.ts'
import { CommitQueue } from './commit-queue.ts'
import { IN_QUEUE, KNOWN, type Marks, WANTED } from './marks.ts'
import { type CommitNode, type ObjectReader, readCommit } from './object-reader.ts'

/** A commit at which the receiver's history ends has no parents here. */
export interface WalkedCommit extends CommitNode {
  readonly oid: Buffer
}

export interface WalkBounds {
  /** Commits that count as having no parents, as shallow ones at the receiver (gitformat: shallow). */
  readonly shallow: readonly Buffer[]
  /** What is older counts as known, and so does everything that it comes from. */
  readonly sinceS: number
}

/** Paints history newest first: what is wanted, and what is known with all that it comes from. */
export class CommitWalk {
  readonly #reader: ObjectReader
  readonly #marks: Marks
  readonly #shallow: OidMap
  readonly #sinceS: number
  readonly #queue = new CommitQueue<WalkedCommit>()
  #wantedInQueue = 0

  constructor(reader: ObjectReader, marks: Marks, { shallow, sinceS }: WalkBounds) {
    this.#reader = reader
    this.#marks = marks
    this.#sinceS = sinceS
    this.#shallow = OidMap.of(shallow)
  }

  /** @param flag WANTED or KNOWN */
  enqueue(oid: Buffer, flag: number): void {
    const flags = this.#marks.of(oid)
    if ((flags & (flag | KNOWN)) !== 0) return
    if ((flags & IN_QUEUE) !== 0) {
      // Wanted until now, and not looked at yet.
      this.#wantedInQueue--
      this.#marks.add(oid, 0, flag)
      return
    }
    this.#queue.push(this.read(oid))
    this.#marks.add(oid, 0, flag | IN_QUEUE)
    if (flag === WANTED) this.#wantedInQueue++
  }

  /**
   * Until only known commits are left, and none of them is as young as the last wanted one: of two that were made in one
   * second, the known one may come from the other (still_interesting in revision.c).
   *
   * @returns the wanted ones that are not known, newest first
   */
  run(): WalkedCommit[] {
    const wanted: WalkedCommit[] = []
    while (this.#wantedInQueue > 0 || this.#isAsYoung(wanted.at(-1))) {
      const commit = this.#queue.pop()
      if (commit === undefined) break
      this.#marks.remove(commit.oid, 0, IN_QUEUE)
      const wasKnown = (this.#marks.of(commit.oid) & KNOWN) !== 0
      if (!wasKnown) this.#wantedInQueue--
      const isKnown = wasKnown || commit.committerTimeS < this.#sinceS
      if (isKnown) this.#marks.add(commit.oid, 0, KNOWN)
      else wanted.push(commit)
      for (const parent of commit.parents) this.enqueue(parent, isKnown ? KNOWN : WANTED)
    }
    // A commit may turn out to be known after it was listed, where a parent is younger than its child.
    return wanted.filter((commit) => (this.#marks.of(commit.oid) & KNOWN) === 0)
  }

  /** Whether what comes next may still lead to this one. */
  #isAsYoung(listed: WalkedCommit | undefined): boolean {
    const next = this.#queue.first
    return listed !== undefined && next !== undefined && next.committerTimeS >= listed.committerTimeS
  }

  read(oid: Buffer): WalkedCommit {
    const { tree, parents, committerTimeS } = readCommit(this.#reader, oid)
    return { oid, tree, parents: this.#shallow.get(oid) === 1 ? [] : parents, committerTimeS }
  }
}

import { OidMap } from '../pack/oid-map.ts'
import { CommitWalk } from './commit-walk.ts'
import { KNOWN, Marks, WANTED } from './marks.ts'
import { type ObjectReader, Peeler, readCommit } from './object-reader.ts'

/** The depth by which clients say that they want all (INFINITE_DEPTH in C git's shallow.h). */
export const INFINITE_DEPTH = 0x7fffffff

/** How much of history a client wants (gitprotocol-pack, "Packfile Negotiation"): by depth, or by time and refs. */
export interface Deepening {
  /** Commits in a line, the first included; 1 to `INFINITE_DEPTH`. */
  readonly depth: number | undefined
  /** Counted from where the client's history ends, and not from what it wants. */
  readonly relative: boolean
  /** Seconds since 1970. */
  readonly sinceS: number | undefined
  /** What these reach is left out. */
  readonly not: readonly Buffer[]
}

/** Where the client's history is to end, as far as that changes. */
export interface Boundary {
  readonly shallow: readonly Buffer[]
  /** These get their parents. */
  readonly unshallow: readonly Buffer[]
  /** Parents of `unshallow`: they are wanted now. */
  readonly parents: readonly Buffer[]
}

/**
 * As C git's upload-pack.c does (send_shallow_list).
 *
 * @param shallows commits at which the client's history ends now
 * @returns undefined where nothing of what is wanted is young enough
 */
export function findBoundary(
  reader: ObjectReader,
  wants: readonly Buffer[],
  shallows: readonly Buffer[],
  deepening: Deepening,
): Boundary | undefined {
  const { depth, relative } = deepening
  const found =
    depth === undefined
      ? bySelection(reader, wants, deepening)
      : depth === INFINITE_DEPTH
        ? { border: [], isInside: () => true }
        : relative
          ? byDepth(reader, shallows, depth + 1)
          : byDepth(reader, wants, depth)
  if (found === undefined) return undefined
  const { border, isInside } = found
  const known = OidMap.of(shallows)
  const unshallow = shallows.filter(isInside)
  const parents = unshallow.flatMap((oid) => readCommit(reader, oid).parents)
  return { shallow: border.filter((oid) => known.get(oid) === -1), unshallow, parents }
}

interface Found {
  /** Commits whose parents the client does not get. */
  readonly border: readonly Buffer[]
  /** Whether the client gets the commit and its parents. */
  readonly isInside: (oid: Buffer) => boolean
}

/** Level by level, so that each commit is met at its smallest depth. */
function byDepth(reader: ObjectReader, starts: readonly Buffer[], depth: number): Found {
  const levelOf = new OidMap()
  const firstMet = (oid: Buffer, level: number): boolean => {
    if (levelOf.get(oid) !== -1) return false
    levelOf.set(oid, 0, level)
    return true
  }
  const isInside = (oid: Buffer): boolean => {
    const level = levelOf.get(oid)
    return level !== -1 && level < depth
  }
  const peeler = new Peeler(reader)
  let commits = starts
    .map((oid) => peeler.commitOf(oid))
    .filter((oid) => oid !== undefined)
    .filter((oid) => firstMet(oid, 1))
  for (let level = 1; level < depth && commits.length > 0; level++) {
    const next: Buffer[] = []
    for (const oid of commits) {
      for (const parent of readCommit(reader, oid).parents) {
        if (firstMet(parent, level + 1)) next.push(parent)
      }
    }
    commits = next
  }
  return { border: commits, isInside }
}

/** By time, and by what must not be reached. */
function bySelection(
  reader: ObjectReader,
  wants: readonly Buffer[],
  { sinceS = Number.NEGATIVE_INFINITY, not }: Deepening,
): Found | undefined {
  const walk = new CommitWalk(reader, new Marks(), { shallow: [], sinceS })
  const peeler = new Peeler(reader)
  for (const [oids, flag] of [
    [not, KNOWN],
    [wants, WANTED],
  ] as const) {
    for (const oid of oids) {
      const commit = peeler.commitOf(oid)
      if (commit !== undefined) walk.enqueue(commit, flag)
    }
  }
  const selected = walk.run()
  if (selected.length === 0) return undefined
  const inside = OidMap.of(selected.map(({ oid }) => oid))
  const border = selected.filter(({ parents }) => parents.some((parent) => inside.get(parent) === -1))
  for (const { oid } of border) inside.set(oid, 0, 0)
  return { border: border.map(({ oid }) => oid), isInside: (oid) => inside.get(oid) === 1 }
}

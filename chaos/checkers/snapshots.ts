/** Where a read stands: how many pushes of each line it shows. */
import type { Read } from '../history.ts'
import { type Line, type RepositoryLines, short } from './ref-lines.ts'

export interface Snapshot {
  readonly read: Read
  /** By the order of the repository's lines. */
  readonly positions: readonly number[]
}

/** @returns what the read shows that no push made, where it shows such a thing */
export function snapshotOf(read: Read, { lines, lineOfRef }: RepositoryLines): Snapshot | string {
  const stray = Object.keys(read.refs).find((ref) => !lineOfRef.has(ref))
  if (stray !== undefined) return `has ${stray}, which nobody pushed`
  const positions: number[] = []
  for (const line of lines) {
    const value = read.refs[line.clock]
    const position = line.positionOf.get(value)
    if (position === undefined) return `has ${line.clock} at ${short(value)}, which no push that was taken made it`
    const difference = differenceFrom(line, position, read, lineOfRef)
    if (difference !== undefined) return difference
    positions.push(position)
  }
  return { read, positions }
}

/** Pushes of several refs change all of them or none, and no push of a line changes refs of another one. */
function differenceFrom(
  line: Line,
  position: number,
  { refs }: Read,
  lineOfRef: RepositoryLines['lineOfRef'],
): string | undefined {
  const state = line.states[position] ?? {}
  for (const [ref, of] of lineOfRef) {
    if (of !== line || refs[ref] === state[ref]) continue
    return `has ${line.clock} at ${short(refs[line.clock])}, but ${ref} at ${short(refs[ref])} and not ${short(state[ref])}`
  }
  return undefined
}

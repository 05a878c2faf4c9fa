/** Which paths a sparse checkout has (gitignore, "PATTERN FORMAT"; dir.c of git, without cone mode). */
import { GutsError } from '../../errors.ts'
import { Wildmatch } from './wildmatch.ts'

export type SparseVerdict = 'in' | 'out' | 'undecided'

/** What a filter may cost: the same tree may lie at very many paths, and a pattern may be made to take long. */
export const SPARSE_LIMITS = {
  sparse_filter_bytes: { value: 64 * 1024, unit: 'bytes', description: 'Patterns that a sparse:oid filter names.' },
  sparse_filters: { value: 16, unit: undefined, description: 'Lists of patterns that the filter of one fetch names.' },
  sparse_filter_places: {
    value: 2_000_000,
    unit: undefined,
    description: 'Paths, and folders at paths, that a fetch with a sparse:oid filter looks at.',
  },
  sparse_filter_steps: {
    value: 2_000_000_000,
    unit: undefined,
    description:
      'Comparisons of patterns with paths, and entries of folders, that a fetch with a sparse:oid filter takes.',
  },
} as const satisfies Record<string, { value: number; unit: 'bytes' | undefined; description: string }>

/** A filter that cannot be followed. `message` is read by the client. */
export class SparseError extends GutsError<
  { readonly code: 'sparse_blob_missing' } | { readonly code: 'over_limit'; readonly limit: keyof typeof SPARSE_LIMITS }
> {}

export function overSparseLimit(limit: keyof typeof SPARSE_LIMITS): SparseError {
  const { value } = SPARSE_LIMITS[limit]
  return new SparseError({ code: 'over_limit', limit }, `The filter is too large; the limit (${limit}) is ${value}`)
}

/** Spent by everything that a filter asks, and remembers. */
export class SparseBudget {
  #stepsLeft: number
  #placesLeft: number

  constructor({
    steps = SPARSE_LIMITS.sparse_filter_steps.value,
    places = SPARSE_LIMITS.sparse_filter_places.value,
  }: { readonly steps?: number; readonly places?: number } = {}) {
    this.#stepsLeft = steps
    this.#placesLeft = places
  }

  /** @throws SparseError over_limit: nothing is left */
  spend(steps: number): void {
    this.#stepsLeft -= steps
    if (this.#stepsLeft < 0) throw overSparseLimit('sparse_filter_steps')
  }

  /** @throws SparseError over_limit: nothing is left */
  remember(): void {
    this.#placesLeft--
    if (this.#placesLeft < 0) throw overSparseLimit('sparse_filter_places')
  }
}

/** Blobs are sent that every list has. */
export interface Sparse {
  readonly lists: readonly SparsePatterns[]
  readonly budget: SparseBudget
}

interface Pattern {
  readonly isNegative: boolean
  readonly onlyFolders: boolean
  /** It is about the last part of a path alone. */
  readonly onlyName: boolean
  /** What a match begins with, without wildcards. */
  readonly literal: Buffer
  /** undefined: there are none */
  readonly wild: Wildmatch | undefined
}

const NEWLINE = 0x0a
const SLASH = 0x2f
const SPACE = 0x20
const BACKSLASH = 0x5c
const BOM = Buffer.from([0xef, 0xbb, 0xbf])

export class SparsePatterns {
  readonly #patterns: readonly Pattern[]
  readonly #budget: SparseBudget

  /** @param text as it is written to `.git/info/sparse-checkout` */
  constructor(text: Buffer, budget: SparseBudget) {
    this.#budget = budget
    // The last one that matches decides.
    this.#patterns = linesOf(text).map(parsePattern).toReversed()
  }

  /**
   * @param path from the root; the root itself is empty
   * @param nameAt where its last part begins
   */
  judge(path: Buffer, nameAt: number, isFolder: boolean): SparseVerdict {
    this.#budget.spend(1)
    for (const pattern of this.#patterns) {
      this.#budget.spend(1 + (pattern.wild === undefined ? 0 : pattern.wild.steps * (path.length + 1)))
      if (pattern.onlyFolders && !isFolder) continue
      const matches = pattern.onlyName ? isMatch(pattern, path, nameAt) : path.length > 0 && isMatch(pattern, path, 0)
      if (matches) return pattern.isNegative ? 'out' : 'in'
    }
    return 'undecided'
  }
}

function isMatch({ literal, wild }: Pattern, path: Buffer, from: number): boolean {
  const end = from + literal.length
  if (end > path.length || path.compare(literal, 0, literal.length, from, end) !== 0) return false
  return wild === undefined ? end === path.length : wild.matches(path, end)
}

function linesOf(text: Buffer): Buffer[] {
  const start = text.subarray(0, BOM.length).equals(BOM) ? BOM.length : 0
  const lines: Buffer[] = []
  for (let at = start; at < text.length;) {
    const found = text.indexOf(NEWLINE, at)
    const end = found < 0 ? text.length : found
    const line = text.subarray(at, end)
    at = end + 1
    if (line.length === 0 || line[0] === 0x23) continue
    lines.push(withoutTrailingSpaces(asText(line)))
  }
  return lines
}

/** As C reads it: up to a NUL, and without the carriage return that is a part of the line's end. */
function asText(line: Buffer): Buffer {
  const nul = line.indexOf(0)
  const end = line[line.length - 1] === 0x0d ? line.length - 1 : line.length
  return line.subarray(0, nul < 0 ? end : Math.min(nul, end))
}

function withoutTrailingSpaces(line: Buffer): Buffer {
  let firstSpace = -1
  for (let at = 0; at < line.length; at++) {
    if (line[at] === SPACE) {
      if (firstSpace < 0) firstSpace = at
      continue
    }
    firstSpace = -1
    if (line[at] !== BACKSLASH) continue
    at++
    if (at >= line.length) return line
  }
  return firstSpace < 0 ? line : line.subarray(0, firstSpace)
}

function parsePattern(line: Buffer): Pattern {
  const isNegative = line[0] === 0x21
  let text = isNegative ? line.subarray(1) : line
  const onlyFolders = text[text.length - 1] === SLASH
  if (onlyFolders) text = text.subarray(0, -1)
  const onlyName = !text.includes(SLASH)
  if (text[0] === SLASH) text = text.subarray(1)
  const wildAt = text.findIndex((byte) => byte === 0x2a || byte === 0x3f || byte === 0x5b || byte === BACKSLASH)
  const literal = wildAt < 0 ? text : text.subarray(0, wildAt)
  // A name is matched as a whole, a path from where its wildcards begin: two stars mean other things there.
  if (wildAt < 0) return { isNegative, onlyFolders, onlyName, literal, wild: undefined }
  return onlyName
    ? { isNegative, onlyFolders, onlyName, literal: Buffer.alloc(0), wild: new Wildmatch(text, false) }
    : { isNegative, onlyFolders, onlyName, literal, wild: new Wildmatch(text.subarray(wildAt), true) }
}

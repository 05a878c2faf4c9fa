/** Defects that a parser may well have, each with the target that must find it: proof that fuzzing here finds things. */
import type { TargetName } from './targets.ts'

export interface PlantedDefect {
  readonly target: TargetName
  readonly why: string
  /** Relative to the repository's root. */
  readonly file: string
  /** What is there once… */
  readonly from: string
  /** …and what stands there instead. */
  readonly to: string
}

export const PLANTED_DEFECTS = {
  'lenient-length': {
    target: 'pkt-line',
    why: 'parseInt reads "+00a" as 10, so a client shifts every later line (DESIGN §11)',
    file: 'src/git/pkt-line.ts',
    from: 'const length = hex4(bytes)',
    to: "const length = Number.parseInt(bytes.toString('latin1', 0, LENGTH_BYTES), 16) || hex4(bytes)",
  },
  'one-want-too-many': {
    target: 'upload-pack',
    why: 'a limit that is checked too late by one',
    file: 'src/git/protocol/upload-request.ts',
    from: 'this.#wants.length >= this.#limits.wantsMax',
    to: 'this.#wants.length > this.#limits.wantsMax',
  },
  'lock-suffix': {
    target: 'receive-pack',
    why: 'a ref named like its own lock file cannot be written to disk',
    file: 'src/git/ref-name.ts',
    from: 'if (at - componentAt >= LOCK_SUFFIX.length &&',
    to: 'if (at - componentAt >= LOCK_SUFFIX.length && at < name.length &&',
  },
  'copy-beyond-base': {
    target: 'pack',
    why: 'a delta that copies from beyond its base makes an object of memory that was never written',
    file: 'src/git/delta.ts',
    from: "if (offset + size > base.length) throw invalid('a copy reaches beyond the base')",
    to: "if (offset > base.length) throw invalid('a copy reaches beyond the base')",
  },
  'dot-git': {
    target: 'object',
    why: 'a tree that is checked out into .git runs what the pusher likes',
    file: 'src/git/fsck/tree.ts',
    from: "if (isDotGit(data, at)) return 'hasDotgit'",
    to: 'isDotGit(data, at)',
  },
  'two-spellings': {
    target: 'replication',
    why: 'an entry that can be spelled in two ways has two hashes, and a chain of them two ends',
    file: 'src/validation/cbor.ts',
    from: 'if (!Buffer.from(encode(value)).equals(bytes)) {',
    to: 'if (encode(value).length === 0) {',
  },
  'padded-date': {
    target: 'object',
    why: 'only C git knows that a date may not begin with a zero: what it would refuse is taken',
    file: 'src/git/fsck/identity.ts',
    from: "if (data[dateAt] === ZERO && data[dateAt + 1] !== SPACE) return 'zeroPaddedDate'",
    to: '',
  },
} as const satisfies Readonly<Record<string, PlantedDefect>>

export type DefectName = keyof typeof PLANTED_DEFECTS
export const DEFECT_NAMES = Object.keys(PLANTED_DEFECTS) as DefectName[]

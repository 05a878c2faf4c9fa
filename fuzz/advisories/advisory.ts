/** A defect that somebody published of a git server or library, built anew by us: what it was, and what must happen here. */
import type { ReaderName } from './readers.ts'

export type Software =
  | 'git'
  | 'libgit2'
  | 'JGit'
  | 'go-git'
  | 'dulwich'
  | 'isomorphic-git'
  | 'gitoxide'
  /** An earlier implementation of this node (DESIGN §11). */
  | 'guts'

export interface Rebuilt {
  /** Who reads it here, and so which fuzz targets it is replayed in. */
  readonly reader: ReaderName
  make(): Buffer
  /** `accepted` (and served within the reader's budget), or the code of the refusal. */
  readonly outcome: string
}

export interface Advisory {
  /** As it is published: a CVE, an advisory, `owner/name#issue`, a commit, a test of git's own. */
  readonly name: string
  readonly of: readonly Software[]
  /** One sentence, without its full stop. */
  readonly defect: string
  /** By what is special about each. */
  readonly inputs: Readonly<Record<string, Rebuilt>>
}

/** Several inputs of one reader and outcome. */
export function all(
  reader: ReaderName,
  outcome: string,
  makers: Readonly<Record<string, () => Buffer>>,
): Readonly<Record<string, Rebuilt>> {
  return Object.fromEntries(Object.entries(makers).map(([what, make]) => [what, { reader, make, outcome }]))
}

import { ObjectError } from './error.ts'
import { HeaderLines } from './header-lines.ts'
import { parseIdentity, type Identity } from './identity.ts'

/** What walking history needs of a commit. */
export interface CommitLinks {
  /** 40 hex digits */
  readonly tree: string
  readonly parents: readonly string[]
  /** Seconds since 1970; 0 where the commit does not say it in a way that git understands. */
  readonly committerTimeS: number
}

export interface Commit extends CommitLinks {
  readonly author: Identity
  readonly committer: Identity
  /** As it was written, read as UTF-8. */
  readonly message: string
}

/** git reads capitals too. */
const OID = /^[0-9a-f]{40}$/i

/**
 * Takes what git's own walkers take: whether the commit is well-formed is fsck's question.
 *
 * @throws ObjectError commit_invalid
 */
export function parseCommit(data: Buffer): CommitLinks {
  return parseLinks(data).links
}

/** The whole commit, for people. @throws ObjectError commit_invalid */
export function parseWholeCommit(data: Buffer): Commit {
  const { links, author, committer, lines } = parseLinks(data)
  return {
    ...links,
    author: parseIdentity(author),
    committer: parseIdentity(committer),
    message: data.toString('utf8', lines.bodyAt()),
  }
}

function parseLinks(data: Buffer): { links: CommitLinks; author: string; committer: string; lines: HeaderLines } {
  const lines = new HeaderLines(data)
  const tree = lines.take('tree')
  if (tree === undefined || !OID.test(tree)) throw invalid('it names no tree')
  const parents: string[] = []
  for (let parent = lines.take('parent'); parent !== undefined; parent = lines.take('parent')) {
    if (!OID.test(parent)) throw invalid('a parent is no object id')
    parents.push(parent.toLowerCase())
  }
  const author = lines.take('author') ?? ''
  const committer = lines.take('committer') ?? ''
  return {
    links: { tree: tree.toLowerCase(), parents, committerTimeS: parseIdentity(committer).timeS },
    author,
    committer,
    lines,
  }
}

function invalid(reason: string): ObjectError {
  return new ObjectError({ code: 'commit_invalid', reason }, `A commit is invalid: ${reason}`)
}

import type { FsckId } from './error.ts'
import { afterOidLine, checkHeader, hasPrefix } from './header.ts'
import { afterLine, checkIdentity } from './identity.ts'

/** What git refuses in a commit ("fsck.c", fsck_commit). */
export function checkCommit(data: Buffer): FsckId | undefined {
  const header = checkHeader(data)
  if (header !== undefined) return header
  if (!hasPrefix(data, 0, 'tree ')) return 'missingTree'
  let at = afterOidLine(data, 5)
  if (at < 0) return 'badTreeSha1'
  while (hasPrefix(data, at, 'parent ')) {
    at = afterOidLine(data, at + 7)
    if (at < 0) return 'badParentSha1'
  }
  let authors = 0
  for (; hasPrefix(data, at, 'author '); authors++) {
    const identity = checkIdentity(data, at + 7)
    if (identity !== undefined) return identity
    at = afterLine(data, at)
  }
  if (authors === 0) return 'missingAuthor'
  if (authors > 1) return 'multipleAuthors'
  if (!hasPrefix(data, at, 'committer ')) return 'missingCommitter'
  return checkIdentity(data, at + 10) ?? (data.includes(0) ? 'nulInCommit' : undefined)
}

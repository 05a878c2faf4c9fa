import { OBJECT_TYPES } from '../object/type.ts'
import type { FsckId } from './error.ts'
import { afterOidLine, checkHeader, hasPrefix } from './header.ts'
import { afterLine, checkIdentity } from './identity.ts'

/** git's parser wants this much, a few bytes more than the shortest three lines take ("tag.c", parse_tag_buffer). */
const TAG_BYTES_MIN = 64

/**
 * What git refuses in a tag ("fsck.c", fsck_tag; "tag.c"). The name in the `tag` line is only remarked on by git, and a
 * tag without a tagger is an early one.
 */
export function checkTag(data: Buffer): FsckId | undefined {
  const header = checkHeader(data)
  if (header !== undefined) return header
  if (!hasPrefix(data, 0, 'object ')) return 'missingObject'
  let at = afterOidLine(data, 7)
  if (at < 0) return 'badObjectSha1'
  if (!hasPrefix(data, at, 'type ')) return 'missingTypeEntry'
  if (!OBJECT_TYPES.some((type) => hasPrefix(data, at + 5, `${type}\n`))) return 'badType'
  at = afterLine(data, at)
  if (!hasPrefix(data, at, 'tag ')) return 'missingTagEntry'
  if (data.length < TAG_BYTES_MIN) return 'tagTooShort'
  at = afterLine(data, at)
  return hasPrefix(data, at, 'tagger ') ? checkIdentity(data, at + 7) : undefined
}

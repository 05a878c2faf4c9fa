import { ObjectError } from '../object/error.ts'
import { forEachTreeEntry, GITLINK_MODE, TREE_MODE } from '../object/tree.ts'
import { OBJECT_TYPE, OBJECT_TYPES, typeNameOf } from '../object/type.ts'
import { afterOidLine, hasPrefix, hexValue } from './header.ts'

/**
 * @param oids holds the target's id at `oidAt`; valid only during the call
 * @param expectedType 1–4, what the target must be
 */
export type OnLink = (oids: Buffer, oidAt: number, expectedType: number) => void

/**
 * Each object that this one needs, a target as often as it is named. What a gitlink names belongs to another repository
 * and is left out ("fsck.c", fsck_walk).
 *
 * @param type 1–4
 * @throws ObjectError commit_invalid, tree_invalid, tag_invalid: never for an object that checkObject took
 */
export function forEachLink(type: number, data: Buffer, visit: OnLink): void {
  switch (type) {
    case OBJECT_TYPE.commit:
      return forEachLinkOfCommit(data, visit)
    case OBJECT_TYPE.tree:
      return forEachTreeEntry(data, (mode, _nameAt, _nameEnd, oidAt) => {
        if (mode !== GITLINK_MODE) visit(data, oidAt, mode === TREE_MODE ? OBJECT_TYPE.tree : OBJECT_TYPE.blob)
      })
    case OBJECT_TYPE.tag:
      return linkOfTag(data, visit)
    default:
  }
}

function forEachLinkOfCommit(data: Buffer, visit: OnLink): void {
  const oid = Buffer.allocUnsafe(20)
  let at = 0
  for (let prefix = 'tree '; prefix === 'tree ' || hasPrefix(data, at, prefix); prefix = 'parent ') {
    const valueAt = at + prefix.length
    const next = hasPrefix(data, at, prefix) ? afterOidLine(data, valueAt) : -1
    if (next < 0) throw invalid('commit_invalid', OBJECT_TYPE.commit)
    decodeHex(data, valueAt, oid)
    visit(oid, 0, prefix === 'tree ' ? OBJECT_TYPE.tree : OBJECT_TYPE.commit)
    at = next
  }
}

function linkOfTag(data: Buffer, visit: OnLink): void {
  const typeAt = hasPrefix(data, 0, 'object ') ? afterOidLine(data, 7) : -1
  const target = OBJECT_TYPES.findIndex((type) => typeAt >= 0 && hasPrefix(data, typeAt, `type ${type}\n`))
  if (target < 0) throw invalid('tag_invalid', OBJECT_TYPE.tag)
  const oid = Buffer.allocUnsafe(20)
  decodeHex(data, 7, oid)
  visit(oid, 0, target + 1)
}

function decodeHex(data: Buffer, at: number, oid: Buffer): void {
  for (let i = 0; i < oid.length; i++) oid[i] = (hexValue(data[at + 2 * i]) << 4) | hexValue(data[at + 2 * i + 1])
}

function invalid(code: 'commit_invalid' | 'tag_invalid', type: number): ObjectError {
  const reason = 'it does not name what it needs'
  return new ObjectError({ code, reason }, `A ${typeNameOf(type)} is invalid: ${reason}`)
}

import { OBJECT_TYPE } from '../object/type.ts'
import { checkCommit } from './commit.ts'
import type { FsckId } from './error.ts'
import { checkTag } from './tag.ts'
import { checkTree, type OnSpecialFile } from './tree.ts'

/**
 * What `git fsck --strict` refuses in one object, looked at alone. A blob is fine alone: which ones are a `.gitmodules`
 * or a `.gitattributes` only trees know, see ObjectChecker.
 *
 * @param type 1–4
 */
export function checkObject(type: number, data: Buffer, onSpecialFile: OnSpecialFile = ignore): FsckId | undefined {
  if (type === OBJECT_TYPE.commit) return checkCommit(data)
  if (type === OBJECT_TYPE.tree) return checkTree(data, onSpecialFile)
  return type === OBJECT_TYPE.tag ? checkTag(data) : undefined
}

function ignore(): void {}

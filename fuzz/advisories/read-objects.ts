/** Packs, deltas and objects, as a push has them read. */
import assert from 'node:assert/strict'
import { applyDelta } from '../../src/git/delta.ts'
import { checkObject } from '../../src/git/fsck/check-object.ts'
import { checkGitattributes } from '../../src/git/fsck/gitattributes.ts'
import { checkGitmodules } from '../../src/git/fsck/gitmodules.ts'
import { forEachLink } from '../../src/git/fsck/links.ts'
import { parseWholeCommit } from '../../src/git/object/commit.ts'
import { parseTag } from '../../src/git/object/tag.ts'
import { OBJECT_TYPE } from '../../src/git/object/type.ts'
import { decodeEntryHeader } from '../../src/git/pack/header.ts'
import { OUTSIDE } from '../grammar/packs.ts'
import { withinBudget } from '../oracles/allocation-meter.ts'
import { readPack } from '../oracles/packs.ts'
import { baseOf } from './makers.ts'

/** As the fuzz target has it. */
const RESULT_BYTES_MAX = 2 ** 18

export function readPackBytes(bytes: Buffer): undefined {
  readPack(bytes, OUTSIDE)
}

/** @param bytes two of the base's length, then the delta */
export function readDelta(bytes: Buffer): undefined {
  const delta = bytes.subarray(2)
  withinBudget(RESULT_BYTES_MAX, () => applyDelta(baseOf(bytes.readUInt16BE(0)), delta, RESULT_BYTES_MAX))
}

export function readEntryHeader(bytes: Buffer): undefined {
  decodeEntryHeader(bytes, 0, 0)
}

/** @returns fsck's id of what is wrong; what is taken can be walked, and read for people */
export function readObject(kind: string, bytes: Buffer): string | undefined {
  if (kind === 'gitmodules') return checkGitmodules(bytes)
  if (kind === 'gitattributes') return checkGitattributes(bytes)
  const type = OBJECT_TYPE[kind as keyof typeof OBJECT_TYPE]
  const id = checkObject(type, bytes)
  if (id !== undefined) return id
  forEachLink(type, bytes, (oids, at) => assert(oids.length >= at + 20))
  if (kind === 'commit') parseWholeCommit(bytes)
  if (kind === 'tag') parseTag(bytes)
  return undefined
}

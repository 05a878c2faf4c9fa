import { readFileSync } from 'node:fs'
import { hasErrorCode } from '../../errors.ts'
import { PackError } from '../../git/pack/error.ts'
import { decodeMtimes } from '../../git/pack/mtimes-file.ts'
import type { PackFile } from './pack-file.ts'

/**
 * When the objects of a pack were last needed, as far as known: seconds since 1970, in the order of names.
 *
 * @returns undefined where nobody has written it down, or it is damaged: then nobody knows
 */
export function readPackTimes(pack: PackFile): Uint32Array | undefined {
  const { count: objects, packChecksum: checksum } = pack.index
  try {
    return decodeMtimes(readFileSync(pack.path.replace(/\.pack$/, '.mtimes')), { objects, checksum })
  } catch (error) {
    const isInvalid = error instanceof PackError && error.detail.code === 'mtimes_invalid'
    if (!isInvalid && !hasErrorCode(error, 'ENOENT')) throw error
    return undefined
  }
}

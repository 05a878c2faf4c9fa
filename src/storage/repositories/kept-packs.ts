import { readdir, readFile, stat } from 'node:fs/promises'
import { join } from 'node:path'

import { hasErrorCode } from '../../errors.ts'
import type { FileSystem } from '../file-system.ts'
import { unlinkIfThere } from './stored-packs.ts'

/** `git gc` leaves a pack alone that has such a file beside it (git-repack, "-a"). */
const KEEP = '.keep'
/** Beside a pack: of no use without it. */
const COMPANIONS = /\.(?:bitmap|mtimes)$/
const PACK = '.pack'
/** git, too, moves a pack to its place before its index, at once; this one waits for none any more. */
const INDEX_COMES_WITHIN_MS = 3_600_000
const KEEP_MARK = Buffer.from('guts: until the refs are written\n')

/**
 * @param directory `objects/pack`
 * @returns a function that takes it away again, unless somebody else had put one there
 */
export async function keepPack(
  fileSystem: FileSystem,
  directory: string,
  packName: string,
): Promise<() => Promise<void>> {
  const path = join(directory, `pack-${packName}${KEEP}`)
  try {
    const file = await fileSystem.create(path)
    try {
      await file.write(KEEP_MARK, 0)
    } finally {
      await file.close()
    }
  } catch (error) {
    if (hasErrorCode(error, 'EEXIST')) return async () => {}
    throw error
  }
  return () => unlinkIfThere(fileSystem, path)
}

/**
 * Takes away all of ours; others' are as their owners put them. And what a crash left of packs that were going: it is no
 * pack without its index.
 */
export async function tidyPacks(fileSystem: FileSystem, directory: string): Promise<void> {
  const names = await readdir(directory)
  for (const name of names) {
    const path = join(directory, name)
    const hasIndex = names.includes(name.replace(/\.[a-z]+$/, '.idx'))
    const isLeft = !hasIndex && (COMPANIONS.test(name) || (name.endsWith(PACK) && (await isOld(path))))
    if (isLeft || (name.endsWith(KEEP) && isOurMark(await readFile(path)))) await fileSystem.unlink(path)
  }
}

async function isOld(path: string): Promise<boolean> {
  return (await stat(path)).mtimeMs < Date.now() - INDEX_COMES_WITHIN_MS
}

/** It is never synced: what a power cut leaves of it may be empty, short or zeros. */
function isOurMark(content: Buffer): boolean {
  return content.length <= KEEP_MARK.length && content.every((byte, at) => byte === KEEP_MARK[at] || byte === 0)
}

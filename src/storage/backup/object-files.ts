import { readdirSync, statSync } from 'node:fs'
import { join } from 'node:path'

import { hasErrorCode } from '../../errors.ts'
import { BackupError } from './error.ts'

/** Looks in a row at a folder that changes while we look. */
const LOOKS_MAX = 5
const LOOSE_FOLDER = /^[0-9a-f]{2}$/
const LOOSE_FILE = /^[0-9a-f]{38}$/
const PACK_FILE = /^pack-[0-9A-Za-z-]{1,64}\.(?:pack|idx)$/

export interface ObjectFile {
  /** Below the repository: `objects/pack/pack-….pack`. */
  readonly path: string
  readonly bytes: number
}

/**
 * Every file that holds objects of a repository, at one moment. Synchronous, as nothing may be published meanwhile;
 * what an operator's `git gc` does, nobody can forbid: then the same names are to be seen twice in a row.
 *
 * @throws BackupError folder_gone, never_at_rest, file_unreadable
 */
export function listObjectFiles(repositoryPath: string, repository: string): ObjectFile[] {
  let before: string | undefined
  for (let looks = 0; looks <= LOOKS_MAX; looks++) {
    const files = lookOnce(repositoryPath, repository)
    const names = files?.map(({ path }) => path).join('\n')
    if (files !== undefined && names === before) return files
    before = names
  }
  throw neverAtRest(repository)
}

export function neverAtRest(repository: string): BackupError {
  const message = `The packs of ${repository} are replaced faster than they can be read`
  return new BackupError({ code: 'never_at_rest', repository }, message)
}

/** @returns undefined where something went while we looked */
function lookOnce(repositoryPath: string, repository: string): ObjectFile[] | undefined {
  const objects = join(repositoryPath, 'objects')
  try {
    // Loose ones first: whoever packs them removes them after the pack is there.
    const loose = readdirSync(objects)
      .filter((name) => LOOSE_FOLDER.test(name))
      .flatMap((folder) => namesIn(join(objects, folder), LOOSE_FILE).map((name) => `${folder}/${name}`))
    const packs = namesIn(join(objects, 'pack'), PACK_FILE)
    const known = new Set(packs)
    const whole = packs.filter((name) => known.has(otherHalf(name))).map((name) => `pack/${name}`)
    return [...loose, ...whole].map((name) => ({
      path: `objects/${name}`,
      bytes: statSync(join(objects, name)).size,
    }))
  } catch (cause) {
    if (!hasErrorCode(cause, 'ENOENT')) {
      const reason = cause instanceof Error ? cause.message : String(cause)
      const message = `${objects} cannot be read: ${reason}`
      throw new BackupError({ code: 'file_unreadable', path: objects }, message, { cause })
    }
    if (statSync(join(objects, 'pack'), { throwIfNoEntry: false }) !== undefined) return undefined
    const message = `The folder of ${repository} is not there`
    throw new BackupError({ code: 'folder_gone', repository }, message, { cause })
  }
}

function namesIn(folder: string, pattern: RegExp): string[] {
  return readdirSync(folder)
    .filter((name) => pattern.test(name))
    .sort()
}

/** git takes no notice of a pack without its index, nor of an index without its pack. */
function otherHalf(name: string): string {
  return name.endsWith('.idx') ? name.replace(/\.idx$/, '.pack') : name.replace(/\.pack$/, '.idx')
}

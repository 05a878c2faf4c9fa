import { open, readdir, stat } from 'node:fs/promises'
import { join } from 'node:path'

import { hasErrorCode } from '../../errors.ts'
import type { FileSystem } from '../file-system.ts'

/** Where an index says how many objects its pack holds: the last entry of its fan-out (gitformat-pack). */
const OBJECT_COUNT_AT = 8 + 255 * 4
const PACK_PARTS = /^pack-([0-9A-Za-z-]{1,64})\.([a-z]+)$/
/**
 * Files beside a pack that say that it is not to be taken apart: somebody keeps it, or it lacks what somebody else has
 * (git-repack).
 */
const MARKS = ['keep', 'promisor']
/** Beside a pack in which lies what nothing reaches (gitformat-pack, "Cruft packs"). */
const TIMES = 'mtimes'
/** Made by an operator's git of packs as they were; git does without it (gitformat-pack, "multi-pack-index"). */
const MULTI_PACK_INDEX = /^multi-pack-index/

/** A pack of a repository as it lies on disk. */
export interface StoredPack {
  /** Without `pack-`. */
  readonly name: string
  readonly objects: number
  /** Pack and index. */
  readonly bytes: number
  /** When its last byte was written. */
  readonly writtenAtMs: number
  /** `kept`: left as it is, by us as by `git gc`; `cruft`: what nothing reaches, which is brought together with nothing. */
  readonly kind: 'ordinary' | 'cruft' | 'kept'
}

/** Every whole pack of a repository; one that goes while we look is left out. */
export async function listStoredPacks(repositoryPath: string): Promise<StoredPack[]> {
  const directory = join(repositoryPath, 'objects', 'pack')
  const partsOf = partsByPack(await readdir(directory))
  const packs: StoredPack[] = []
  for (const [name, parts] of partsOf) {
    if (!parts.includes('pack') || !parts.includes('idx')) continue
    try {
      const path = join(directory, `pack-${name}`)
      const [pack, index] = await Promise.all([stat(`${path}.pack`), stat(`${path}.idx`)])
      packs.push({
        name,
        objects: await readObjectCount(`${path}.idx`),
        bytes: pack.size + index.size,
        writtenAtMs: pack.mtimeMs,
        kind: kindOf(parts),
      })
    } catch (error) {
      if (!hasErrorCode(error, 'ENOENT')) throw error
    }
  }
  return packs
}

function kindOf(parts: readonly string[]): StoredPack['kind'] {
  if (isMarked(parts)) return 'kept'
  return parts.includes(TIMES) ? 'cruft' : 'ordinary'
}

function isMarked(parts: readonly string[]): boolean {
  return parts.some((part) => MARKS.includes(part))
}

/**
 * Removes packs whose objects lie elsewhere by now, or are to go: the index first, as git takes no notice of a pack without
 * it. One that was marked meanwhile stays. What is left where that is cut short is old, and not wrong.
 *
 * @param names without `pack-`
 */
export async function removePacks(fileSystem: FileSystem, directory: string, names: readonly string[]): Promise<void> {
  const present = await readdir(directory)
  const partsOf = partsByPack(present)
  for (const name of present) if (MULTI_PACK_INDEX.test(name)) await unlinkIfThere(fileSystem, join(directory, name))
  for (const name of names) {
    const parts = partsOf.get(name) ?? []
    if (isMarked(parts)) continue
    for (const part of [...parts].sort((a, b) => rankOf(a) - rankOf(b))) {
      await unlinkIfThere(fileSystem, join(directory, `pack-${name}.${part}`))
    }
  }
}

/** The index, then what belongs to it, then the pack. */
function rankOf(part: string): number {
  return part === 'idx' ? 0 : part === 'pack' ? 2 : 1
}

function partsByPack(files: readonly string[]): Map<string, string[]> {
  const partsOf = new Map<string, string[]>()
  for (const file of files) {
    const [, name, part] = PACK_PARTS.exec(file) ?? []
    if (name === undefined || part === undefined) continue
    const parts = partsOf.get(name) ?? []
    parts.push(part)
    partsOf.set(name, parts)
  }
  return partsOf
}

async function readObjectCount(indexPath: string): Promise<number> {
  const handle = await open(indexPath, 'r')
  try {
    const { buffer, bytesRead } = await handle.read(Buffer.alloc(4), 0, 4, OBJECT_COUNT_AT)
    // One that is so short is damaged; whoever opens it says so.
    return bytesRead === 4 ? buffer.readUInt32BE(0) : 0
  } finally {
    await handle.close()
  }
}

export async function unlinkIfThere(fileSystem: FileSystem, path: string): Promise<void> {
  try {
    await fileSystem.unlink(path)
  } catch (error) {
    if (!hasErrorCode(error, 'ENOENT')) throw error
  }
}

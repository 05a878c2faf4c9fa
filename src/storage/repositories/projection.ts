import { randomUUID } from 'node:crypto'
import type { Dirent } from 'node:fs'
import { readdir, readFile } from 'node:fs/promises'
import { dirname, join } from 'node:path'

import { hasErrorCode } from '../../errors.ts'
import { compareRefNames } from '../../git/ref-name.ts'
import type { FileSystem, WritableFile } from '../file-system.ts'

/**
 * The refs on disk, which follow the database (DESIGN §6). Mostly they are not synced: a start writes anew what is not as
 * it should be, and objects come first, so a projection that is behind is old but not broken. But packed-refs is synced
 * before it gets its name: where a power cut tears it within what a tag points to, C git stops at that line, and a start
 * that compares refs sees nothing wrong.
 */

export interface ProjectedRef {
  readonly name: string
  readonly oid: string
  readonly peeled: string | null
}

const TEMPORARY_EXTENSION = '.lock'
/** Ours, and none of git's own locks. */
const TEMPORARY_NAME = /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}\.lock$/

/** Up to so many changed refs are written one by one, more as one packed-refs file. */
const LOOSE_CHANGES_MAX = 50

export interface RefChange {
  readonly name: string
  /** undefined: deleted */
  readonly newOid: string | undefined
}

/**
 * Writes the refs that one transaction changed.
 *
 * @param allRefs the repository's refs after the change, asked for only when they are all written
 */
export async function projectChanges(
  fileSystem: FileSystem,
  repositoryPath: string,
  changes: readonly RefChange[],
  allRefs: () => Promise<readonly ProjectedRef[]>,
): Promise<void> {
  const deletions = changes.filter((change) => change.newOid === undefined)
  const packed = deletions.length > 0 ? await packedRefNames(repositoryPath) : new Set<string>()
  if (changes.length > LOOSE_CHANGES_MAX || deletions.some((change) => packed.has(change.name))) {
    await projectAll(fileSystem, repositoryPath, await allRefs())
    return
  }
  // Deletions first: refs/heads/a makes room for refs/heads/a/b.
  for (const { name } of deletions) await removeLoose(fileSystem, repositoryPath, name)
  for (const { name, newOid } of changes) {
    if (newOid !== undefined) await replaceFile(fileSystem, repositoryPath, name, `${newOid}\n`)
  }
}

/** git takes nothing for a repository that has no such folder, and tools that skip empty folders drop it. */
export async function ensureRefsFolder(fileSystem: FileSystem, repositoryPath: string): Promise<void> {
  await makeParents(fileSystem, repositoryPath, 'refs/heads')
}

/** Writes all refs as packed-refs and removes the loose ones. */
export async function projectAll(
  fileSystem: FileSystem,
  repositoryPath: string,
  refs: readonly ProjectedRef[],
): Promise<void> {
  const lines = ['# pack-refs with: peeled fully-peeled sorted \n']
  const sorted = [...refs].sort((a, b) => compareRefNames(a.name, b.name))
  for (const { name, oid, peeled } of sorted) lines.push(`${oid} ${name}\n`, peeled === null ? '' : `^${peeled}\n`)
  await replaceFile(fileSystem, repositoryPath, 'packed-refs', lines.join(''), (file) => file.sync())
  for (const name of (await looseRefs(repositoryPath)).keys()) await removeLoose(fileSystem, repositoryPath, name)
}

export async function projectHead(fileSystem: FileSystem, repositoryPath: string, head: string): Promise<void> {
  await replaceFile(fileSystem, repositoryPath, 'HEAD', `ref: ${head}\n`)
}

/** @returns what C git would read there: name → oid, loose before packed */
export async function readProjection(repositoryPath: string): Promise<{ head: string; refs: Map<string, string> }> {
  const refs = new Map<string, string>()
  for (const line of await packedRefLines(repositoryPath)) refs.set(line.slice(41), line.slice(0, 40))
  for (const [name, entry] of await looseRefs(repositoryPath)) {
    // What a link points to is no business of ours; no ref of ours is one.
    refs.set(name, entry.isFile() ? (await readFile(join(repositoryPath, name), 'latin1')).trimEnd() : 'a link')
  }
  const head = (await readOrEmpty(join(repositoryPath, 'HEAD'))).trimEnd()
  return { head: head.startsWith('ref: ') ? head.slice('ref: '.length) : head, refs }
}

async function packedRefNames(repositoryPath: string): Promise<Set<string>> {
  return new Set((await packedRefLines(repositoryPath)).map((line) => line.slice(41)))
}

async function packedRefLines(repositoryPath: string): Promise<string[]> {
  const text = await readOrEmpty(join(repositoryPath, 'packed-refs'))
  return text.split('\n').filter((line) => line.length > 41 && !line.startsWith('#') && !line.startsWith('^'))
}

/** git follows links as well: they count as refs, and go as those do. */
async function looseRefs(repositoryPath: string): Promise<Map<string, Dirent>> {
  const entries = await readdir(join(repositoryPath, 'refs'), { recursive: true, withFileTypes: true })
  return new Map(
    entries
      .filter((entry) => entry.isFile() || entry.isSymbolicLink())
      .map((entry) => [join(entry.parentPath, entry.name).slice(repositoryPath.length + 1), entry]),
  )
}

async function readOrEmpty(path: string): Promise<string> {
  try {
    return await readFile(path, 'utf8')
  } catch (error) {
    if (hasErrorCode(error, 'ENOENT')) return ''
    throw error
  }
}

/** @param finish what is done to the new file before it gets its name */
async function replaceFile(
  fileSystem: FileSystem,
  repositoryPath: string,
  name: string,
  text: string,
  finish: (file: WritableFile) => Promise<void> = async () => {},
): Promise<void> {
  // Not below refs/: git would take a half-written file there for a ref.
  const temporary = join(repositoryPath, `${randomUUID()}${TEMPORARY_EXTENSION}`)
  const file = await fileSystem.create(temporary)
  try {
    try {
      await file.write(Buffer.from(text), 0)
      await finish(file)
    } finally {
      await file.close()
    }
    await moveToPlace(fileSystem, repositoryPath, temporary, name)
  } catch (error) {
    await fileSystem.unlink(temporary)
    throw error
  }
}

/**
 * Mostly its folder is there, and nothing is in the way: to see to that first took three calls of the disk beside the four
 * that are needed.
 */
async function moveToPlace(
  fileSystem: FileSystem,
  repositoryPath: string,
  temporary: string,
  name: string,
): Promise<void> {
  const path = join(repositoryPath, name)
  try {
    await fileSystem.rename(temporary, path)
  } catch (error) {
    if (!hasErrorCode(error, 'ENOENT', 'EISDIR')) throw error
    await makeParents(fileSystem, repositoryPath, dirname(name))
    await removeEmptyDirectories(fileSystem, path)
    await fileSystem.rename(temporary, path)
  }
}

/** At start: what a crash left between the creation of a new file and its rename. */
export async function removeTemporaries(fileSystem: FileSystem, repositoryPath: string): Promise<void> {
  for (const name of await readdir(repositoryPath)) {
    if (TEMPORARY_NAME.test(name)) await fileSystem.unlink(join(repositoryPath, name))
  }
}

async function makeParents(fileSystem: FileSystem, repositoryPath: string, directory: string): Promise<void> {
  let path = repositoryPath
  for (const part of directory.split('/')) {
    path = join(path, part)
    try {
      await fileSystem.makeDirectory(path)
    } catch (error) {
      if (!hasErrorCode(error, 'EEXIST')) throw error
    }
  }
}

/** A ref may take the place of a folder whose refs are all gone. */
async function removeEmptyDirectories(fileSystem: FileSystem, path: string): Promise<void> {
  let entries
  try {
    entries = await readdir(path, { recursive: true, withFileTypes: true })
  } catch (error) {
    if (hasErrorCode(error, 'ENOENT', 'ENOTDIR')) return
    throw error
  }
  const directories = entries.filter((entry) => entry.isDirectory()).map((entry) => join(entry.parentPath, entry.name))
  for (const directory of directories.sort((a, b) => b.length - a.length)) await fileSystem.removeDirectory(directory)
  await fileSystem.removeDirectory(path)
}

async function removeLoose(fileSystem: FileSystem, repositoryPath: string, name: string): Promise<void> {
  try {
    await fileSystem.unlink(join(repositoryPath, name))
  } catch (error) {
    // ENOTDIR: somebody put a ref where this one has its folder.
    if (!hasErrorCode(error, 'ENOENT', 'ENOTDIR')) throw error
  }
  // refs/heads/a/b leaves refs/heads/a behind: remove it, as refs/heads/a may come next.
  for (let directory = dirname(name); directory.split('/').length > 2; directory = dirname(directory)) {
    try {
      await fileSystem.removeDirectory(join(repositoryPath, directory))
    } catch (error) {
      if (hasErrorCode(error, 'ENOENT', 'ENOTDIR')) continue
      if (hasErrorCode(error, 'ENOTEMPTY')) return
      throw error
    }
  }
}

import { OBJECT_TYPE } from '../../git/object/type.ts'
import { forEachTreeEntry, GITLINK_MODE, SYMLINK_MODE, TREE_MODE } from '../../git/object/tree.ts'
import { parseCommit } from '../../git/object/commit.ts'
import type { ObjectStore } from '../../storage/objects/object-store.ts'
import { BROWSE_LIMITS } from './browse-limits.ts'
import { overLimit, peel, readBounded, Refused } from './browse-objects.ts'
import { PathFinder } from './browse-path.ts'
import type { BrowseResult, ContentsTask } from './browse-task.ts'

export interface DirectoryEntry {
  /** Names are bytes to git; what is no UTF-8 comes with replacement characters. */
  readonly name: string
  readonly type: 'file' | 'dir' | 'symlink' | 'submodule'
  /** As git prints it: `100644`. */
  readonly mode: string
  readonly oid: string
  /** Of files and symbolic links. */
  readonly size: number | undefined
}

export type Contents =
  | { readonly kind: 'directory'; readonly oid: string; readonly entries: readonly DirectoryEntry[] }
  | {
      readonly kind: 'file'
      readonly entry: DirectoryEntry
      /** Base64; undefined for a submodule, which lies elsewhere. */
      readonly content: string | undefined
    }

export function browseContents(store: ObjectStore, task: ContentsTask): BrowseResult {
  try {
    return contentsAt(store, task)
  } catch (error) {
    if (error instanceof Refused) return error.refusal
    throw error
  }
}

function contentsAt(store: ObjectStore, { start, path }: ContentsTask): Contents {
  const found = new PathFinder(store, path).find(rootTreeOf(store, start))
  if (found === undefined) throw new Refused({ kind: 'refused', code: 'path_missing' })
  if (found.mode === TREE_MODE) {
    return { kind: 'directory', oid: found.oid.toString('hex'), entries: listDirectory(store, found.oid) }
  }
  const entry = toEntry(store, path.slice(path.lastIndexOf('/') + 1), found.mode, found.oid)
  if (entry.type === 'submodule') return { kind: 'file', entry, content: undefined }
  return { kind: 'file', entry, content: readBounded(store, found.oid, 'file_bytes').data.toString('base64') }
}

function rootTreeOf(store: ObjectStore, start: string): Buffer {
  const { oid, type } = peel(store, start)
  if (type === OBJECT_TYPE.tree) return oid
  if (type !== OBJECT_TYPE.commit) throw new Refused({ kind: 'refused', code: 'wrong_type' })
  return Buffer.from(parseCommit(readBounded(store, oid, 'commit_bytes').data).tree, 'hex')
}

function listDirectory(store: ObjectStore, tree: Buffer): DirectoryEntry[] {
  const { data } = readBounded(store, tree, 'tree_bytes')
  const entries: DirectoryEntry[] = []
  forEachTreeEntry(data, (mode, nameStart, nameEnd, oidAt) => {
    if (entries.length >= BROWSE_LIMITS.directory_entries.value) throw overLimit('directory_entries')
    entries.push(toEntry(store, data.toString('utf8', nameStart, nameEnd), mode, data.subarray(oidAt, oidAt + 20)))
  })
  return entries
}

function toEntry(store: ObjectStore, name: string, mode: number, oid: Buffer): DirectoryEntry {
  const type = typeOf(mode)
  return {
    name,
    type,
    mode: mode.toString(8).padStart(6, '0'),
    oid: oid.toString('hex'),
    size: type === 'dir' || type === 'submodule' ? undefined : store.sizeOf(oid),
  }
}

function typeOf(mode: number): DirectoryEntry['type'] {
  if (mode === TREE_MODE) return 'dir'
  if (mode === SYMLINK_MODE) return 'symlink'
  return mode === GITLINK_MODE ? 'submodule' : 'file'
}

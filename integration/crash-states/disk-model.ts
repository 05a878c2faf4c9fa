import assert from 'node:assert/strict'
import { basename, dirname } from 'node:path'
import type { Step } from './trace.ts'

/**
 * What a power cut may leave on a disk. The model is that of ALICE (Pillai et al., OSDI 2014, "All File Systems Are Not
 * Created Equal", §3) and CrashMonkey (Mohan et al., OSDI 2018), at its weakest: what POSIX promises and no more.
 *
 * - Contents are durable once the file was synced, names once their folder was; syncing one does nothing for the other.
 * - Whatever was not synced is kept, lost or (contents) torn, each by itself and in any order: a later change of a folder
 *   may be there without an earlier one.
 * - A rename within a folder happens or does not. One between two folders may be half durable: the new name without the
 *   end of the old one, or the end of the old one without the new name.
 * - A tree that is being removed may have lost any part of itself.
 *
 * Stronger than some disks: what a sync returned for stays. Not in it: a folder that is reachable by two names after
 * half a rename is two folders here, as a check of the file system makes of it.
 */
export interface FileNode {
  readonly kind: 'file'
  /** Where it was made. */
  readonly path: string
  durable: Buffer
  live: Buffer
  /** Number of the last step that wrote to it. */
  writtenAt: number
}

interface FolderNode {
  readonly kind: 'folder'
  durable: ReadonlyMap<string, Node>
  readonly live: Map<string, Node>
}

type Node = FileNode | FolderNode

/** An un-synced change of a folder, which is kept or lost as a whole. */
export interface Change {
  readonly folder: FolderNode
  /** In this order; undefined: the name goes. */
  readonly entries: readonly (readonly [name: string, node: Node | undefined])[]
  /** Number of the step that made it. */
  readonly step: number
}

/** A file's bytes, or what lies in a folder. */
export type Tree = ReadonlyMap<string, Buffer | Tree>

/** What of the un-synced is on the disk. */
export interface Outcome {
  readonly kept: ReadonlySet<Change>
  /** Of files with un-synced contents; others are as they are. */
  readonly contents: ReadonlyMap<FileNode, Buffer>
}

export class DiskModel {
  /** Un-synced changes of folders, in their order. */
  changes: readonly Change[] = []
  /** Files with contents that were not synced. */
  readonly dirtyFiles = new Set<FileNode>()
  readonly #root: FolderNode
  readonly #files = new Map<number, FileNode>()
  readonly #syncs = new Map<number, () => void>()
  #step = 0

  /** @param initial what it begins with, durably */
  constructor(initial: Tree) {
    this.#root = durableFolder(initial)
  }

  /** @returns whether a crash may now leave something that it could not leave before */
  play(step: Step): boolean {
    this.#step++
    switch (step.kind) {
      case 'create': {
        const { path } = step
        const file: FileNode = { kind: 'file', path, durable: NO_BYTES, live: NO_BYTES, writtenAt: this.#step }
        this.#files.set(step.file, file)
        this.#change(path, file)
        return true
      }
      case 'write': {
        const file = this.#file(step.file)
        file.live = overwritten(file.live, step.bytes, step.position)
        file.writtenAt = this.#step
        this.dirtyFiles.add(file)
        return true
      }
      case 'make folder':
        this.#change(step.path, emptyFolder())
        return true
      case 'rename':
        this.#rename(step.from, step.to)
        return true
      case 'link':
        this.#change(step.to, this.#node(step.from))
        return true
      case 'unlink':
      case 'remove folder':
        this.#change(step.path, undefined)
        return true
      case 'remove tree':
        return this.#removeTree(step.path)
      case 'sync begun':
        this.#beginSync(step.sync, this.#file(step.file))
        return false
      case 'folder sync begun':
        this.#beginFolderSync(step.sync, this.#folder(step.path))
        return false
      case 'synced':
        this.#syncs.get(step.sync)?.()
        return true
      default:
        return step.kind !== 'asked'
    }
  }

  treeOf({ kept, contents }: Outcome): Tree {
    const keptIn = Map.groupBy(
      this.changes.filter((change) => kept.has(change)),
      (change) => change.folder,
    )
    const treeOfFolder = (folder: FolderNode): Tree => {
      const entries = new Map(folder.durable)
      for (const change of keptIn.get(folder) ?? []) apply(change, entries)
      return new Map(
        Array.from(entries, ([name, node]) => [
          name,
          node.kind === 'folder' ? treeOfFolder(node) : (contents.get(node) ?? node.live),
        ]),
      )
    }
    return treeOfFolder(this.#root)
  }

  #beginSync(sync: number, file: FileNode): void {
    const { live } = file
    this.#syncs.set(sync, () => {
      file.durable = live
      if (file.live === live) this.dirtyFiles.delete(file)
    })
  }

  #beginFolderSync(sync: number, folder: FolderNode): void {
    const synced = new Set(this.changes.filter((change) => change.folder === folder))
    this.#syncs.set(sync, () => {
      const entries = new Map(folder.durable)
      // Another sync, which began later, may have ended before.
      for (const change of this.changes) if (synced.has(change)) apply(change, entries)
      folder.durable = entries
      this.changes = this.changes.filter((change) => !synced.has(change))
    })
  }

  #rename(from: string, to: string): void {
    const node = this.#node(from)
    const [source, target] = [this.#folder(dirname(from)), this.#folder(dirname(to))]
    if (source === target) {
      this.#changeFolder(source, [
        [basename(from), undefined],
        [basename(to), node],
      ])
      return
    }
    this.#changeFolder(target, [[basename(to), node]])
    this.#changeFolder(source, [[basename(from), undefined]])
  }

  #removeTree(path: string): boolean {
    const node = this.#folder(dirname(path)).live.get(basename(path))
    if (node === undefined) return false
    if (node.kind === 'folder') for (const name of node.live.keys()) this.#removeTree(`${path}/${name}`)
    this.#change(path, undefined)
    return true
  }

  #change(path: string, node: Node | undefined): void {
    this.#changeFolder(this.#folder(dirname(path)), [[basename(path), node]])
  }

  #changeFolder(folder: FolderNode, entries: Change['entries']): void {
    const change = { folder, entries, step: this.#step }
    this.changes = [...this.changes, change]
    apply(change, folder.live)
  }

  #file(number: number): FileNode {
    const file = this.#files.get(number)
    assert(file !== undefined, 'a file is created before anything else is done to it')
    return file
  }

  #node(path: string): Node {
    const node = this.#folder(dirname(path)).live.get(basename(path))
    assert(node !== undefined, `${path} is not there`)
    return node
  }

  #folder(path: string): FolderNode {
    if (path === '.') return this.#root
    const node = this.#node(path)
    assert(node.kind === 'folder', `${path} is no folder`)
    return node
  }
}

const NO_BYTES = Buffer.alloc(0)

function emptyFolder(): FolderNode {
  return { kind: 'folder', durable: new Map(), live: new Map() }
}

function durableFolder(tree: Tree): FolderNode {
  const entries = Array.from(tree, ([name, node]): [string, Node] => {
    if (!Buffer.isBuffer(node)) return [name, durableFolder(node)]
    return [name, { kind: 'file', path: name, durable: node, live: node, writtenAt: 0 }]
  })
  return { kind: 'folder', durable: new Map(entries), live: new Map(entries) }
}

function apply({ entries }: Pick<Change, 'entries'>, names: Map<string, Node>): void {
  for (const [name, node] of entries) {
    if (node === undefined) names.delete(name)
    else names.set(name, node)
  }
}

function overwritten(content: Buffer, bytes: Buffer, position: number): Buffer {
  const whole = Buffer.alloc(Math.max(content.length, position + bytes.length))
  content.copy(whole)
  bytes.copy(whole, position)
  return whole
}

/**
 * A disk that forgets at a power cut whatever was not synced: contents of files, and the names in folders. It is real
 * until then; a second picture of it is kept, of what would be there if the power went now.
 */
import { lstatSync, mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { basename, dirname, join, relative } from 'node:path'
import { diskFileSystem, type FileSystem, type WritableFile } from '../../src/storage/file-system.ts'

interface FileInode {
  readonly kind: 'file'
  /** After a power cut; empty where nothing was ever synced, as file systems leave it. */
  durable: Buffer
}

interface Folder {
  readonly kind: 'folder'
  readonly live: Map<string, Inode>
  durable: Map<string, Inode>
}

type Inode = FileInode | Folder

export interface SyncCall {
  readonly number: number
  /** Relative to the data directory, without the parts that differ from run to run. */
  readonly what: string
}

export class PowerCutDisk implements FileSystem {
  /** Every sync that was asked for below the folders that are watched. */
  readonly syncs: SyncCall[] = []
  /** The number of a sync that is only pretended. */
  skippedSync: number | undefined
  readonly #root: string
  readonly #watched: ReadonlyMap<string, Folder>
  #isOff = false

  /** @param folders names in `root` that are watched; the rest is a disk without faults */
  constructor(root: string, folders: readonly string[]) {
    this.#root = root
    this.#watched = new Map(folders.map((name) => [name, scan(join(root, name))]))
  }

  /** From now on nothing is written any more. */
  powerOff(): void {
    this.#isOff = true
  }

  /** Makes the disk what it would be after the power cut. */
  forget(): void {
    for (const [name, folder] of this.#watched) {
      rmSync(join(this.#root, name), { recursive: true, force: true })
      restore(join(this.#root, name), folder)
    }
  }

  async create(path: string, mode?: number): Promise<WritableFile> {
    this.#throwIfOff()
    const file = await diskFileSystem.create(path, mode)
    const inode: FileInode = { kind: 'file', durable: Buffer.alloc(0) }
    this.#folder(dirname(path))?.live.set(basename(path), inode)
    return {
      write: async (bytes, position) => {
        this.#throwIfOff()
        await file.write(bytes, position)
      },
      sync: async () => {
        this.#throwIfOff()
        // What comes in while it is synced may be left out. Nobody renames a file before it is synced.
        const before = readFileSync(path)
        await file.sync()
        if (this.#countSync(path)) inode.durable = before
      },
      close: () => file.close(),
    }
  }

  async makeDirectory(path: string): Promise<void> {
    this.#throwIfOff()
    await diskFileSystem.makeDirectory(path)
    this.#folder(dirname(path))?.live.set(basename(path), emptyFolder())
  }

  async rename(from: string, to: string): Promise<void> {
    this.#throwIfOff()
    await diskFileSystem.rename(from, to)
    const source = this.#folder(dirname(from))
    const moved = source?.live.get(basename(from))
    source?.live.delete(basename(from))
    if (moved !== undefined) this.#folder(dirname(to))?.live.set(basename(to), moved)
  }

  async link(from: string, to: string): Promise<void> {
    this.#throwIfOff()
    await diskFileSystem.link(from, to)
    const linked = this.#folder(dirname(from))?.live.get(basename(from))
    if (linked !== undefined) this.#folder(dirname(to))?.live.set(basename(to), linked)
  }

  async unlink(path: string): Promise<void> {
    this.#throwIfOff()
    await diskFileSystem.unlink(path)
    this.#folder(dirname(path))?.live.delete(basename(path))
  }

  async removeDirectory(path: string): Promise<void> {
    this.#throwIfOff()
    await diskFileSystem.removeDirectory(path)
    this.#folder(dirname(path))?.live.delete(basename(path))
  }

  async removeTree(path: string): Promise<void> {
    this.#throwIfOff()
    await diskFileSystem.removeTree(path)
    this.#folder(dirname(path))?.live.delete(basename(path))
  }

  async syncDirectory(path: string): Promise<void> {
    this.#throwIfOff()
    await diskFileSystem.syncDirectory(path)
    const folder = this.#folder(path)
    if (folder !== undefined && this.#countSync(path)) folder.durable = new Map(folder.live)
  }

  /** @returns whether the sync takes place */
  #countSync(path: string): boolean {
    const parts = relative(this.#root, path).split('/')
    if (!this.#watched.has(parts[0] ?? '')) return false
    const number = this.syncs.length
    const what = parts.map((part) => part.replace(/^[0-9a-f-]{36}$/, 'UUID')).join('/')
    this.syncs.push({ number, what })
    return number !== this.skippedSync
  }

  #folder(path: string): Folder | undefined {
    const [first = '', ...rest] = relative(this.#root, path).split('/')
    let folder = this.#watched.get(first)
    for (const part of rest) {
      const next: Inode | undefined = folder?.live.get(part)
      folder = next?.kind === 'folder' ? next : undefined
    }
    return folder
  }

  #throwIfOff(): void {
    if (this.#isOff) throw new Error('The power is off')
  }
}

function emptyFolder(): Folder {
  return { kind: 'folder', live: new Map(), durable: new Map() }
}

/** What is there at the beginning is durable. */
function scan(path: string): Folder {
  const folder = emptyFolder()
  for (const name of readdirSync(path)) {
    const child = join(path, name)
    folder.live.set(name, lstatSync(child).isDirectory() ? scan(child) : { kind: 'file', durable: readFileSync(child) })
  }
  folder.durable = new Map(folder.live)
  return folder
}

function restore(path: string, folder: Folder): void {
  mkdirSync(path)
  for (const [name, inode] of folder.durable) {
    if (inode.kind === 'folder') restore(join(path, name), inode)
    else writeFileSync(join(path, name), inode.durable)
  }
}

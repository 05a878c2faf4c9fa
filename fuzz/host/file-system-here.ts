/**
 * The one port by which the node changes files, on a real disk but without waiting for it: each call is done when it
 * returns. It knows what was changed, so that the next input finds everything as it was, and how often it was asked.
 */
import { closeSync, linkSync, lstatSync, mkdirSync, openSync, readdirSync, readFileSync, renameSync } from 'node:fs'
import { rmdirSync, rmSync, type Stats, unlinkSync, writeFileSync, writeSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { hasErrorCode } from '../../src/errors.ts'
import type { FileSystem, WritableFile } from '../../src/storage/file-system.ts'

export class FileSystemHere implements FileSystem {
  /** Since `keep`. */
  calls = 0
  readonly #open = new Set<string>()
  readonly #touched = new Set<string>()
  /** Path → content, of files that were there when `keep` was called. */
  readonly #kept = new Map<string, Buffer>()
  readonly #keptFolders = new Set<string>()

  /** Files that were made and not closed. */
  get open(): readonly string[] {
    return Array.from(this.#open)
  }

  /** Whether something was changed since `keep` that does not lie in `folder`. */
  hasTouchedBeside(folder: string): boolean {
    return Array.from(this.#touched).some((path) => !path.startsWith(`${folder}/`))
  }

  async create(path: string): Promise<WritableFile> {
    this.#touch(path)
    const file = openSync(path, 'wx+')
    this.#open.add(path)
    return {
      write: async (bytes, position) => {
        this.calls++
        for (let done = 0; done < bytes.length;) {
          done += writeSync(file, bytes, done, bytes.length - done, position + done)
        }
      },
      sync: async () => void this.calls++,
      close: async () => {
        closeSync(file)
        this.#open.delete(path)
      },
    }
  }

  async makeDirectory(path: string): Promise<void> {
    this.#touch(path)
    mkdirSync(path)
  }

  async rename(from: string, to: string): Promise<void> {
    this.#touch(from, to)
    renameSync(from, to)
  }

  async link(from: string, to: string): Promise<void> {
    this.#touch(to)
    linkSync(from, to)
  }

  async unlink(path: string): Promise<void> {
    this.#touch(path)
    unlinkSync(path)
  }

  async removeDirectory(path: string): Promise<void> {
    this.#touch(path)
    rmdirSync(path)
  }

  async removeTree(path: string): Promise<void> {
    this.#touch(path)
    try {
      rmdirSync(path)
    } catch {
      rmSync(path, { recursive: true, force: true })
    }
  }

  async syncDirectory(): Promise<void> {
    this.calls++
  }

  /** What is in this folder now stays. */
  keep(folder: string): void {
    for (const entry of readdirSync(folder, { recursive: true, withFileTypes: true })) {
      const path = join(entry.parentPath, entry.name)
      if (entry.isDirectory()) this.#keptFolders.add(path)
      else this.#kept.set(path, readFileSync(path))
    }
    this.#touched.clear()
    this.calls = 0
  }

  /** Takes back what was changed since `keep`. */
  restore(): void {
    for (const path of this.#touched) {
      const found = lookAt(path)
      const isFolder = found?.isDirectory() === true
      const isKept = isFolder ? this.#keptFolders.has(path) : this.#kept.has(path)
      if (isKept) continue
      // Node looks at a tree four times before it removes it.
      if (isFolder) rmSync(path, { recursive: true })
      else if (found !== undefined) unlinkSync(path)
    }
    for (const path of this.#touched) {
      const content = this.#kept.get(path)
      if (this.#keptFolders.has(path)) mkdirSync(path, { recursive: true })
      if (content === undefined) continue
      mkdirSync(dirname(path), { recursive: true })
      writeFileSync(path, content)
    }
    this.#touched.clear()
    this.calls = 0
  }

  #touch(...paths: readonly string[]): void {
    this.calls++
    for (const path of paths) this.#touched.add(path)
  }
}

/** @returns undefined where nothing is there, or a file where its folder was */
function lookAt(path: string): Stats | undefined {
  try {
    return lstatSync(path)
  } catch (error) {
    if (hasErrorCode(error, 'ENOENT', 'ENOTDIR')) return undefined
    throw error
  }
}

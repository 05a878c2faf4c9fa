import { dirname, join } from 'node:path'

import type { FileSystem } from '../file-system.ts'

const FOLDER_MODE = 0o700

/** Folders that are made as they are needed below one that is there, for the owner alone, and synced in the end. */
export class FolderTree {
  readonly root: string
  readonly #fileSystem: FileSystem
  readonly #made = new Set<string>(['.'])

  constructor(root: string, fileSystem: FileSystem) {
    this.root = root
    this.#fileSystem = fileSystem
  }

  /** @param path below the root. @returns the whole path */
  async ensure(path: string): Promise<string> {
    const whole = join(this.root, path)
    if (this.#made.has(path)) return whole
    await this.ensure(dirname(path))
    await this.#fileSystem.makeDirectory(whole, FOLDER_MODE)
    this.#made.add(path)
    return whole
  }

  /** With everything in it. */
  async remove(path: string): Promise<void> {
    await this.#fileSystem.removeTree(join(this.root, path))
    for (const made of this.#made) if (made === path || made.startsWith(`${path}/`)) this.#made.delete(made)
  }

  /** Makes every name in it durable. */
  async sync(): Promise<void> {
    for (const path of this.#made) await this.#fileSystem.syncDirectory(join(this.root, path))
  }
}

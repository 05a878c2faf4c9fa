import { constants } from 'node:fs'
import type { FileHandle } from 'node:fs/promises'
import { link, mkdir, open, rename, rm, rmdir, unlink } from 'node:fs/promises'

/**
 * The one way by which the node changes repositories on disk (DESIGN §6). Tests hand in implementations that fail, or
 * that forget at a simulated power cut whatever was not synced. Reading needs no port: it changes nothing.
 *
 * Every method rejects with Node's own system error.
 */
export interface FileSystem {
  /** Creates a file for writing; it must not exist yet. */
  create(path: string, mode?: number): Promise<WritableFile>
  /** Makes one folder; its parent exists. */
  makeDirectory(path: string, mode?: number): Promise<void>
  /** Replaces `to` if it is there. Durable only once both folders are synced. */
  rename(from: string, to: string): Promise<void>
  link(from: string, to: string): Promise<void>
  unlink(path: string): Promise<void>
  removeDirectory(path: string): Promise<void>
  /** Removes a tree, or nothing if it is not there. */
  removeTree(path: string): Promise<void>
  /** Makes the names in a folder durable. */
  syncDirectory(path: string): Promise<void>
}

export interface WritableFile {
  /** Writes all of `bytes` at `position`. */
  write(bytes: Uint8Array, position: number): Promise<void>
  /** Makes the contents durable. Never called again after it failed: the file is discarded instead (DESIGN §6). */
  sync(): Promise<void>
  close(): Promise<void>
}

export const diskFileSystem: FileSystem = {
  async create(path, mode = 0o644) {
    return new DiskFile(await open(path, constants.O_RDWR | constants.O_CREAT | constants.O_EXCL, mode))
  },
  async makeDirectory(path, mode) {
    await mkdir(path, mode)
  },
  rename,
  link,
  unlink,
  removeDirectory: rmdir,
  async removeTree(path) {
    try {
      // Most are empty by then, and Node looks at a tree four times before it removes it.
      await rmdir(path)
    } catch {
      await rm(path, { recursive: true, force: true })
    }
  },
  async syncDirectory(path) {
    const handle = await open(path, constants.O_RDONLY | constants.O_DIRECTORY)
    try {
      await handle.sync()
    } finally {
      await handle.close()
    }
  },
}

class DiskFile implements WritableFile {
  readonly #handle: FileHandle

  constructor(handle: FileHandle) {
    this.#handle = handle
  }

  async write(bytes: Uint8Array, position: number): Promise<void> {
    for (let done = 0; done < bytes.length;) {
      const { bytesWritten } = await this.#handle.write(bytes, done, bytes.length - done, position + done)
      done += bytesWritten
    }
  }

  async sync(): Promise<void> {
    await this.#handle.sync()
  }

  async close(): Promise<void> {
    await this.#handle.close()
  }
}

/** Writes a new file whole and makes its contents durable; its name is durable once the folder is synced. */
export async function writeDurably(
  fileSystem: FileSystem,
  path: string,
  bytes: Uint8Array,
  mode?: number,
): Promise<void> {
  const file = await fileSystem.create(path, mode)
  try {
    await file.write(bytes, 0)
    await file.sync()
  } finally {
    await file.close()
  }
}

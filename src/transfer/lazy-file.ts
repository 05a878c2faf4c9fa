import type { FileSystem, WritableFile } from '../storage/file-system.ts'

/** A file that is made with its first byte: whoever finds out that it needs none leaves none behind. */
export class LazyFile implements WritableFile {
  readonly path: string
  readonly #fileSystem: FileSystem
  #file: WritableFile | undefined

  constructor(fileSystem: FileSystem, path: string) {
    this.#fileSystem = fileSystem
    this.path = path
  }

  /** One write after another: the first one makes the file. */
  async write(bytes: Uint8Array, position: number): Promise<void> {
    this.#file ??= await this.#fileSystem.create(this.path, 0o600)
    await this.#file.write(bytes, position)
  }

  async sync(): Promise<void> {
    await this.#file?.sync()
  }

  async close(): Promise<void> {
    await this.#file?.close()
  }

  /** After `close`. */
  async remove(): Promise<void> {
    if (this.#file !== undefined) await this.#fileSystem.unlink(this.path)
  }
}

import type { FileSystem, WritableFile } from '../storage/file-system.ts'

/** A file that is made with its first byte: whoever finds out that it needs none leaves none behind. */
export class LazyFile implements WritableFile {
  readonly path: string
  readonly #fileSystem: FileSystem
  /** Also while it is being made: whoever gives up in that moment still has to close and remove it. */
  #opening: Promise<WritableFile> | undefined

  constructor(fileSystem: FileSystem, path: string) {
    this.#fileSystem = fileSystem
    this.path = path
  }

  async write(bytes: Uint8Array, position: number): Promise<void> {
    this.#opening ??= this.#fileSystem.create(this.path, 0o600)
    let file: WritableFile
    try {
      file = await this.#opening
    } catch (error) {
      // The next write tries again: by then there may be room.
      this.#opening = undefined
      throw error
    }
    await file.write(bytes, position)
  }

  async sync(): Promise<void> {
    await (await this.#made())?.sync()
  }

  async close(): Promise<void> {
    await (await this.#made())?.close()
  }

  /** After `close`. */
  async remove(): Promise<void> {
    if ((await this.#made()) !== undefined) await this.#fileSystem.unlink(this.path)
  }

  /** undefined: it was never written to, or could not be made, which the write was told. */
  async #made(): Promise<WritableFile | undefined> {
    return this.#opening?.catch(() => undefined)
  }
}

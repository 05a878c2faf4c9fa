import { type ByteSource, type PackView, PackWindow } from './source.ts'

/** Commits, trees, their folders and blobs lie in runs of their own, and who walks history reads from all of them. */
const WINDOWS = 4

/**
 * A few windows over one source, for whoever goes to and fro: what is in none of them is read in the place of the one that
 * was not looked at for the longest time.
 */
export class PackWindows implements PackView {
  /** The one that was looked at last is the first; they are made as they are needed. */
  readonly #windows: PackWindow[] = []
  readonly #source: ByteSource
  readonly #windowBytes: number
  readonly end: number

  /** @param end of what may be looked at */
  constructor(source: ByteSource, end: number, windowBytes: number) {
    this.#source = source
    this.end = end
    this.#windowBytes = windowBytes
  }

  view(position: number, atLeast: number): Buffer {
    return this.#windowFor(position, Math.min(atLeast, this.end - position)).view(position, atLeast)
  }

  /** @returns a window that holds so many bytes, fewer only where the pack ends; as it is until the next call */
  windowAt(position: number, atLeast: number): PackWindow {
    const window = this.#windowFor(position, Math.min(atLeast, this.end - position))
    if (!window.holds(position, atLeast)) window.view(position, atLeast)
    return window
  }

  /** As `PackWindow.load`. */
  load(position: number, bytes: number): void {
    this.#windowFor(position, bytes).load(position, bytes)
  }

  #windowFor(position: number, bytes: number): PackWindow {
    const windows = this.#windows
    if (windows[0]?.holds(position, bytes) === true) return windows[0]
    let at = windows.findIndex((window) => window.holds(position, bytes))
    if (at < 0) {
      if (windows.length < WINDOWS) windows.push(new PackWindow(this.#source, this.end, this.#windowBytes))
      at = windows.length - 1
    }
    const found = windows[at] as PackWindow
    for (; at > 0; at--) windows[at] = windows[at - 1] as PackWindow
    windows[0] = found
    return found
  }
}

import { PackError } from './error.ts'
import { PACK_TRAILER_BYTES } from './header.ts'

/** Where pack bytes are read from: a file opened for reading, or bytes in memory in tests. */
export interface ByteSource {
  /** Infinite as long as nobody knows how many will come. */
  readonly bytes: number
  /**
   * Waits until all bytes up to `end` are there, or it is known that they never will be; throws where nobody wants to know
   * any more. Absent: nothing is to come.
   */
  reach?(end: number): void
  /** Reads up to `target.length` bytes at `position`; @returns how many. Synchronous: callers run in worker threads. */
  read(target: Buffer, position: number): number
}

/** For reading a pack from end to end; random access wants less. */
const WINDOW_BYTES = 1024 * 1024
/** So many times its size may a window grow for good, where entries are larger. */
const KEPT_WINDOWS = 16

/** What an entry is inflated from. */
export interface PackView {
  /** Of what may be looked at; infinite as long as nobody knows. */
  readonly end: number
  /** @returns at least `atLeast` bytes at `position`, fewer only where the pack ends; valid until the next call */
  view(position: number, atLeast: number): Buffer
}

/** A sliding window over a source, so that a pack of any size is read in large pieces and never held whole. */
export class PackWindow implements PackView {
  readonly #source: ByteSource
  readonly #end: number | undefined
  readonly #windowBytes: number
  /** Read into again and again: what is left to the collector adds up faster than it comes. */
  #room: Buffer = Buffer.alloc(0)
  #buffer: Buffer = Buffer.alloc(0)
  #start = 0

  /** @param end of what may be looked at; if not given, where the source's trailing checksum begins */
  constructor(source: ByteSource, end?: number, windowBytes = WINDOW_BYTES) {
    this.#source = source
    this.#end = end
    this.#windowBytes = windowBytes
  }

  get end(): number {
    return this.#end ?? this.#source.bytes - PACK_TRAILER_BYTES
  }

  /** What it holds, from `start` of the source on. */
  get bytes(): Buffer {
    return this.#buffer
  }

  get start(): number {
    return this.#start
  }

  get loadedTo(): number {
    return this.#start + this.#buffer.length
  }

  /** Whether `view` has to read nothing. */
  holds(position: number, atLeast: number): boolean {
    const at = position - this.#start
    return at >= 0 && at + atLeast <= this.#buffer.length
  }

  view(position: number, atLeast: number): Buffer {
    if (this.holds(position, atLeast)) return this.#buffer.subarray(position - this.#start)
    // Of the last bytes that are there nobody knows whether they are the checksum, until it is known that no more come.
    this.#source.reach?.(position + Math.max(atLeast, this.#windowBytes) + PACK_TRAILER_BYTES)
    const left = this.end - position
    const wanted = Math.min(atLeast, left)
    if (this.holds(position, wanted)) return this.#buffer.subarray(position - this.#start)
    const length = Math.min(Math.max(wanted, this.#windowBytes), left)
    this.#fill(this.#roomFor(Math.max(0, length)), position)
    return this.#buffer
  }

  /** Makes the window just these bytes: who knows what he will look at next reads nothing else. */
  load(position: number, bytes: number): void {
    if (this.holds(position, bytes)) return
    const buffer = this.#roomFor(Math.max(0, Math.min(bytes, this.end - position)))
    this.#fill(buffer, position)
  }

  #fill(buffer: Buffer, position: number): void {
    let filled = 0
    while (filled < buffer.length) {
      const count = this.#source.read(buffer.subarray(filled), position + filled)
      if (count === 0) break
      filled += count
    }
    this.#buffer = buffer.subarray(0, filled)
    this.#start = position
  }

  #roomFor(bytes: number): Buffer {
    if (bytes > this.#room.length) {
      const room = Buffer.allocUnsafeSlow(Math.max(bytes, Math.min(this.#windowBytes, this.end)))
      // A view of a very large entry is not worth its memory any longer.
      if (bytes > KEPT_WINDOWS * this.#windowBytes) return room
      this.#room = room
    }
    return this.#room.subarray(0, bytes)
  }
}

export function truncated(): PackError {
  return new PackError({ code: 'pack_truncated' }, 'The pack ends too early')
}

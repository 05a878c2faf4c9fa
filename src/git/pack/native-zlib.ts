import type { Deflate, Inflate } from 'node:zlib'

/** What a zlib stream of Node consists of, as far as it is used here. */
interface Internals {
  readonly _handle: {
    reset(): void
    writeSync(
      flush: number,
      input: Uint8Array,
      inputAt: number,
      inputBytes: number,
      output: Uint8Array,
      outputAt: number,
      outputBytes: number,
    ): void
  }
  /** Bytes of output and of input that were left by the last call. */
  readonly _writeState: Uint32Array
}

/**
 * One zlib stream for many small pieces of data. `inflateSync` and `deflateSync` make a stream with all that belongs to
 * one in Node for each call, which takes several times as long as what is done with most entries of a pack. Node has no
 * documented way around that; npm itself goes this one (`minizlib`). Node's version is pinned, and the tests of
 * `inflateAt` and `deflate` see it if another one differs.
 */
export class NativeZlib {
  failed = false
  /** Held for as long as its parts are used, so that nothing of it is collected before them. */
  readonly #stream: (Deflate | Inflate) & Internals

  constructor(stream: Deflate | Inflate) {
    this.#stream = stream as (Deflate | Inflate) & Internals
    Object.assign(this.#stream._handle, { onerror: () => (this.failed = true) })
  }

  /** Another stream of bytes begins. */
  reset(): void {
    this.failed = false
    this.#stream._handle.reset()
  }

  write(flush: number, input: Uint8Array, output: Uint8Array, outputBytes = output.length): void {
    this.#stream._handle.writeSync(flush, input, 0, input.length, output, 0, outputBytes)
  }

  /** Bytes of room that the last write left. */
  get outputLeft(): number {
    return this.#stream._writeState[0] as number
  }

  /** Bytes that the last write did not read. */
  get inputLeft(): number {
    return this.#stream._writeState[1] as number
  }
}

import { constants, createInflate, type Inflate } from 'node:zlib'

/** What a zlib stream of Node consists of, as far as it is used here. */
interface NativeInflate {
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

/**
 * One zlib stream for all entries. `inflateSync` makes a stream with all that belongs to one in Node for each call, which
 * takes several times as long as inflating what is in most entries of a pack. Node has no documented way around that; npm
 * itself goes this one (`minizlib`). Node's version is pinned, and the tests of `inflateAt` see it if another one differs.
 */
class InflateStream {
  /** Held for as long as its parts are used, so that nothing of it is collected before them. */
  readonly #stream: Inflate & { readonly _handle: NativeInflate; readonly _writeState: Uint32Array }
  /** Bytes of output and of input that were left by the last call. */
  readonly #left: Uint32Array
  #failed = false

  constructor() {
    const stream = createInflate() as Inflate & { _handle: NativeInflate; _writeState: Uint32Array }
    this.#stream = stream
    this.#left = stream._writeState
    const onerror = (): void => {
      this.#failed = true
    }
    Object.assign(stream._handle, { onerror })
  }

  /** As `inflateInto`. */
  run(input: Uint8Array, output: Uint8Array, sizeBytes: number): number {
    this.#failed = false
    const { _handle: native } = this.#stream
    native.reset()
    native.writeSync(constants.Z_FINISH, input, 0, input.length, output, 0, sizeBytes + 1)
    // Had the stream not come to its end, it would have wanted the byte too many, or failed.
    if (this.#failed || this.#left[0] !== 1) return -1
    return input.length - (this.#left[1] as number)
  }
}

let stream: InflateStream | undefined

/**
 * Inflates the zlib stream that `input` begins with.
 *
 * @param output has room for one byte more than `sizeBytes`
 * @returns how many bytes of input the stream has; -1: it is damaged, longer than `input`, or makes another number of bytes
 *   than `sizeBytes`
 */
export function inflateInto(input: Uint8Array, output: Uint8Array, sizeBytes: number): number {
  stream ??= new InflateStream()
  return stream.run(input, output, sizeBytes)
}

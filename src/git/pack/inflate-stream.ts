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

  /** Another stream begins, of which `step` is given the pieces. */
  begin(): void {
    this.#failed = false
    this.#stream._handle.reset()
  }

  /** @param last no more input comes: unless the stream ends with it, it is damaged */
  step(input: Uint8Array, output: Uint8Array, last: boolean): InflateStep {
    const flush = last ? constants.Z_FINISH : constants.Z_NO_FLUSH
    this.#stream._handle.writeSync(flush, input, 0, input.length, output, 0, output.length)
    const [outputLeft = 0, inputLeft = 0] = this.#left
    // zlib stops with room and input left only where the stream has come to its end.
    const ended = !this.#failed && outputLeft > 0 && (last || inputLeft > 0)
    return { madeBytes: output.length - outputLeft, readBytes: input.length - inputLeft, ended, failed: this.#failed }
  }
}

export interface InflateStep {
  readonly madeBytes: number
  readonly readBytes: number
  readonly ended: boolean
  readonly failed: boolean
}

let stream: InflateStream | undefined
let piecewise: InflateStream | undefined

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

/** A stream for what is inflated in pieces, one after the other: `inflateInto` may be called between them. */
export function pieceStream(): Pick<InflateStream, 'begin' | 'step'> {
  return (piecewise ??= new InflateStream())
}

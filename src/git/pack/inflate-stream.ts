import { constants, createInflate } from 'node:zlib'
import { NativeZlib } from './native-zlib.ts'

class InflateStream {
  readonly #zlib = new NativeZlib(createInflate())

  /** As `inflateInto`. */
  run(input: Uint8Array, output: Uint8Array, sizeBytes: number): number {
    this.#zlib.reset()
    this.#zlib.write(constants.Z_FINISH, input, output, sizeBytes + 1)
    // Had the stream not come to its end, it would have wanted the byte too many, or failed.
    if (this.#zlib.failed || this.#zlib.outputLeft !== 1) return -1
    return input.length - this.#zlib.inputLeft
  }

  /** Another stream begins, of which `step` is given the pieces. */
  begin(): void {
    this.#zlib.reset()
  }

  /** @param last no more input comes: unless the stream ends with it, it is damaged */
  step(input: Uint8Array, output: Uint8Array, last: boolean): InflateStep {
    this.#zlib.write(last ? constants.Z_FINISH : constants.Z_NO_FLUSH, input, output)
    const { outputLeft, inputLeft, failed } = this.#zlib
    // zlib stops with room and input left only where the stream has come to its end.
    const ended = !failed && outputLeft > 0 && (last || inputLeft > 0)
    return { madeBytes: output.length - outputLeft, readBytes: input.length - inputLeft, ended, failed }
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

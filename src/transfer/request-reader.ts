import { decodePktLine, type PktLine } from '../git/pkt-line.ts'
import { ProtocolError } from '../git/protocol/error.ts'

const NOTHING = Buffer.alloc(0)

export interface RequestReaderOptions {
  /** Of the whole body, after decompression. */
  readonly bytesMax: number
  /** Called for each piece that arrived. */
  onPiece(): void
}

/**
 * Reads a request body as lines, and what follows them as bytes. It never ends the body's iteration early: that would
 * destroy the connection on which the answer is to be written.
 */
export class RequestReader {
  /** undefined: all of it was here at once */
  readonly #pieces: AsyncIterator<Buffer> | undefined
  readonly #options: RequestReaderOptions
  #buffer: Buffer
  #bytes: number
  #ended: boolean

  constructor(body: AsyncIterable<Buffer> | Buffer, options: RequestReaderOptions) {
    const isWhole = Buffer.isBuffer(body)
    this.#pieces = isWhole ? undefined : body[Symbol.asyncIterator]()
    this.#options = options
    this.#buffer = isWhole ? body : NOTHING
    this.#bytes = this.#buffer.length
    this.#ended = isWhole
  }

  /** Bytes of the body so far. */
  get bytes(): number {
    return this.#bytes
  }

  /**
   * @returns the next line where all of it has come, as with most: waiting for what is there takes longer than reading it
   * @throws ProtocolError pkt_length_invalid
   */
  lineHere(): PktLine | undefined {
    const step = decodePktLine(this.#buffer)
    return step.complete ? this.#cut(step) : undefined
  }

  /**
   * @returns undefined where the body ends between two lines
   * @throws ProtocolError pkt_length_invalid, request_truncated, over_limit
   */
  async readLine(): Promise<PktLine | undefined> {
    for (;;) {
      const step = decodePktLine(this.#buffer)
      if (step.complete) return this.#cut(step)
      if (await this.#fill(step.neededBytes)) continue
      if (this.#buffer.length === 0) return undefined
      throw new ProtocolError({ code: 'request_truncated' }, 'The request ends inside a line')
    }
  }

  #cut({ line, consumedBytes }: { readonly line: PktLine; readonly consumedBytes: number }): PktLine {
    this.#buffer = this.#buffer.subarray(consumedBytes)
    return line
  }

  /**
   * Joins pieces once there are enough of them: joined one by one, a line that comes in single bytes would be copied
   * thousands of times.
   *
   * @returns false where nothing more comes
   */
  async #fill(bytes: number): Promise<boolean> {
    const pieces = this.#buffer.length === 0 ? [] : [this.#buffer]
    let filled = this.#buffer.length
    while (filled < bytes) {
      const piece = await this.#next()
      if (piece === undefined) break
      pieces.push(piece)
      filled += piece.length
    }
    const grew = filled > this.#buffer.length
    this.#buffer = pieces.length === 1 ? (pieces[0] as Buffer) : Buffer.concat(pieces, filled)
    return grew
  }

  /** @returns whether anything follows the lines read so far; what there is of it is lost. @throws ProtocolError over_limit */
  async goesOn(): Promise<boolean> {
    return this.#buffer.length > 0 || (await this.#next()) !== undefined
  }

  /** What follows the lines read so far; each piece holds until the next one is asked for. @throws ProtocolError over_limit */
  async *rest(): AsyncGenerator<Buffer> {
    const first = this.#buffer
    this.#buffer = NOTHING
    if (first.length > 0) yield first
    for (let piece = await this.#next(); piece !== undefined; piece = await this.#next()) {
      yield piece
      free(piece)
    }
  }

  /**
   * Reads the rest and forgets it: a client that is still sending reads no answer. At most as much again as a request
   * may have, then the connection has to go.
   *
   * @returns whether the body came to its end
   */
  async drain(): Promise<boolean> {
    this.#buffer = NOTHING
    for (let drained = 0; drained <= this.#options.bytesMax;) {
      if (this.#ended) return true
      drained += await this.#drop()
    }
    return false
  }

  /** @returns how many bytes were dropped */
  async #drop(): Promise<number> {
    try {
      return (await this.#take())?.length ?? 0
    } catch (error) {
      if (!(error instanceof ProtocolError)) throw error
      // Damage in what nobody wants to know any more: the answer is about what came before.
      this.#ended = true
      return 0
    }
  }

  async #next(): Promise<Buffer | undefined> {
    const piece = await this.#take()
    if (piece === undefined) return undefined
    const { bytesMax } = this.#options
    if (this.#bytes > bytesMax) {
      throw new ProtocolError(
        { code: 'over_limit', limit: 'max_request_size', limitValue: bytesMax },
        `The request is over the limit (max_request_size) of ${bytesMax} bytes`,
      )
    }
    return piece
  }

  async #take(): Promise<Buffer | undefined> {
    if (this.#ended || this.#pieces === undefined) return undefined
    const { done, value } = await this.#pieces.next()
    if (done === true) {
      this.#ended = true
      return undefined
    }
    this.#bytes += value.length
    this.#options.onPiece()
    return value
  }
}

/**
 * Gives the memory of a piece back at once. V8 lets up to 64 MiB of pieces gather before it collects them: of a push of 45
 * MiB receiving takes half the processor time if the next piece comes into the memory of the last one, and the holes
 * that they left in the allocator's arena were filled with what stays.
 */
function free({ buffer, length }: Buffer): void {
  // What is part of something larger is not ours alone.
  if (buffer instanceof ArrayBuffer && buffer.byteLength === length) buffer.transfer(0)
}

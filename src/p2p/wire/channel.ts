import { lpStream } from '@libp2p/utils'
import type { Stream, StreamMessageEvent } from '@libp2p/interface'
import { GutsError } from '../../errors.ts'
import { MessageError } from './messages.ts'

/** Bytes that wait for us before the sender is told to wait: they come a mebibyte at a time. */
const READ_AHEAD_BYTES = 4 * 1024 * 1024

/** The stream ended before it should, or did not end where it should. */
export class ChannelError extends GutsError<{ readonly code: 'ended_early' | 'too_long' }> {}

/** One exchange's stream: a request, its answer, and the bytes that may follow. Aborting the signal ends the stream. */
export class Channel {
  readonly #stream: Stream
  readonly #messages: ReturnType<typeof lpStream<Stream>>
  readonly #signal: AbortSignal

  /** @param maxDataLength of a message that is read */
  constructor(stream: Stream, maxDataLength: number, signal: AbortSignal) {
    this.#stream = stream
    this.#signal = signal
    this.#messages = lpStream(stream, { maxDataLength, maxBufferSize: maxDataLength + READ_AHEAD_BYTES })
    // Whatever becomes of who waits: the other side sees the stream end, and nothing of ours is left.
    const abort = (): void => stream.abort(asError(signal.reason))
    if (signal.aborted) abort()
    else {
      signal.addEventListener('abort', abort, { once: true })
      stream.addEventListener('close', () => signal.removeEventListener('abort', abort), { once: true })
    }
  }

  /** @throws MessageError oversize; the signal's reason; libp2p's errors where the stream ends */
  async read(): Promise<Uint8Array> {
    try {
      return (await this.#messages.read({ signal: this.#signal })).subarray()
    } catch (error) {
      this.#signal.throwIfAborted()
      if (
        error instanceof Error &&
        (error.name === 'InvalidDataLengthError' || error.name === 'InvalidDataLengthLengthError')
      ) {
        throw new MessageError({ code: 'oversize' }, 'The message is larger than this exchange allows', {
          cause: error,
        })
      }
      throw error
    }
  }

  /** Resolves when the stream has taken the last byte. */
  async write(bytes: Uint8Array): Promise<void> {
    await this.#messages.write(bytes, { signal: this.#signal })
  }

  /** Bytes without a frame, after the last message that is written. */
  async writeRaw(bytes: Uint8Array): Promise<void> {
    if (this.#stream.send(bytes)) return
    await this.#stream.onDrain({ signal: this.#signal })
  }

  /** For an exchange that failed: nothing more is sent or read. */
  abort(reason: unknown): void {
    this.#stream.abort(asError(reason))
  }

  /** For the side that read the answer: it has nothing more to say, and waits for nothing. */
  end(): void {
    if (this.#stream.status === 'open') this.#stream.close({ signal: this.#signal }).catch(() => {})
  }

  /** All our bytes are written; the other side may still be reading. */
  async finish(): Promise<void> {
    await this.#stream.close({ signal: this.#signal })
  }

  /**
   * Exactly `bytes` bytes after the last message that was read, in pieces; who takes them slowly slows the sender down.
   *
   * @throws ChannelError; the signal's reason
   */
  async *rawBytes(bytes: number): AsyncGenerator<Uint8Array> {
    const stream = this.#messages.unwrap()
    let queue: Uint8Array[] = []
    let queued = 0
    let ended: { readonly error?: unknown } | undefined
    let wake: (() => void) | undefined
    const onMessage = ({ data }: StreamMessageEvent): void => {
      // Each part where it lies: as one piece they would have to be copied.
      for (const part of data instanceof Uint8Array ? [data] : data) queue.push(part)
      queued += data.byteLength
      if (queued >= READ_AHEAD_BYTES && stream.readStatus === 'readable') stream.pause()
      wake?.()
    }
    const onEnd = (event: Event): void => {
      ended ??= { error: 'error' in event ? event.error : undefined }
      wake?.()
    }
    stream.addEventListener('message', onMessage)
    stream.addEventListener('remoteCloseWrite', onEnd)
    stream.addEventListener('close', onEnd)
    try {
      for (let left = bytes; left > 0;) {
        // All that came, at once: a peer may send each byte on its own, and taking them off one by one is quadratic.
        const pieces = queue
        queue = []
        for (const piece of pieces) {
          // First: what is queued of an attempt that is over, the next attempt brings anew.
          this.#signal.throwIfAborted()
          queued -= piece.byteLength
          if (piece.byteLength > left) throw new ChannelError({ code: 'too_long' }, 'The peer sends more than it said')
          left -= piece.byteLength
          // Before the queue is empty, or the way would be idle until the sender hears of it.
          if (stream.readStatus === 'paused' && queued < READ_AHEAD_BYTES / 2) stream.resume()
          yield piece
        }
        if (pieces.length > 0) continue
        this.#signal.throwIfAborted()
        if (ended !== undefined) {
          const { error: cause } = ended
          throw new ChannelError({ code: 'ended_early' }, `The stream ended ${left} bytes too early`, { cause })
        }
        await new Promise<void>((resolve) => {
          wake = resolve
        })
      }
    } finally {
      stream.removeEventListener('message', onMessage)
      stream.removeEventListener('remoteCloseWrite', onEnd)
      stream.removeEventListener('close', onEnd)
    }
  }
}

function asError(reason: unknown): Error {
  return reason instanceof Error ? reason : new Error('The exchange is over', { cause: reason })
}

/** Where log lines go: out of the process some at a time, since a write for each took as long as making it. */
import pino, { type DestinationStream } from 'pino'

/** What may wait for a slow reader of our output; beyond it lines are dropped and counted, or memory would go (I7). */
const WAITING_BYTES_MAX = 16 * 2 ** 20
/**
 * So many go out at once, without waiting for more. The stream measures all that waits with each line: with 64 KiB a line
 * took three times as long.
 */
const BATCH_BYTES = 8 * 2 ** 10
/** Between one write and the next: no line waits longer for others, and one that comes alone does not wait. */
const PAUSE_MS = 20

export class LogOutput {
  readonly #stream: ReturnType<typeof pino.destination>
  #waitingBytes = 0
  #isPaused = false
  #cameInPause = false

  /**
   * @param fd a file descriptor
   * @param onLoss called when lines are lost: nobody reads our output, or it cannot be written
   */
  constructor(fd: number, onLoss: () => void) {
    this.#stream = pino.destination({ fd, sync: false, minLength: BATCH_BYTES, maxLength: WAITING_BYTES_MAX })
    this.#stream.on('write', (bytes) => {
      // What the stream wrote by itself in a hurry is told by this alone: it had nothing left.
      this.#waitingBytes = bytes === 0 ? 0 : this.#waitingBytes - bytes
    })
    this.#stream.on('drop', (line: string) => {
      this.#waitingBytes -= Buffer.byteLength(line)
      onLoss()
    })
    // A full disk under our output must not end the node; what waits is written when there is room again.
    this.#stream.on('error', onLoss)
    // As long as something was written, nothing else was: what came then has to be seen to.
    this.#stream.on('drain', () => {
      if (this.#waitingBytes > 0) this.#writeSoon()
    })
  }

  /** For pino; on exit and on a crash what waits is written by itself. */
  get stream(): DestinationStream {
    return this.#stream
  }

  /** To be told of each line before it is written to the stream. */
  onLine(line: string): void {
    this.#waitingBytes += Buffer.byteLength(line)
    this.#writeSoon()
  }

  /** Resolves when everything so far was written. @throws Error what the descriptor does */
  async flush(): Promise<void> {
    while (this.#waitingBytes > 0) {
      const { promise, resolve, reject } = Promise.withResolvers<void>()
      this.#stream.once('drain', resolve)
      this.#stream.once('error', reject)
      this.#stream.flush()
      try {
        await promise
      } finally {
        this.#stream.removeListener('drain', resolve)
        this.#stream.removeListener('error', reject)
      }
    }
  }

  /** At once, unless others were written a moment ago: then with what comes until it is over. */
  #writeSoon(): void {
    if (this.#isPaused) {
      this.#cameInPause = true
      return
    }
    this.#isPaused = true
    // The stream has the line only when whoever told us of it has gone on.
    queueMicrotask(() => this.#stream.flush())
    // It keeps no process alive: what waits at its end is written then.
    setTimeout(() => {
      this.#isPaused = false
      if (!this.#cameInPause) return
      this.#cameInPause = false
      this.#writeSoon()
    }, PAUSE_MS).unref()
  }
}

import type { Metrics } from '../observability/metrics.ts'
import { ProgressTimeout } from '../resilience/timeout.ts'

/**
 * Ends a transfer that stands still (DESIGN §4.2, GUTS_REQUEST_TIMEOUT), and joins that with the client's leaving into
 * one signal.
 */
export class ProgressWatch {
  readonly #timeout: ProgressTimeout
  #isTaken = false

  constructor(clientLeft: AbortSignal, timeoutMs: number, metrics: Pick<Metrics, 'timeouts'>) {
    const onExpired = (): void => metrics.timeouts.inc({ operation: 'transfer' })
    this.#timeout = new ProgressTimeout({ timeoutMs, onExpired, signal: clientLeft })
  }

  get signal(): AbortSignal {
    return this.#timeout.signal
  }

  progress(): void {
    if (!this.#isTaken) this.#timeout.progress()
  }

  /** Until the next `progress()` nothing is expected to move. */
  pause(): void {
    this.#timeout.pause()
  }

  /**
   * While the client takes something: at which pace is its own affair, and what moves meanwhile in other places says
   * nothing about it. One at a time.
   */
  async taken(taking: Promise<void>): Promise<void> {
    this.#timeout.pause()
    this.#isTaken = true
    try {
      await taking
    } finally {
      this.#isTaken = false
      this.#timeout.progress()
    }
  }

  stop(): void {
    this.#timeout.stop()
  }

  /** @returns what `work` does, unless the signal comes first: then its reason is thrown, and `work` ends on its own */
  guard<T>(work: Promise<T>): Promise<T> {
    return this.#timeout.guard(work)
  }

  /**
   * The same pieces, until the signal comes. A body does not end by itself then: once its request is answered, Node
   * tells it no more of what becomes of the connection.
   */
  guardEach<T>(pieces: AsyncIterable<T>): AsyncIterable<T> {
    return {
      [Symbol.asyncIterator]: () => {
        const iterator = pieces[Symbol.asyncIterator]()
        return { next: () => this.guard(iterator.next()) }
      },
    }
  }
}

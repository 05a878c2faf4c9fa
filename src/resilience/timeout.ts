import { RequestError } from '../errors.ts'

export interface DeadlineOptions {
  readonly timeoutMs: number
  /** Ends it earlier, with the signal's reason. */
  readonly signal?: AbortSignal
  /** What `fn` failed with after its time was up. */
  readonly onLateError: (error: unknown) => void
  /** Called when the time is up: what to fail with. Default: a `timeout` that the client may read. */
  readonly onExpired?: () => Error
}

/**
 * Runs `fn` for at most `timeoutMs`. At the deadline its signal aborts and the answer is the error of the timeout,
 * whether or not `fn` listens; what it does later is its own affair. `restart` gives it the whole time once more.
 */
export async function withDeadline<T>(
  options: DeadlineOptions,
  fn: (signal: AbortSignal, restart: () => void) => Promise<T>,
): Promise<T> {
  const { timeoutMs, onLateError } = options
  options.signal?.throwIfAborted()
  const controller = new AbortController()
  const { promise, resolve, reject } = Promise.withResolvers<T>()
  let over = false
  const abort = (reason: unknown): void => {
    over = true
    reject(reason)
    controller.abort(reason)
  }
  const leave = (): void => abort(options.signal?.reason)
  options.signal?.addEventListener('abort', leave, { once: true })
  const expired = options.onExpired ?? (() => timeoutError(timeoutMs))
  const deadline = setTimeout(() => abort(expired()), timeoutMs)
  const work = fn(controller.signal, () => {
    // A timer that was cleared would start again.
    if (!over) deadline.refresh()
  })
  work.then(resolve, (error: unknown) => {
    // Of what fails after its time nobody waits to hear; that it echoes our own reason is no news.
    if (over && error !== controller.signal.reason) onLateError(error)
    reject(error)
  })
  try {
    return await promise
  } finally {
    over = true
    clearTimeout(deadline)
    options.signal?.removeEventListener('abort', leave)
  }
}

function timeoutError(timeoutMs: number): RequestError {
  return new RequestError({ code: 'timeout' }, `This took longer than ${timeoutMs / 1_000} s`)
}

/**
 * What `work` does, unless the signal comes first: then its reason is thrown, and `work` ends on its own. Its late
 * failure is nobody's news.
 */
export async function untilAborted<T>(signal: AbortSignal, work: Promise<T>): Promise<T> {
  const { promise: aborted, reject } = Promise.withResolvers<never>()
  const abort = (): void => reject(signal.reason)
  if (signal.aborted) abort()
  signal.addEventListener('abort', abort, { once: true })
  try {
    return await Promise.race([aborted, work])
  } finally {
    signal.removeEventListener('abort', abort)
  }
}

export interface ProgressTimeoutOptions {
  readonly timeoutMs: number
  readonly onExpired?: () => void
  readonly signal?: AbortSignal
}

/**
 * Aborts work that makes no progress: call `progress()` for each piece done, `stop()` when it is over.
 *
 * One timer for all of it, that looks when it fires how long ago the last progress was: to set it anew with each progress
 * and pause took 2 of the 130 µs of a small fetch.
 */
export class ProgressTimeout {
  readonly #forget: () => void
  #timer: NodeJS.Timeout
  /** undefined: paused */
  #movedAtMs: number | undefined = performance.now()
  #aborted: { readonly reason: unknown } | undefined
  /** Made for who asks for it: most small requests have nobody to tell. */
  #controller: AbortController | undefined
  readonly #guarded = new Set<(reason: unknown) => void>()

  /** @param options `signal` aborts it earlier, with that signal's reason, until it is stopped */
  constructor({ timeoutMs, onExpired, signal }: ProgressTimeoutOptions) {
    const expire = (): void => {
      onExpired?.()
      this.#abort(new RequestError({ code: 'timeout' }, `No progress for ${timeoutMs / 1_000} s`))
    }
    const look = (): void => {
      const leftMs = this.#movedAtMs === undefined ? timeoutMs : this.#movedAtMs + timeoutMs - performance.now()
      // The clock of timers is in whole milliseconds, and may be ahead of the other one by a part of one.
      if (leftMs < 1) expire()
      else this.#timer = setTimeout(look, leftMs)
    }
    this.#timer = setTimeout(look, timeoutMs)
    // Not AbortSignal.any, which takes as long as all else here together.
    const leave = (): void => {
      this.stop()
      this.#abort(signal?.reason)
    }
    this.#forget = () => signal?.removeEventListener('abort', leave)
    signal?.addEventListener('abort', leave)
    if (signal?.aborted === true) leave()
  }

  get signal(): AbortSignal {
    if (this.#controller === undefined) {
      this.#controller = new AbortController()
      if (this.#aborted !== undefined) this.#controller.abort(this.#aborted.reason)
    }
    return this.#controller.signal
  }

  /** As `untilAborted` with its signal, without one. */
  guard<T>(work: Promise<T>): Promise<T> {
    const { promise, resolve, reject } = Promise.withResolvers<T>()
    if (this.#aborted !== undefined) reject(this.#aborted.reason)
    this.#guarded.add(reject)
    work.then(
      (value) => {
        this.#guarded.delete(reject)
        resolve(value)
      },
      (error: unknown) => {
        this.#guarded.delete(reject)
        reject(error)
      },
    )
    return promise
  }

  progress(): void {
    this.#movedAtMs = performance.now()
  }

  /** Until the next `progress()` nothing is expected to move. */
  pause(): void {
    this.#movedAtMs = undefined
  }

  stop(): void {
    clearTimeout(this.#timer)
    this.#forget()
  }

  [Symbol.dispose](): void {
    this.stop()
  }

  #abort(reason: unknown): void {
    if (this.#aborted !== undefined) return
    this.#aborted = { reason }
    this.#controller?.abort(reason)
    for (const reject of this.#guarded) reject(reason)
  }
}

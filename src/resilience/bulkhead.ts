import assert from 'node:assert/strict'
import { RequestError } from '../errors.ts'
import { addQueueTime } from '../observability/context.ts'
import type { BULKHEADS } from '../observability/label-sets.ts'
import type { Metrics } from '../observability/metrics.ts'
import { ServiceTime } from './retry-after.ts'

export interface BulkheadOptions {
  readonly name: (typeof BULKHEADS)[number]
  /** Operations at a time, of all keys together. */
  readonly slotsMax: number
  /** Operations at a time of one key: a repository, a peer. */
  readonly slotsPerKeyMax: number
  /** Operations that may wait; the next one is refused. */
  readonly queueMax: number
}

export interface BulkheadMetrics extends Pick<Metrics, 'bulkheadInFlight' | 'bulkheadQueued' | 'bulkheadWait'> {
  /** Of clients' requests; absent where what is refused is work of our own. */
  readonly rejections?: Metrics['rejections']
}

interface Waiting {
  readonly key: string
  readonly start: () => void
}

/** Limits how much runs at a time; the rest waits in order of arrival, but one busy key does not hold up the others. */
export class Bulkhead {
  readonly #options: BulkheadOptions
  readonly #metrics: BulkheadMetrics
  readonly #queue: Waiting[] = []
  readonly #runningOfKey = new Map<string, number>()
  readonly #serviceTime = new ServiceTime()
  readonly #reported = { running: 0, queued: 0 }
  #running = 0

  constructor(options: BulkheadOptions, metrics: BulkheadMetrics) {
    for (const count of [options.slotsMax, options.slotsPerKeyMax]) assert(count >= 1, 'a bulkhead has a slot')
    assert(options.queueMax >= 0)
    this.#options = options
    this.#metrics = metrics
  }

  /**
   * Runs `fn` when there is a slot for it.
   * @throws RequestError `unavailable` with a computed `Retry-After` when the queue is full; the signal's reason when
   *   it aborts while waiting (a running `fn` has to listen for itself)
   */
  async run<T>(key: string, signal: AbortSignal, fn: () => Promise<T>): Promise<T> {
    await this.#slot(key, signal)
    const startedAtMs = performance.now()
    try {
      return await fn()
    } finally {
      this.#serviceTime.observe(performance.now() - startedAtMs)
      this.#release(key)
    }
  }

  /**
   * Runs `fn` where there is a slot for it at once. It may wait for somebody: how long it took says nothing about the next.
   * @returns undefined where there is none
   */
  runAtOnce<T>(key: string, fn: () => Promise<T>): Promise<T> | undefined {
    if (!this.hasSlot(key)) return undefined
    this.#take(key)
    this.#metrics.bulkheadWait.observe({ bulkhead: this.#options.name }, 0)
    return fn().finally(() => this.#release(key))
  }

  /** Whether an operation could run at once. */
  hasSlot(key: string): boolean {
    return this.#running < this.#options.slotsMax && (this.#runningOfKey.get(key) ?? 0) < this.#options.slotsPerKeyMax
  }

  async #slot(key: string, signal: AbortSignal): Promise<void> {
    signal.throwIfAborted()
    const joinedAtMs = performance.now()
    if (this.hasSlot(key)) this.#take(key)
    else await this.#wait(key, signal)
    const waitedMs = performance.now() - joinedAtMs
    addQueueTime(waitedMs)
    this.#metrics.bulkheadWait.observe({ bulkhead: this.#options.name }, waitedMs / 1_000)
  }

  async #wait(key: string, signal: AbortSignal): Promise<void> {
    if (this.#queue.length >= this.#options.queueMax) throw this.#refusal(key)
    const { promise, resolve, reject } = Promise.withResolvers<void>()
    const waiting: Waiting = { key, start: resolve }
    const leave = (): void => {
      // A slot may have been given in this very turn; then the operation starts and sees the signal itself.
      const index = this.#queue.indexOf(waiting)
      if (index === -1) return
      this.#queue.splice(index, 1)
      this.#report()
      reject(signal.reason)
    }
    this.#queue.push(waiting)
    this.#report()
    signal.addEventListener('abort', leave, { once: true })
    try {
      await promise
    } finally {
      signal.removeEventListener('abort', leave)
    }
  }

  #refusal(key: string): RequestError {
    this.#metrics.rejections?.inc({ reason: 'queue_full' })
    const { slotsMax, slotsPerKeyMax } = this.#options
    const ofKey = this.#queue.filter((waiting) => waiting.key === key).length + (this.#runningOfKey.get(key) ?? 0)
    const retryAfterS = Math.max(
      this.#serviceTime.secondsUntilDone(this.#queue.length + this.#running, slotsMax),
      this.#serviceTime.secondsUntilDone(ofKey, slotsPerKeyMax),
    )
    return new RequestError({ code: 'unavailable', retryAfterS }, 'Too many operations are waiting; try again later')
  }

  #take(key: string): void {
    this.#running++
    this.#runningOfKey.set(key, (this.#runningOfKey.get(key) ?? 0) + 1)
    this.#report()
  }

  #release(key: string): void {
    this.#running--
    const ofKey = (this.#runningOfKey.get(key) ?? 0) - 1
    assert(ofKey >= 0 && this.#running >= 0, 'a slot is given back once')
    if (ofKey === 0) this.#runningOfKey.delete(key)
    else this.#runningOfKey.set(key, ofKey)
    const index = this.#queue.findIndex((waiting) => this.hasSlot(waiting.key))
    const next = index === -1 ? undefined : this.#queue.splice(index, 1)[0]
    // The slot is taken here and not when the waiter wakes up, or a newcomer could slip in between.
    if (next !== undefined) this.#take(next.key)
    this.#report()
    next?.start()
  }

  /** Only what has changed: setting a gauge costs more than all else that a slot does. */
  #report(): void {
    const { name: bulkhead } = this.#options
    if (this.#reported.running !== this.#running) this.#metrics.bulkheadInFlight.set({ bulkhead }, this.#running)
    if (this.#reported.queued !== this.#queue.length) this.#metrics.bulkheadQueued.set({ bulkhead }, this.#queue.length)
    this.#reported.running = this.#running
    this.#reported.queued = this.#queue.length
  }
}

import { monitorEventLoopDelay } from 'node:perf_hooks'
import { RequestError } from '../errors.ts'
import type { Metrics } from '../observability/metrics.ts'
import { ServiceTime } from './retry-after.ts'

export const LOAD_SHEDDING_DEFAULTS = {
  inFlightMax: 1_000,
  shedDelayMs: 250,
  recoverDelayMs: 100,
} as const

export interface LoadSheddingOptions {
  /** Requests at a time, health and metrics aside. */
  readonly inFlightMax: number
  /** From this smoothed event-loop delay on heavy requests are refused, from four times this delay all. */
  readonly shedDelayMs: number
  /** Below this delay all are admitted again. */
  readonly recoverDelayMs: number
}

export type SheddingMetrics = Pick<Metrics, 'eventLoopDelay' | 'loadShedding' | 'rejections'>

const RESOLUTION_MS = 10
const SAMPLE_MS = 250
/** Half of the new sample, half of the past: one long garbage collection sheds nothing, a second of them does. */
const SMOOTHING = 0.5
const SEVERE = 4

/**
 * Refuses work before it ruins the work already taken: by requests in flight and by how late the event loop runs.
 * Small requests live longer than heavy ones. Routes of health and metrics do not ask.
 */
export class LoadShedder {
  readonly #options: LoadSheddingOptions
  readonly #metrics: SheddingMetrics
  readonly #serviceTime = new ServiceTime()
  readonly #histogram = monitorEventLoopDelay({ resolution: RESOLUTION_MS })
  #timer: NodeJS.Timeout | undefined
  #inFlight = 0
  #delayMs = 0
  #late = false
  /** What the gauge shows, as soon as it shows anything. */
  #reported: boolean | undefined

  constructor(metrics: SheddingMetrics, options: Partial<LoadSheddingOptions> = {}) {
    this.#metrics = metrics
    this.#options = { ...LOAD_SHEDDING_DEFAULTS, ...options }
  }

  start(): void {
    this.#histogram.enable()
    this.#timer = setInterval(() => this.#sample(), SAMPLE_MS).unref()
  }

  stop(): void {
    clearInterval(this.#timer)
    this.#histogram.disable()
  }

  /** Whether requests are being refused at the moment; readiness asks. */
  get shedding(): boolean {
    return this.#late || this.#inFlight >= this.#options.inFlightMax
  }

  /**
   * Admits one request; call the answer when it ended.
   * @throws RequestError `unavailable`, with a `Retry-After` computed from the work in flight
   */
  enter(weight: 'small' | 'heavy'): () => void {
    const severe = this.#late && this.#delayMs >= SEVERE * this.#options.shedDelayMs
    if (this.#inFlight >= this.#options.inFlightMax || severe || (this.#late && weight === 'heavy'))
      throw this.#refusal()
    this.#inFlight++
    this.#report()
    const startedAtMs = performance.now()
    let left = false
    return () => {
      if (left) return
      left = true
      this.#inFlight--
      this.#serviceTime.observe(performance.now() - startedAtMs)
      this.#report()
    }
  }

  #refusal(): RequestError {
    this.#metrics.rejections.inc({ reason: 'overload' })
    // What is in flight shares one event loop, so it ends about together; a late loop makes it as much later.
    const retryAfterS = this.#serviceTime.secondsUntilDone(1 + this.#delayMs / this.#options.shedDelayMs, 1)
    return new RequestError({ code: 'unavailable', retryAfterS }, 'The server is overloaded; try again later')
  }

  #sample(): void {
    // The histogram measures from tick to tick: an idle loop shows the resolution itself.
    const meanMs = Number.isFinite(this.#histogram.mean) ? this.#histogram.mean / 1e6 - RESOLUTION_MS : 0
    this.#histogram.reset()
    this.#delayMs += SMOOTHING * (Math.max(0, meanMs) - this.#delayMs)
    this.#late = this.#delayMs >= (this.#late ? this.#options.recoverDelayMs : this.#options.shedDelayMs)
    this.#metrics.eventLoopDelay.set(this.#delayMs / 1_000)
    this.#report()
  }

  #report(): void {
    const { shedding } = this
    // Twice a request it is asked, and seldom is it another.
    if (shedding === this.#reported) return
    this.#reported = shedding
    this.#metrics.loadShedding.set(shedding ? 1 : 0)
  }
}

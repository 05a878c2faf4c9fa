/**
 * What every call that leaves the process goes through, from the outside in (DESIGN §8): the time of the whole call,
 * retries, the circuit breaker of whom it is for, the bulkhead, the time of the attempt.
 */
import assert from 'node:assert/strict'
import { handleWhen, retry } from 'cockatiel'
import { BREAKER_STATES } from '../observability/label-sets.ts'
import type { Logger } from '../observability/logging.ts'
import { withSpan } from '../observability/tracing.ts'
import { delaysMsMax, retryBackoff } from './backoff.ts'
import { Bulkhead } from './bulkhead.ts'
import { type BreakerState, CircuitBreaker, InconclusiveError } from './circuit-breaker.ts'
import {
  type Attempt,
  AttemptTimeoutError,
  CircuitOpenError,
  type Dependency,
  type OutboundCall,
} from './outbound-call.ts'
import { type OutboundMetrics, OutboundReport } from './outbound-report.ts'
import { untilAborted, withDeadline } from './timeout.ts'

export { type Attempt, AttemptTimeoutError, CircuitOpenError, type OutboundCall, type OutboundMetrics }

export interface OutboundOptions {
  readonly dependency: Dependency
  /** Of a call that ends by deadline, the time of one attempt; of one that ends by progress, without any. */
  readonly attemptTimeoutMs: number
  /** Attempts in all, the first included. */
  readonly attemptsMax: number
  /** Failures in a row that open the circuit of a key. */
  readonly breakerThreshold: number
  /** Network errors and unavailability: what is tried again and speaks against the key. Time-outs always do. */
  readonly isTransient: (error: unknown) => boolean
}

export const OUTBOUND_LIMITS = {
  /** Successes in a row that close a half-open circuit, which lets one call through at a time. */
  successThreshold: 2,
  /** How long an open circuit refuses everything. */
  openMs: 5_000,
  /** Attempts at a time, of all keys together and of one. */
  slotsMax: 256,
  slotsPerKeyMax: 8,
  /** Attempts that may wait for a slot; the next one is refused. */
  queueMax: 256,
  /** Circuits that are kept. Who uses keys forgets them; beyond this the one used longest ago is forgotten. */
  keysMax: 10_000,
  /**
   * What all attempts of a call may wait for slots together. More than nothing, or the time of the call would be over
   * in the same tick as that of its last attempt, and nobody would know whose time was up.
   */
  slotWaitMsMax: 1_000,
} as const

export class OutboundPolicies {
  readonly #options: OutboundOptions
  readonly #metrics: OutboundMetrics
  readonly #report: OutboundReport
  readonly #slots: Bulkhead
  /** In the order of their last use. */
  readonly #breakers = new Map<string, CircuitBreaker>()

  constructor(options: OutboundOptions, parts: { readonly metrics: OutboundMetrics; readonly logger: Logger }) {
    for (const count of [options.attemptsMax, options.breakerThreshold]) assert(Number.isInteger(count) && count >= 1)
    this.#options = options
    this.#metrics = parts.metrics
    this.#report = new OutboundReport(options.dependency, parts.metrics, parts.logger)
    const { slotsMax, slotsPerKeyMax, queueMax } = OUTBOUND_LIMITS
    const { bulkheadInFlight, bulkheadQueued, bulkheadWait } = parts.metrics
    const metrics = { bulkheadInFlight, bulkheadQueued, bulkheadWait }
    this.#slots = new Bulkhead({ name: options.dependency, slotsMax, slotsPerKeyMax, queueMax }, metrics)
  }

  /**
   * Runs `fn`, once or until it succeeds.
   * @param key whom the call is for: the id of a peer
   * @throws CircuitOpenError; AttemptTimeoutError; RequestError `unavailable` when too many attempts wait for a slot;
   *   the reason of the call's signal; what the last attempt failed with
   */
  async run<T>(key: string, call: OutboundCall, fn: (attempt: Attempt) => Promise<T>): Promise<T> {
    call.signal.throwIfAborted()
    const { dependency } = this.#options
    return withSpan(`${dependency}.${call.name}`, { key }, async () => {
      try {
        return await this.#inTime(key, call, fn)
      } catch (error) {
        throw error instanceof InconclusiveError ? error.cause : error
      }
    })
  }

  state(key: string): BreakerState {
    return this.#breakers.get(key)?.state ?? 'closed'
  }

  /** Drops what is kept for a key; calls that are under way go on, and count for nothing. */
  forget(key: string): void {
    if (this.#breakers.delete(key)) this.#reportWorst()
  }

  /** The time of the whole call is ours to keep: cockatiel's own would make an error with its stack of each call. */
  #inTime<T>(key: string, call: OutboundCall, fn: (attempt: Attempt) => Promise<T>): Promise<T> {
    if (call.ends === 'progress') return untilAborted(call.signal, this.#tryAgain(key, call, call.signal, fn))
    const deadline = {
      timeoutMs: this.#callTimeoutMs(call),
      signal: call.signal,
      onExpired: () => this.#timedOut(key, call, 'call'),
      // Each attempt tells its own.
      onLateError: () => {},
    }
    return withDeadline(deadline, (signal) => this.#tryAgain(key, call, signal, fn))
  }

  #tryAgain<T>(
    key: string,
    call: OutboundCall,
    callSignal: AbortSignal,
    fn: (attempt: Attempt) => Promise<T>,
  ): Promise<T> {
    const breaker = this.#breakerOf(key)
    // What cockatiel calls attempts are those after the first. A caller who leaves cannot stop its timers, so they must
    // not hold up the end of the process.
    const options = { backoff: retryBackoff(), maxAttempts: this.#attemptsMax(call) - 1 }
    const retries = retry(handleWhen(this.#isFailure), options).dangerouslyUnref()
    let last: { readonly delay: number; readonly error?: unknown } | undefined
    retries.onRetry((failed) => (last = failed))
    return retries.execute(({ attempt, signal }) => {
      if (signal.aborted) throw new InconclusiveError(signal.reason)
      const begin = (): Promise<T> => {
        const retried = { key, exchange: call.name, attempt: attempt + 1 }
        if (last !== undefined) this.#report.retry({ ...retried, delayMs: last.delay, error: last.error })
        return this.#attempt(key, call, signal, fn)
      }
      return breaker.execute(begin, (retryAfterMs) => this.#refusal(retryAfterMs, breaker.lastFailure))
    }, callSignal)
  }

  #attemptsMax(call: OutboundCall): number {
    return call.idempotent ? this.#options.attemptsMax : 1
  }

  #callTimeoutMs(call: OutboundCall): number {
    const attempts = this.#attemptsMax(call)
    return attempts * this.#options.attemptTimeoutMs + delaysMsMax(attempts) + OUTBOUND_LIMITS.slotWaitMsMax
  }

  async #attempt<T>(
    key: string,
    call: OutboundCall,
    signal: AbortSignal,
    fn: (attempt: Attempt) => Promise<T>,
  ): Promise<T> {
    const deadline = {
      timeoutMs: this.#options.attemptTimeoutMs,
      signal,
      onExpired: () => this.#timedOut(key, call, 'attempt'),
      onLateError: (error: unknown) => this.#report.lateFailure({ key, exchange: call.name, error }),
    }
    let began = false
    try {
      return await this.#slots.run(key, signal, () => {
        began = true
        return withDeadline(deadline, async (attemptSignal, restart) =>
          fn({ signal: attemptSignal, progress: call.ends === 'progress' ? restart : () => {} }),
        )
      })
    } catch (error) {
      // Who found no slot, left, or ran out of the time of the whole call has seen nothing of the other side.
      throw began && !signal.aborted ? error : new InconclusiveError(error)
    }
  }

  readonly #isFailure = (error: unknown): boolean => {
    if (error instanceof CircuitOpenError || error instanceof InconclusiveError) return false
    return error instanceof AttemptTimeoutError || this.#options.isTransient(error)
  }

  #breakerOf(key: string): CircuitBreaker {
    const breaker = this.#breakers.get(key) ?? this.#newBreaker(key)
    this.#breakers.delete(key)
    this.#breakers.set(key, breaker)
    if (this.#breakers.size > OUTBOUND_LIMITS.keysMax) this.forget(this.#breakers.keys().next().value ?? key)
    return breaker
  }

  #newBreaker(key: string): CircuitBreaker {
    const breaker: CircuitBreaker = new CircuitBreaker({
      failuresMax: this.#options.breakerThreshold,
      successesMin: OUTBOUND_LIMITS.successThreshold,
      openMs: OUTBOUND_LIMITS.openMs,
      isFailure: this.#isFailure,
      onChange: (from, to, lastFailure) => {
        if (this.#breakers.get(key) !== breaker) return
        this.#report.circuit({ key, from, to }, lastFailure)
        this.#reportWorst()
      },
    })
    return breaker
  }

  #refusal(retryAfterMs: number, cause: unknown): CircuitOpenError {
    const { dependency } = this.#options
    const detail = { code: 'circuit_open', dependency, retryAfterMs: Math.ceil(retryAfterMs) } as const
    return new CircuitOpenError(detail, `Not tried: calls to this ${dependency} failed until now`, { cause })
  }

  #timedOut(key: string, call: OutboundCall, scope: 'attempt' | 'call'): AttemptTimeoutError {
    const { dependency, attemptTimeoutMs } = this.#options
    const timeoutMs = scope === 'attempt' ? attemptTimeoutMs : this.#callTimeoutMs(call)
    this.#report.timeout({ key, exchange: call.name, scope, timeoutMs })
    const what = call.ends === 'progress' ? 'made no progress for' : 'took longer than'
    const detail = { code: 'timed_out', dependency, scope, timeoutMs } as const
    return new AttemptTimeoutError(detail, `The exchange ${call.name} ${what} ${timeoutMs / 1_000} s`)
  }

  #reportWorst(): void {
    const states = [...this.#breakers.values()].map((breaker) => BREAKER_STATES.indexOf(breaker.state))
    this.#metrics.circuitBreakerState.set({ dependency: this.#options.dependency }, Math.max(0, ...states))
  }
}

import {
  CircuitState,
  ConsecutiveBreaker,
  circuitBreaker,
  handleWhen,
  type CircuitBreakerPolicy,
  type ICircuitBreakerOptions,
} from 'cockatiel'
import { GutsError } from '../errors.ts'
import type { BREAKER_STATES } from '../observability/label-sets.ts'

export type BreakerState = (typeof BREAKER_STATES)[number]

const STATE_OF = {
  [CircuitState.Closed]: 'closed',
  [CircuitState.HalfOpen]: 'half_open',
  [CircuitState.Open]: 'open',
  [CircuitState.Isolated]: 'open',
} as const satisfies Record<CircuitState, BreakerState>

export interface CircuitBreakerOptions {
  /** Failures in a row that open it. */
  readonly failuresMax: number
  /** Probes in a row that have to succeed before it closes. */
  readonly successesMin: number
  /** How long it refuses everything once open. */
  readonly openMs: number
  /** Whether an error speaks against what is called. */
  readonly isFailure: (error: unknown) => boolean
  readonly onChange: (from: BreakerState, to: BreakerState, lastFailure: unknown) => void
}

/** A call that ended without saying anything about whom it was for; `cause` is why. Throw it inside a breaker. */
export class InconclusiveError extends GutsError<{ readonly code: 'inconclusive' }> {
  constructor(cause: unknown) {
    super({ code: 'inconclusive' }, 'The call ended without an outcome', { cause })
  }
}

/**
 * One circuit: cockatiel's breaker, and what it does not have: one probe at a time, while the others are refused and
 * do not wait for its outcome; probes that prove nothing; and time that an adjusted wall clock cannot stretch.
 */
export class CircuitBreaker {
  readonly #options: CircuitBreakerOptions
  #policy: CircuitBreakerPolicy
  #state: BreakerState = 'closed'
  #openedAtMs = 0
  #probing = false

  constructor(options: CircuitBreakerOptions) {
    this.#options = options
    this.#policy = this.#newPolicy()
  }

  get state(): BreakerState {
    return this.#state
  }

  /** Of the failure that opened it last. */
  get lastFailure(): unknown {
    const reason = this.#policy.lastFailure
    return reason !== undefined && 'error' in reason ? reason.error : undefined
  }

  /** Milliseconds until a call may pass; 0: now. While a probe runs it is only known that it does not run for ever. */
  get refusedForMs(): number {
    if (this.#state === 'closed') return 0
    if (this.#probing) return this.#options.openMs
    return this.#state === 'half_open' ? 0 : Math.max(0, this.#openedAtMs + this.#options.openMs - performance.now())
  }

  /**
   * Runs `fn` and counts how it ends. In a closed circuit an error that is no failure counts for nothing; as the
   * outcome of a probe it is an answer, which shows that there is somebody to answer.
   * @param refuse the error to throw, instead of running `fn`, while the circuit is open
   */
  async execute<T>(fn: () => Promise<T>, refuse: (retryAfterMs: number) => Error): Promise<T> {
    if (this.#state === 'closed') return this.#policy.execute(fn)
    const refusedForMs = this.refusedForMs
    if (refusedForMs > 0) throw refuse(refusedForMs)
    this.#probing = true
    try {
      return await this.#policy.execute(async () => {
        try {
          return await fn()
        } catch (error) {
          // Before cockatiel sees the error: it would take it for a success.
          if (error instanceof InconclusiveError) this.#forgetProbe()
          throw error
        }
      })
    } finally {
      this.#probing = false
    }
  }

  /** A policy restored from a half-open one begins its half-open time anew with the next call. */
  #forgetProbe(): void {
    this.#policy = this.#newPolicy(this.#policy.toJSON())
  }

  #newPolicy(initialState?: unknown): CircuitBreakerPolicy {
    const { failuresMax, successesMin, isFailure } = this.#options
    const options: ICircuitBreakerOptions = {
      breaker: new ConsecutiveBreaker(failuresMax),
      // The time is ours to measure (`refusedForMs`); cockatiel reads it from a clock that can be set back.
      halfOpenAfter: Number.NEGATIVE_INFINITY,
      halfOpenSampling: { calls: successesMin, threshold: 0 },
      ...(initialState === undefined ? {} : { initialState }),
    }
    const policy = circuitBreaker(handleWhen(isFailure), options)
    policy.onStateChange((state) => {
      if (policy === this.#policy) this.#change(STATE_OF[state])
    })
    return policy
  }

  #change(to: BreakerState): void {
    const from = this.#state
    if (from === to) return
    this.#state = to
    if (to === 'open') this.#openedAtMs = performance.now()
    this.#options.onChange(from, to, this.lastFailure)
  }
}

import type { Logger } from '../observability/logging.ts'
import type { Metrics } from '../observability/metrics.ts'
import { addSpanEvent } from '../observability/tracing.ts'
import type { BreakerState } from './circuit-breaker.ts'
import type { Dependency } from './outbound-call.ts'

export type OutboundMetrics = Pick<
  Metrics,
  | 'bulkheadInFlight'
  | 'bulkheadQueued'
  | 'bulkheadWait'
  | 'circuitBreakerState'
  | 'circuitBreakerTransitions'
  | 'retries'
  | 'timeouts'
>

/** Tells of retries, timeouts and circuits: as a metric, a log line and an event of the current span. */
export class OutboundReport {
  readonly #dependency: Dependency
  readonly #metrics: OutboundMetrics
  readonly #logger: Logger

  constructor(dependency: Dependency, metrics: OutboundMetrics, logger: Logger) {
    this.#dependency = dependency
    this.#metrics = metrics
    this.#logger = logger
  }

  retry(retry: { key: string; exchange: string; attempt: number; delayMs: number; error: unknown }): void {
    const { key, exchange, attempt, delayMs, error } = retry
    this.#metrics.retries.inc({ dependency: this.#dependency })
    addSpanEvent('retry', { exchange, attempt, delay_ms: delayMs })
    const fields = { dependency: this.#dependency, key, exchange, attempt, delay_ms: delayMs, err: error }
    this.#logger.info(fields, 'Trying again')
  }

  timeout(timeout: { key: string; exchange: string; scope: 'attempt' | 'call'; timeoutMs: number }): void {
    const { key, exchange, scope, timeoutMs } = timeout
    this.#metrics.timeouts.inc({ operation: this.#dependency })
    addSpanEvent('timeout', { exchange, scope, timeout_ms: timeoutMs })
    const fields = { dependency: this.#dependency, key, exchange, scope, timeout_ms: timeoutMs }
    this.#logger.debug(fields, 'Timed out')
  }

  circuit(change: { key: string; from: BreakerState; to: BreakerState }, lastFailure: unknown): void {
    const dependency = this.#dependency
    this.#metrics.circuitBreakerTransitions.inc({ dependency, to: change.to })
    addSpanEvent('circuit_breaker', { dependency, ...change })
    if (change.to === 'open') this.#logger.warn({ dependency, ...change, err: lastFailure }, 'Circuit opened')
    else this.#logger.info({ dependency, ...change }, change.to === 'closed' ? 'Circuit closed' : 'Circuit half open')
  }

  lateFailure(late: { key: string; exchange: string; error: unknown }): void {
    const { key, exchange, error } = late
    const fields = { dependency: this.#dependency, key, exchange, err: error }
    this.#logger.debug(fields, 'An attempt that was given up failed later')
  }
}

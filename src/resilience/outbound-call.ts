import { GutsError } from '../errors.ts'
import type { DEPENDENCIES } from '../observability/label-sets.ts'

export type Dependency = (typeof DEPENDENCIES)[number]

export interface OutboundCall {
  /** Of the exchange, for log line and span. */
  readonly name: string
  /** Only these are tried again. */
  readonly idempotent: boolean
  /** Whether the time of an attempt begins anew with each progress. */
  readonly ends: 'deadline' | 'progress'
  /** The caller's: ends everything at once, and speaks neither for nor against the key. */
  readonly signal: AbortSignal
}

export interface Attempt {
  /** Aborts when the attempt is over before its time: whoever holds a socket closes it. */
  readonly signal: AbortSignal
  /** Something arrived or left. For a call that ends by deadline this changes nothing. */
  progress(): void
}

/** Not tried, because the last ones failed; `cause` is how. */
export class CircuitOpenError extends GutsError<{
  readonly code: 'circuit_open'
  readonly dependency: Dependency
  readonly retryAfterMs: number
}> {}

export class AttemptTimeoutError extends GutsError<{
  readonly code: 'timed_out'
  readonly dependency: Dependency
  /** One attempt, or all of them with their waits: for slots, and before retries. */
  readonly scope: 'attempt' | 'call'
  readonly timeoutMs: number
}> {}

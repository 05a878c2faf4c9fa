import type { HEALTH_CHECKS } from '../observability/label-sets.ts'

export type HealthCheckName = (typeof HEALTH_CHECKS)[number]

/** `down`, and what else the part says about itself: numbers and truths, no text that could give something away. */
export interface HealthCheckResult {
  readonly status: 'up' | 'down'
  readonly [detail: string]: 'up' | 'down' | number | boolean
}

/** Supplied by each part: does the work it vouches for, cheaply, and obeys the signal. */
export interface HealthCheck {
  readonly name: HealthCheckName
  /** A rejection counts as down; its reason is logged and not shown. */
  check(signal: AbortSignal): Promise<HealthCheckResult>
}

import type { Logger } from '../observability/logging.ts'
import type { Metrics } from '../observability/metrics.ts'
import type { HealthCheck, HealthCheckName, HealthCheckResult } from './check.ts'

export const HEALTH_DEFAULTS = { cacheMs: 1_000, timeoutMs: 2_000 } as const

export interface HealthOptions {
  /** How long an answer serves further probes, from its end. */
  readonly cacheMs: number
  /** A check that takes longer is down. */
  readonly timeoutMs: number
}

/** What else readiness depends on. Asked each time: nobody has to remember to set a flag (DESIGN §2). */
export interface HealthConditions {
  readonly started: () => boolean
  readonly draining: () => boolean
  readonly shedding: () => boolean
  readonly maintenance: () => boolean
}

export const NOT_READY_REASONS = ['starting', 'draining', 'shedding', 'maintenance'] as const

export interface Readiness {
  readonly status: 'ready' | 'not_ready'
  readonly checks: Readonly<Partial<Record<HealthCheckName, HealthCheckResult>>>
  /** Why, beside the checks; absent when there is nothing to say. */
  readonly reasons?: readonly (typeof NOT_READY_REASONS)[number][]
}

export interface HealthParts {
  readonly checks: readonly HealthCheck[]
  readonly conditions: HealthConditions
  readonly metrics: Pick<Metrics, 'healthCheckUp' | 'ready' | 'timeouts' | 'onCollect'>
  readonly logger: Logger
}

/** Readiness by work really done (I11): checks run one at a time each, time-limited and cached, whoever asks. */
export class HealthService {
  readonly #parts: HealthParts
  readonly #runners: readonly CheckRunner[]

  constructor(parts: HealthParts, options: Partial<HealthOptions> = {}) {
    this.#parts = parts
    const resolved = { ...HEALTH_DEFAULTS, ...options }
    this.#runners = parts.checks.map((check) => new CheckRunner(check, resolved, parts))
    parts.metrics.onCollect(async () => {
      await this.readiness()
    })
  }

  get started(): boolean {
    return this.#parts.conditions.started()
  }

  async readiness(): Promise<Readiness> {
    const results = await Promise.all(
      this.#runners.map(async (runner) => [runner.name, await runner.result()] as const),
    )
    const { started, draining, shedding, maintenance } = this.#parts.conditions
    const holds = { starting: !started(), draining: draining(), shedding: shedding(), maintenance: maintenance() }
    const reasons = NOT_READY_REASONS.filter((reason) => holds[reason])
    const ready = reasons.length === 0 && results.every(([, result]) => result.status === 'up')
    this.#parts.metrics.ready.set(ready ? 1 : 0)
    return {
      status: ready ? 'ready' : 'not_ready',
      checks: Object.fromEntries(results),
      ...(reasons.length === 0 ? {} : { reasons }),
    }
  }
}

/** One check: single-flight, with a deadline and a memory. */
class CheckRunner {
  readonly #check: HealthCheck
  readonly #options: HealthOptions
  readonly #parts: HealthParts
  /** The check itself, which may outlive the deadline: until it ends, no other one is begun. */
  #running: Promise<HealthCheckResult> | undefined
  #waiting: Promise<HealthCheckResult> | undefined
  #last: { result: HealthCheckResult; atMs: number } | undefined

  constructor(check: HealthCheck, options: HealthOptions, parts: HealthParts) {
    this.#check = check
    this.#options = options
    this.#parts = parts
  }

  get name(): HealthCheckName {
    return this.#check.name
  }

  async result(): Promise<HealthCheckResult> {
    if (this.#last !== undefined && performance.now() - this.#last.atMs < this.#options.cacheMs)
      return this.#last.result
    this.#waiting ??= this.#ask().finally(() => {
      this.#waiting = undefined
    })
    return this.#waiting
  }

  async #ask(): Promise<HealthCheckResult> {
    const controller = new AbortController()
    const { timeoutMs } = this.#options
    const { promise: expired, resolve } = Promise.withResolvers<HealthCheckResult>()
    const deadline = setTimeout(() => {
      this.#parts.metrics.timeouts.inc({ operation: 'health_check' })
      controller.abort(new Error(`The check took longer than ${timeoutMs} ms`))
      resolve(this.#down(controller.signal.reason))
    }, timeoutMs)
    this.#running ??= this.#run(controller.signal)
    const result = await Promise.race([this.#running, expired])
    clearTimeout(deadline)
    this.#remember(result)
    return result
  }

  async #run(signal: AbortSignal): Promise<HealthCheckResult> {
    try {
      return await this.#check.check(signal)
    } catch (error) {
      // After the deadline this is only the echo of our own abort.
      return signal.aborted ? { status: 'down' } : this.#down(error)
    } finally {
      this.#running = undefined
    }
  }

  #down(error: unknown): HealthCheckResult {
    // Logged when it goes down and not with every probe.
    if (this.#last?.result.status !== 'down') {
      this.#parts.logger.error({ err: error, check: this.name }, 'A health check failed')
    }
    return { status: 'down' }
  }

  #remember(result: HealthCheckResult): void {
    if (this.#last !== undefined && this.#last.result.status !== result.status) {
      this.#parts.logger.warn({ check: this.name, status: result.status }, 'A health check changed')
    }
    this.#last = { result, atMs: performance.now() }
    this.#parts.metrics.healthCheckUp.set({ check: this.name }, result.status === 'up' ? 1 : 0)
  }
}

import assert from 'node:assert/strict'

/** The sampling rule of access lines, stated once (DESIGN §4.6); a kept line says how many it stands for. */
export const ACCESS_SAMPLING_DEFAULTS = { every: 60, slowMs: 1_000 } as const

export interface AccessSamplingOptions {
  /** Of so many successful, fast lines of one probe route, one is written. */
  readonly every: number
  /** From this duration on a line is always written. */
  readonly slowMs: number
}

export interface SampledLine {
  readonly route: string
  readonly status: number
  readonly durationMs: number
}

/**
 * Probes and scrapes come every few seconds for ever and say nothing when they succeed: of each such route, the first
 * line and then one in `every` are written. Errors, slow requests and all other routes are always written.
 * Answers how many lines the one at hand stands for; 0 means: do not write it.
 */
export class AccessSampler {
  readonly #routes: ReadonlySet<string>
  readonly #options: AccessSamplingOptions
  readonly #seen = new Map<string, number>()

  /** @param routes templates of the routes that are sampled; all others are written always */
  constructor(routes: Iterable<string>, options: Partial<AccessSamplingOptions> = {}) {
    this.#routes = new Set(routes)
    this.#options = { ...ACCESS_SAMPLING_DEFAULTS, ...options }
    assert(Number.isInteger(this.#options.every) && this.#options.every >= 1, 'one in at least one')
  }

  weigh(line: SampledLine): number {
    if (!this.#routes.has(line.route) || line.status >= 400 || line.durationMs >= this.#options.slowMs) return 1
    const seen = this.#seen.get(line.route) ?? 0
    this.#seen.set(line.route, seen + 1)
    return seen % this.#options.every === 0 ? this.#options.every : 0
  }
}

const RETRY_AFTER_S_MAX = 300
/** How much a new observation weighs: the mean follows a change within some tens of operations. */
const WEIGHT = 0.1

/** How long operations take, as a moving mean: what a true `Retry-After` is computed from. */
export class ServiceTime {
  #meanMs: number | undefined

  observe(durationMs: number): void {
    this.#meanMs = this.#meanMs === undefined ? durationMs : this.#meanMs + WEIGHT * (durationMs - this.#meanMs)
  }

  /** Whole seconds, at least 1, until `ahead` operations are done by `slots` at a time. */
  secondsUntilDone(ahead: number, slots: number): number {
    const waitMs = (ahead / slots) * (this.#meanMs ?? 0)
    return Math.min(RETRY_AFTER_S_MAX, Math.max(1, Math.ceil(waitMs / 1_000)))
  }
}

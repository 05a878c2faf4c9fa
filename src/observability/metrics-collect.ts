import { setTimeout as delay } from 'node:timers/promises'

/** A scrape shows values no older than this, and no flood of scrapes asks the sources more often. */
const AGE_MS_MAX = 1_000
/** A scrape waits no longer than this for its sources (Prometheus gives up after ten seconds by default). */
const COLLECT_MS_MAX = 2_000

/** Asks all sources of gauge values before a scrape: single-flight, cached and bounded. */
export class Collectors {
  readonly #sources: (() => Promise<void> | void)[] = []
  readonly #onError: (error: unknown) => void
  #running: Promise<void> | undefined
  #collectedAtMs = Number.NEGATIVE_INFINITY

  constructor(onError: (error: unknown) => void) {
    this.#onError = onError
  }

  add(source: () => Promise<void> | void): void {
    this.#sources.push(source)
  }

  /** Never rejects. A source that takes too long goes on in the background; until it is done none is asked again. */
  async run(): Promise<void> {
    if (this.#running === undefined) {
      if (performance.now() - this.#collectedAtMs < AGE_MS_MAX) return
      this.#running = this.#askAll().finally(() => {
        this.#running = undefined
        this.#collectedAtMs = performance.now()
      })
    }
    const timeout = new AbortController()
    const late = delay(COLLECT_MS_MAX, 'late', { signal: timeout.signal }).catch(() => 'done')
    const outcome = await Promise.race([this.#running, late])
    timeout.abort()
    if (outcome === 'late') this.#onError(new Error(`Values for a scrape took longer than ${COLLECT_MS_MAX} ms`))
  }

  async #askAll(): Promise<void> {
    const outcomes = await Promise.allSettled(this.#sources.map(async (source) => source()))
    for (const outcome of outcomes) if (outcome.status === 'rejected') this.#onError(outcome.reason)
  }
}

import type { Metrics } from '../observability/metrics.ts'
import { Bulkhead } from '../resilience/bulkhead.ts'
import type { Arrival } from './workers/arrival.ts'
import { SLOTS } from './workers/pool.ts'

/**
 * While a pack is checked its objects take about 100 bytes each, and its index 28 more: packs of more than these come one
 * at a time, so that memory is bounded by one of them, however many clients push.
 */
const LARGE_OBJECTS = 250_000

/** Turns at the threads that check packs. */
export class PackSlots {
  readonly #slots: Bulkhead
  /** For packs of very many objects, beside a slot of the others. */
  readonly #largeSlots: Bulkhead
  /** Of packs that are still coming. */
  readonly #arrivals = new Set<Arrival>()

  /** @param queueMax packs that may wait */
  constructor(queueMax: number, metrics: Metrics) {
    const slots = { slotsMax: SLOTS, slotsPerKeyMax: SLOTS, queueMax }
    this.#slots = new Bulkhead({ name: 'push', ...slots }, metrics)
    this.#largeSlots = new Bulkhead({ name: 'large_push', ...slots, slotsMax: 1, slotsPerKeyMax: 1 }, metrics)
  }

  /**
   * When it is this pack's turn. A whole pack goes before those that are still coming: who would stand in its way, waiting
   * for a client, gives up.
   *
   * @param objects that it declares
   * @throws as `Bulkhead.run`
   */
  run<T>(key: string, objects: number, signal: AbortSignal, check: () => Promise<T>): Promise<T> {
    const run = (): Promise<T> => {
      if (!this.#slots.hasSlot(key)) for (const arrival of this.#arrivals) arrival.hurry()
      return this.#slots.run(key, signal, check)
    }
    return objects > LARGE_OBJECTS ? this.#largeSlots.run(key, signal, run) : run()
  }

  /**
   * For a pack that is still coming. Of very many objects it is not, for what it says of itself is all that is known then,
   * and memory is given for that.
   *
   * @returns undefined where nothing is free: nobody waits for this
   */
  runEarly<T>(key: string, objects: number, arrival: Arrival, check: () => Promise<T>): Promise<T> | undefined {
    if (objects > LARGE_OBJECTS) return undefined
    return this.#slots.runAtOnce(key, async () => {
      this.#arrivals.add(arrival)
      try {
        return await check()
      } finally {
        this.#arrivals.delete(arrival)
      }
    })
  }
}

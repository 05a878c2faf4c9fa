import type { STORAGE_OPERATIONS } from '../observability/label-sets.ts'
import type { Metrics } from '../observability/metrics.ts'
import { withSpan } from '../observability/tracing.ts'

export type StorageOperation = (typeof STORAGE_OPERATIONS)[number]

/** Runs a storage operation, synchronous or not, under a span, and records its time, failed or not. */
export type ObserveStorage = <T>(operation: StorageOperation, fn: () => T) => T

/** Where nobody asks: the command line, and tests of other things. */
export const unobserved: ObserveStorage = (_operation, fn) => fn()

export function createStorageObserver(metrics: Pick<Metrics, 'storageOperationDuration'>): ObserveStorage {
  return (operation, fn) => {
    const startedAtMs = performance.now()
    const record = (): void =>
      metrics.storageOperationDuration.observe({ operation }, (performance.now() - startedAtMs) / 1_000)
    return withSpan(`storage.${operation}`, {}, () => {
      let isPending = false
      try {
        const result = fn()
        if (!(result instanceof Promise)) return result
        isPending = true
        return result.finally(record) as typeof result
      } finally {
        if (!isPending) record()
      }
    })
  }
}

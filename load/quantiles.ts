/** Quantiles on both sides: exact ones of the client's durations, and the bucket that the node's histogram allows. */

/**
 * Two processes that share cores take turns of a few milliseconds, which count on the client's side only: durations
 * below this are told in their buckets, but count as alike.
 */
const ALIKE_BELOW_MS = 10

/** Cumulative counts by upper bound, ascending, the last bound infinite. */
export type Histogram = readonly (readonly [boundMs: number, count: number])[]

/** By nearest rank. @param sorted ascending, not empty */
export function quantileOf(sorted: readonly number[], quantile: number): number {
  return sorted[rankOf(sorted.length, quantile) - 1] ?? Number.NaN
}

/** The bounds between which a histogram's quantile lies. */
export function bucketOfQuantile(histogram: Histogram, quantile: number): { fromMs: number; toMs: number } {
  const rank = rankOf(histogram.at(-1)?.[1] ?? 0, quantile)
  const at = histogram.findIndex(([, count]) => count >= rank)
  return { fromMs: histogram[at - 1]?.[0] ?? 0, toMs: histogram[at]?.[0] ?? Infinity }
}

/** How many buckets lie between two durations: 0 in the same one, 1 in neighbours. */
export function bucketsApart(histogram: Histogram, aMs: number, bMs: number): number {
  const boundsMs = histogram.map(([boundMs]) => boundMs).filter((boundMs) => boundMs >= ALIKE_BELOW_MS)
  const bucketOf = (durationMs: number): number => boundsMs.findIndex((boundMs) => durationMs <= boundMs)
  return Math.abs(bucketOf(aMs) - bucketOf(bMs))
}

function rankOf(count: number, quantile: number): number {
  return Math.max(1, Math.ceil(count * quantile))
}

/**
 * Holds the client's ledger against the difference of two scrapes of the node: requests, statuses and bytes must agree
 * exactly, latencies within the width of a bucket.
 */
import { METRICS } from '../src/observability/metrics-table.ts'
import { keyOf, type Series } from '../integration/support/metrics.ts'
import { keyOfEntry, type Ledger, type RouteEntry } from './ledger.ts'
import { bucketOfQuantile, bucketsApart, type Histogram, quantileOf } from './quantiles.ts'

export interface Reconciliation {
  readonly rows: readonly Row[]
  /** What disagrees, one sentence each. */
  readonly findings: Readonly<Record<Subject, readonly string[]>>
}

export const SUBJECTS = ['requests', 'bytes', 'latency'] as const
export type Subject = (typeof SUBJECTS)[number]

/** One method and route, on both sides. */
export interface Row {
  readonly name: string
  readonly client: Side
  readonly node: Side
  readonly quantiles: readonly QuantileRow[]
}

export interface Side {
  readonly statuses: Readonly<Record<string, number>>
  readonly requestBytes: number
  readonly responseBytes: number
}

export interface QuantileRow {
  readonly quantile: number
  readonly clientMs: number
  /** The node's quantile lies between these. */
  readonly node: { readonly fromMs: number; readonly toMs: number }
}

/** Asked by whoever watches the node, not by its clients. */
const WATCHED = /^\/(?:metrics|health)(?:\/|$)/
const MEDIAN = 0.5
const QUANTILES = [MEDIAN, 0.95]
/** Below this, one slow turn of a core decides a quantile. */
const QUANTILE_REQUESTS_MIN = 20

export function reconcile(ledger: Ledger, before: Series, after: Series): Reconciliation {
  const difference = subtract(before, after)
  const entries = new Map(ledger.entries.map((entry) => [keyOfEntry(entry), entry]))
  for (const [method, route] of routesIn(difference)) {
    const key = keyOfEntry({ method, route })
    if (!entries.has(key) && !WATCHED.test(route)) entries.set(key, emptyEntry(method, route))
  }
  const findings = { requests: [] as string[], bytes: [] as string[], latency: [] as string[] }
  const rows = [...entries.values()].map((entry) => {
    const row = rowOf(entry, difference)
    findings.requests.push(...requestFindings(row, entry, difference))
    findings.bytes.push(...byteFindings(row))
    findings.latency.push(...latencyFindings(row, histogramOf(entry, difference)))
    return row
  })
  if (ledger.entries.length === 0) findings.requests.push('The client made no request')
  return { rows, findings }
}

function rowOf(entry: RouteEntry, difference: Series): Row {
  const { method, route, statuses, requestBytes, responseBytes, durationsMs } = entry
  const labels = { method, path: route }
  const sumOf = (name: string): number => difference.get(keyOf(`${name}_sum`, labels)) ?? 0
  const sorted = durationsMs.toSorted((a, b) => a - b)
  const histogram = histogramOf(entry, difference)
  const quantiles = sorted.length < QUANTILE_REQUESTS_MIN ? [] : QUANTILES
  return {
    name: keyOfEntry(entry),
    client: { statuses: Object.fromEntries(statuses), requestBytes, responseBytes },
    node: {
      statuses: statusesOf(labels, difference),
      requestBytes: sumOf(METRICS.httpRequestSize.name),
      responseBytes: sumOf(METRICS.httpResponseSize.name),
    },
    quantiles: quantiles.map((quantile) => ({
      quantile,
      clientMs: quantileOf(sorted, quantile),
      node: bucketOfQuantile(histogram, quantile),
    })),
  }
}

function requestFindings(row: Row, { method, route }: RouteEntry, difference: Series): string[] {
  const { name, client, node } = row
  const statuses = new Set([...Object.keys(client.statuses), ...Object.keys(node.statuses)])
  const found = [...statuses].flatMap((status) => {
    const [made, counted] = [client.statuses[status] ?? 0, node.statuses[status] ?? 0]
    if (status === '0') return [`${name}: requests without an answer: ${made}`]
    return made === counted ? [] : [`${name}: the client got ${status} ${made} times, the node counted ${counted}`]
  })
  const total = Object.values(node.statuses).reduce((sum, count) => sum + count, 0)
  const counts = [METRICS.httpRequestDuration, METRICS.httpRequestSize, METRICS.httpResponseSize].map(
    (metric) => [metric.name, difference.get(keyOf(`${metric.name}_count`, { method, path: route })) ?? 0] as const,
  )
  const odd = counts.filter(([, count]) => count !== total)
  return [...found, ...odd.map(([metric, count]) => `${name}: ${metric} has ${count} of the node's ${total} requests`)]
}

function byteFindings({ name, client, node }: Row): string[] {
  return (['requestBytes', 'responseBytes'] as const).flatMap((bytes) => {
    if (client[bytes] === node[bytes]) return []
    const what = bytes === 'requestBytes' ? 'sent bodies' : 'got bodies'
    return [`${name}: the client ${what} of ${client[bytes]} bytes, the node counted ${node[bytes]}`]
  })
}

/**
 * A client sees what the node measured, and its own side besides: on a busy machine it waits for a core now and then,
 * for longer than a request takes. So quantiles of the node may not lie above the client's, and the medians, which such
 * turns do not reach, agree from both sides: each time in the same bucket or in the next to it.
 */
function latencyFindings({ name, quantiles }: Row, histogram: Histogram): string[] {
  return quantiles.flatMap(({ quantile, clientMs, node: { fromMs, toMs } }) => {
    const agree = bucketsApart(histogram, clientMs, toMs) <= 1
    if (agree || (quantile !== MEDIAN && clientMs > toMs)) return []
    const of = `the ${quantile * 100} % quantile`
    return [`${name}: ${of} was ${clientMs.toFixed(1)} ms for the client, from ${fromMs} to ${toMs} at the node`]
  })
}

function histogramOf({ method, route }: Pick<RouteEntry, 'method' | 'route'>, difference: Series): Histogram {
  const { name, buckets } = METRICS.httpRequestDuration
  const labels = { method, path: route }
  return [...buckets, Infinity].map((bound) => {
    const le = bound === Infinity ? '+Inf' : bound
    return [bound * 1_000, difference.get(keyOf(`${name}_bucket`, { ...labels, le })) ?? 0] as const
  })
}

function statusesOf(labels: { readonly method: string; readonly path: string }, difference: Series) {
  const found: Record<string, number> = {}
  for (const { method, path, status, count } of requestsIn(difference)) {
    if (method === labels.method && path === labels.path) found[status] = count
  }
  return found
}

function routesIn(difference: Series): (readonly [method: string, route: string])[] {
  return requestsIn(difference).map(({ method, path }) => [method, path] as const)
}

const REQUESTS = new RegExp(`^${METRICS.httpRequests.name}\\{method="([^"]*)",path="([^"]*)",status="([^"]*)"\\}$`)

function requestsIn(difference: Series) {
  return [...difference].flatMap(([key, count]) => {
    const [, method, path, status] = REQUESTS.exec(key) ?? []
    if (method === undefined || path === undefined || status === undefined || count === 0) return []
    return [{ method, path, status, count }]
  })
}

function subtract(before: Series, after: Series): Series {
  return new Map([...after].map(([key, value]) => [key, value - (before.get(key) ?? 0)]))
}

function emptyEntry(method: string, route: string): RouteEntry {
  return { method, route, statuses: new Map(), requestBytes: 0, responseBytes: 0, durationsMs: [] }
}

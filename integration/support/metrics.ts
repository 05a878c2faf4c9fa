/** `/metrics` as a scraper that is not ours reads it, and what an action changed there, series by series. */
import { setTimeout as delay } from 'node:timers/promises'
import parse from 'parse-prometheus-text-format'
import { expect } from 'vitest'
import { METRICS } from '../../src/observability/metrics-table.ts'
import type { NodeProcess } from './node-process.ts'
import { ask } from './raw-http.ts'

/** `name{label="value",…}` with sorted labels → value. */
export type Series = ReadonlyMap<string, number>
export type Change = Readonly<Record<string, number>>

export const TEXT = 'text/plain; version=0.0.4'
export const OPEN_METRICS = 'application/openmetrics-text; version=1.0.0'

/** Each scrape moves these itself, and time the others: they have tests of their own. */
const UNQUIET = [
  /path="\/metrics"/,
  /listener="internal"/,
  /^guts_event_loop_delay_seconds/,
  /^guts_storage_(?:free|size)_bytes/,
  // The lease is renewed and maintenance looked up every second or two.
  /operation="(?:health_check|database_read|database_write)"/,
  // Of a duration only the count is known beforehand.
  /_seconds_(?:sum|bucket)/,
]
/** Of a collector's values: no scrape shows older ones. */
const FRESH_SERIES = 'guts_storage_operation_duration_seconds_count{operation="health_check"}'
const PATIENCE_MS = 6_000
const POLL_MS = 50

export async function scrape(port: number, accept = TEXT): Promise<string> {
  const answer = await ask(port, { path: '/metrics', headers: { Accept: accept } })
  if (answer.status !== 200) throw new Error(`/metrics answered ${answer.status}`)
  return answer.body.toString('utf8')
}

/**
 * Every sample by itself. The package makes one of all histograms of a name, whatever their labels; without being told
 * the type it leaves their samples as they are.
 */
export function parseMetrics(text: string): Series {
  const series = new Map<string, number>()
  for (const { name, metrics } of parse(text.replace(/^(# TYPE \S+) histogram$/gm, '$1 untyped'))) {
    for (const { labels, value } of metrics) {
      const key = keyOf(name, labels)
      if (series.has(key)) throw new Error(`${key} is there twice`)
      if (!/^(?:[-+]?(?:\d+(?:\.\d+)?(?:e[-+]?\d+)?|Inf)|NaN)$/i.test(value ?? ''))
        throw new Error(`${key} is no number: ${value}`)
      series.set(key, Number(value?.replace('Inf', 'Infinity')))
    }
  }
  return series
}

export function keyOf(name: string, labels: Readonly<Record<string, string | number>> = {}): string {
  const parts = Object.entries(labels)
    .sort(([a], [b]) => (a < b ? -1 : 1))
    .map(([label, value]) => `${label}="${value}"`)
  return parts.length === 0 ? name : `${name}{${parts.join(',')}}`
}

export async function scrapeSeries({ ports }: NodeProcess): Promise<Series> {
  return parseMetrics(await scrape(ports.internal))
}

/** Waits for the value of one series: `await settlesAt(node, key).toBe(0)`. */
export function settlesAt(node: NodeProcess, key: string) {
  return expect.poll(async () => (await scrapeSeries(node)).get(key), { timeout: 20_000, interval: POLL_MS })
}

/** A scrape whose gauges are of now: their sources are asked once a second at most. */
export async function freshScrape(port: number): Promise<Series> {
  const first = parseMetrics(await scrape(port)).get(FRESH_SERIES)
  for (;;) {
    const series = parseMetrics(await scrape(port))
    if (series.get(FRESH_SERIES) !== first) return series
    await delay(POLL_MS)
  }
}

/** What changed in the series of ours, those that are never quiet left out. */
export function changes(before: Series, after: Series, unquiet: readonly RegExp[] = UNQUIET): Record<string, number> {
  const changed: Record<string, number> = {}
  for (const [key, value] of after) {
    if (!key.startsWith('guts_') || unquiet.some((pattern) => pattern.test(key))) continue
    const by = value - (before.get(key) ?? 0)
    if (by !== 0) changed[key] = Math.round(by * 1e9) / 1e9
  }
  return changed
}

/**
 * Does something, and demands that exactly this changed. A request is counted a moment after its last byte, so the
 * change may come late; more than it may not come.
 *
 * @param action answers what must change, or has it added up while it goes
 * @param before what the last such test answered, if nothing was done since: then what comes late is noticed, too
 * @returns what there is now
 */
export async function expectChange(port: number, action: () => Promise<Change>, before?: Series): Promise<Series> {
  const first = before ?? (await freshScrape(port))
  const expected = withoutZeros(await action())
  const untilMs = performance.now() + PATIENCE_MS
  let series: Series
  let found: Change
  do {
    series = await freshScrape(port)
    found = changes(first, series)
  } while (!sameChange(found, expected) && performance.now() < untilMs)
  expect(found).toEqual(expected)
  return series
}

function sameChange(a: Change, b: Change): boolean {
  const keys = new Set([...Object.keys(a), ...Object.keys(b)])
  return [...keys].every((key) => a[key] === b[key])
}

/** A series that does not change need not be there. */
function withoutZeros(change: Change): Change {
  return Object.fromEntries(Object.entries(change).filter(([, by]) => by !== 0))
}

export function sum(...all: readonly Change[]): Change {
  const total: Record<string, number> = {}
  for (const [key, by] of all.flatMap((one) => Object.entries(one))) total[key] = (total[key] ?? 0) + by
  return total
}

export interface Answered {
  readonly method: string
  readonly route: string
  readonly status: number
  /** Bytes of the bodies. */
  readonly bytesIn: number
  readonly bytesOut: number
}

/** What the end of one request changes. */
export function requestChange({ method, route, status, bytesIn, bytesOut }: Answered): Change {
  const labels = { method, path: route }
  return sum(
    { [keyOf(METRICS.httpRequests.name, { ...labels, status })]: 1 },
    { [keyOf(`${METRICS.httpRequestDuration.name}_count`, labels)]: 1 },
    observation(METRICS.httpRequestSize, labels, bytesIn),
    observation(METRICS.httpResponseSize, labels, bytesOut),
  )
}

function observation(
  { name, buckets }: { readonly name: string; readonly buckets: readonly number[] },
  labels: Readonly<Record<string, string>>,
  value: number,
): Change {
  const holding = buckets.filter((bound) => value <= bound).map((le) => [keyOf(`${name}_bucket`, { ...labels, le }), 1])
  return sum(
    Object.fromEntries(holding) as Change,
    { [keyOf(`${name}_bucket`, { ...labels, le: '+Inf' })]: 1 },
    { [keyOf(`${name}_count`, labels)]: 1 },
    { [keyOf(`${name}_sum`, labels)]: value },
  )
}

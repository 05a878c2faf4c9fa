import assert from 'node:assert/strict'
import { collectDefaultMetrics, type Gauge, type OpenMetricsContentType, Registry } from 'prom-client'
import { AmountMetric, HistogramMetric, type Labels, type LabelSet } from './metric-series.ts'
import { Collectors } from './metrics-collect.ts'
import { GIVEN_AT_START, METRICS, type MetricDeclaration } from './metrics-table.ts'

type Table = typeof METRICS
type LabelValue<Set> = Set extends readonly (infer Value extends string)[] ? Value : string
type LabelsOf<D extends MetricDeclaration> = { readonly [Label in keyof D['labels']]: LabelValue<D['labels'][Label]> }
/** A metric without labels takes the value alone. */
type Args<D extends MetricDeclaration, Value extends [number] | [number?]> = keyof D['labels'] extends never
  ? Value
  : [labels: LabelsOf<D>, ...value: Value]
type Handle<D extends MetricDeclaration> = D['type'] extends 'counter'
  ? { inc(...args: Args<D, [number?]>): void }
  : D['type'] extends 'gauge'
    ? {
        set(...args: Args<D, [number]>): void
        inc(...args: Args<D, [number?]>): void
        dec(...args: Args<D, [number?]>): void
      }
    : { observe(...args: Args<D, [number]>): void }
export type MetricHandles = { readonly [Key in keyof Table]: Handle<Table[Key]> }

export interface MetricsOptions {
  /** Templates of all routes; with `_unmatched` they are the closed set of the label `path`. */
  readonly routePaths: readonly string[]
  /** Of Guts itself. */
  readonly version: string
  /** Told when a collector failed or took too long; the gauges keep their last value. */
  readonly onCollectError: (error: unknown) => void
}

export interface Metrics extends MetricHandles {
  readonly registry: Registry<OpenMetricsContentType>
  /** Registers a source of gauge values: runs before a scrape, together with all others, at most once a second. */
  onCollect(collect: () => Promise<void> | void): void
  /** Runs the collectors, if their values are old; never rejects and never takes longer than two seconds. */
  collect(): Promise<void>
}

/**
 * Read through `process._getActiveHandles()`, which aborts the process while a socket is being torn down (Node 24.21:
 * "Assertion failed: !obj.IsEmpty()"): a scrape could end the node. `nodejs_active_resources` counts the same safely.
 */
const UNSAFE_DEFAULTS = [
  'nodejs_active_handles',
  'nodejs_active_handles_total',
  'nodejs_active_requests',
  'nodejs_active_requests_total',
]

/** A set with no more series than this is written out from the start, so that a first increase can be seen. */
const SERIES_FROM_START_MAX = 64

export function createMetrics(options: MetricsOptions): Metrics {
  // The registry is OpenMetrics for ever: prom-client renames counters on the first OpenMetrics scrape and cannot go
  // back, so the text form is derived (metrics-render.ts).
  const registry = new Registry<OpenMetricsContentType>()
  registry.setContentType(Registry.OPENMETRICS_CONTENT_TYPE)
  const setsAtStart: Record<string, readonly string[]> = {
    path: [...new Set(options.routePaths), '_unmatched'],
    version: [options.version],
    node: [process.version],
  }
  const handles = Object.fromEntries(
    Object.entries(METRICS).map(([key, declaration]) => [key, createHandle(declaration, registry, setsAtStart)]),
  ) as unknown as MetricHandles
  handles.buildInfo.set({ version: options.version, node: process.version }, 1)
  // Types of prom-client know no OpenMetrics registry here; at run time any registry serves.
  collectDefaultMetrics({ register: registry as unknown as Registry })
  for (const name of UNSAFE_DEFAULTS) registry.removeSingleMetric(name)
  const collectors = new Collectors((error) => {
    handles.metricsCollectionFailures.inc()
    options.onCollectError(error)
  })
  return Object.assign(handles, {
    registry,
    onCollect: (collect: () => Promise<void> | void) => collectors.add(collect),
    collect: () => collectors.run(),
  })
}

function createHandle(
  declaration: MetricDeclaration,
  registry: Registry<OpenMetricsContentType>,
  setsAtStart: Record<string, readonly string[]>,
): Record<string, (...args: never[]) => void> {
  const sets = Object.entries(declaration.labels).map(([label, set]) => {
    const values = set === GIVEN_AT_START ? setsAtStart[label] : set
    assert(values !== undefined, `${declaration.name}: no values were given for the label ${label}`)
    return { label, values }
  })
  const metric =
    declaration.type === 'histogram' ? new HistogramMetric(declaration, sets) : new AmountMetric(declaration, sets)
  for (const labels of seriesFromStart(sets)) metric.series(labels)
  // Of a metric of prom-client's own the registry asks for what ours have, too: name, type and get().
  registry.registerMetric(metric as unknown as Gauge)
  const handle = metric instanceof HistogramMetric ? handleOfHistogram(metric) : handleOfAmount(metric)
  return sets.length > 0 ? handle : withoutLabels(handle)
}

type LabelledHandle = Readonly<Record<string, (labels: Labels, value?: number) => void>>

function handleOfHistogram(metric: HistogramMetric): LabelledHandle {
  return { observe: (labels, value = Number.NaN) => metric.observe(labels, value) }
}

function handleOfAmount(metric: AmountMetric): LabelledHandle {
  const change = (labels: Labels, by: number): void => {
    metric.series(labels).value += by
  }
  if (metric.type === 'counter') {
    return {
      inc(labels, by = 1) {
        assert(by >= 0, `${metric.name}: a counter never falls`)
        change(labels, by)
      },
    }
  }
  return {
    set(labels, value = Number.NaN) {
      metric.series(labels).value = value
    },
    inc: (labels, by = 1) => change(labels, by),
    dec: (labels, by = 1) => change(labels, -by),
  }
}

const NO_LABELS = {}

function withoutLabels(handle: LabelledHandle): Record<string, (value?: number) => void> {
  return Object.fromEntries(
    Object.entries(handle).map(([verb, use]) => [verb, (value?: number) => use(NO_LABELS, value)]),
  )
}

function seriesFromStart(sets: readonly LabelSet[]): Labels[] {
  const count = sets.reduce((product, set) => product * set.values.length, 1)
  // What the client's requests decide starts empty; what we name ourselves starts at 0.
  if (count > SERIES_FROM_START_MAX || sets.some((set) => set.label === 'path')) return []
  return sets.reduce<Labels[]>(
    (rows, { label, values }) => rows.flatMap((row) => values.map((value) => ({ ...row, [label]: value }))),
    [{}],
  )
}

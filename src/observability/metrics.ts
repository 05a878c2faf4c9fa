import assert from 'node:assert/strict'
import { Counter, collectDefaultMetrics, Gauge, Histogram, type OpenMetricsContentType, Registry } from 'prom-client'
import { Collectors } from './metrics-collect.ts'
import { GIVEN_AT_START, METRICS, type MetricDeclaration } from './metrics-table.ts'

type Table = typeof METRICS
type LabelValue<Set> = Set extends readonly (infer Value extends string)[] ? Value : string
type Labels<D extends MetricDeclaration> = { readonly [Label in keyof D['labels']]: LabelValue<D['labels'][Label]> }
/** A metric without labels takes the value alone. */
type Args<D extends MetricDeclaration, Value extends [number] | [number?]> = keyof D['labels'] extends never
  ? Value
  : [labels: Labels<D>, ...value: Value]
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
): Record<string, (...args: unknown[]) => void> {
  const sets = Object.entries(declaration.labels).map(([label, set]) => {
    const values = set === GIVEN_AT_START ? setsAtStart[label] : set
    assert(values !== undefined, `${declaration.name}: no values were given for the label ${label}`)
    return { label, values: new Set(values), unknown: values.find((value) => value.startsWith('_')) }
  })
  const closed = closedLabels(declaration.name, sets)
  const { name, help } = declaration
  const config = { name, help, labelNames: sets.map((set) => set.label), registers: [registry as unknown as Registry] }
  const withLabels = (use: (labels: Record<string, string>, value: number | undefined) => void) =>
    sets.length === 0
      ? (value?: unknown) => use({}, value as number | undefined)
      : (labels?: unknown, value?: unknown) =>
          use(closed(labels as Record<string, string>), value as number | undefined)
  const fromStart = seriesFromStart(sets)
  switch (declaration.type) {
    case 'counter': {
      const counter = new Counter(config)
      for (const labels of fromStart) counter.inc(labels, 0)
      return { inc: withLabels((labels, value) => counter.inc(labels, value)) }
    }
    case 'gauge': {
      const gauge = new Gauge(config)
      for (const labels of fromStart) gauge.set(labels, 0)
      return {
        set: withLabels((labels, value) => gauge.set(labels, value ?? Number.NaN)),
        inc: withLabels((labels, value) => gauge.inc(labels, value ?? 1)),
        dec: withLabels((labels, value) => gauge.dec(labels, value ?? 1)),
      }
    }
    case 'histogram': {
      const histogram = new Histogram({ ...config, buckets: [...(declaration.buckets ?? [])] })
      for (const labels of fromStart) histogram.zero(labels)
      return { observe: withLabels((labels, value) => histogram.observe(labels, value ?? Number.NaN)) }
    }
  }
}

interface LabelSet {
  readonly label: string
  readonly values: ReadonlySet<string>
  /** What stands for everything that is not in the set, where something may. */
  readonly unknown: string | undefined
}

/** One more label's value is known. */
interface Known {
  readonly next: Map<string | undefined, Known>
  labels?: Readonly<Record<string, string>>
}

/**
 * Labels with nothing but what their sets hold. Each combination is made once: a small request counts in nine series, and
 * making their labels took 2 % of it.
 */
function closedLabels(
  name: string,
  sets: readonly LabelSet[],
): (given: Readonly<Record<string, string>>) => Readonly<Record<string, string>> {
  const known: Known = { next: new Map() }
  const close = (given: Readonly<Record<string, string>>): Readonly<Record<string, string>> => {
    const labels: Record<string, string> = {}
    let at: Known | undefined = known
    for (const { label, values, unknown } of sets) {
      const value = given[label]
      const isKnown = value !== undefined && values.has(value)
      const closed = isKnown ? value : unknown
      assert(closed !== undefined, `${name}: ${label} is not one of its closed set`)
      labels[label] = closed
      // What is in no set may be anything, and is not kept.
      if (!isKnown) at = undefined
      else if (at !== undefined) {
        const next: Known = at.next.get(value) ?? { next: new Map() }
        at.next.set(value, next)
        at = next
      }
    }
    if (at !== undefined) at.labels = Object.freeze(labels)
    return labels
  }
  return (given) => {
    let at: Known | undefined = known
    for (let set = 0; set < sets.length && at !== undefined; set++) at = at.next.get(given[sets[set]?.label ?? ''])
    return at?.labels ?? close(given)
  }
}

function seriesFromStart(sets: readonly LabelSet[]): Record<string, string>[] {
  const count = sets.reduce((product, set) => product * set.values.size, 1)
  // What the client's requests decide starts empty; what we name ourselves starts at 0.
  if (sets.length === 0 || count > SERIES_FROM_START_MAX || sets.some((set) => set.label === 'path')) return []
  return sets.reduce<Record<string, string>[]>(
    (rows, { label, values }) => rows.flatMap((row) => [...values].map((value) => ({ ...row, [label]: value }))),
    [{}],
  )
}

/**
 * Counters, gauges and histograms as prom-client's registry writes them out. Its own join, sort and check the labels at
 * each increase, which was a tenth of what a small request costs; here a series is found by its values, and kept.
 */
import assert from 'node:assert/strict'
import type { MetricDeclaration } from './metrics-table.ts'

export type Labels = Readonly<Record<string, string>>

/** The values that a label may have; one that begins with `_` takes what is not among them. */
export interface LabelSet {
  readonly label: string
  readonly values: readonly string[]
}

/** A line of the exposition, as prom-client takes it. */
interface Sample {
  readonly labels: Readonly<Record<string, string | number>>
  readonly value: number
  readonly metricName?: string
}

type Branch<Series> = Map<string | undefined, Branch<Series> | Series>

/** The part of prom-client's metrics that its registry asks for. */
export abstract class SeriesMetric<Series extends object> {
  /** The registry takes `_total` away from the name of a counter. */
  name: string
  readonly help: string
  readonly type: MetricDeclaration['type']
  readonly #sets: readonly (LabelSet & { readonly unknown: string | undefined })[]
  readonly #names: readonly string[]
  /** By the value of each label in turn; the one series of a metric without labels lies under `undefined`. */
  readonly #root: Branch<Series> = new Map()
  readonly #all: { readonly labels: Labels; readonly series: Series }[] = []

  constructor({ name, help, type }: MetricDeclaration, sets: readonly LabelSet[]) {
    this.name = name
    this.help = help
    this.type = type
    this.#sets = sets.map((set) => ({ ...set, unknown: set.values.find((value) => value.startsWith('_')) }))
    this.#names = sets.length === 0 ? [''] : sets.map(({ label }) => label)
  }

  protected abstract start(): Series
  protected abstract samplesOf(labels: Labels, series: Series): Sample[]

  /** What has these labels; it begins at 0. @throws AssertionError a value outside a closed set without a catch-all */
  series(labels: Labels): Series {
    // A series that is there has values of the closed sets: they need no check.
    return this.#find(labels) ?? this.#closed(labels)
  }

  #find(labels: Labels): Series | undefined {
    let at: Branch<Series> | Series | undefined = this.#root
    for (const name of this.#names) {
      at = (at as Branch<Series>).get(labels[name])
      if (at === undefined) return undefined
    }
    return at as Series
  }

  #closed(given: Labels): Series {
    const entries = this.#sets.map(({ label, values, unknown }) => {
      const value = given[label]
      const known = value !== undefined && values.includes(value) ? value : unknown
      assert(known !== undefined, `${this.name}: ${label} is not one of its closed set`)
      return [label, known] as const
    })
    const labels = Object.fromEntries(entries)
    return (
      this.#find(labels) ??
      this.#add(
        labels,
        entries.map(([, value]) => value),
      )
    )
  }

  #add(labels: Labels, values: readonly string[]): Series {
    const series = this.start()
    let at = this.#root
    for (const value of values.slice(0, -1)) {
      const next = at.get(value) as Branch<Series> | undefined
      if (next === undefined) at.set(value, (at = new Map() as Branch<Series>))
      else at = next
    }
    at.set(values.at(-1), series)
    this.#all.push({ labels, series })
    return series
  }

  async get(): Promise<object> {
    const { name, help, type } = this
    return { name, help, type, values: this.#all.flatMap(({ labels, series }) => this.samplesOf(labels, series)) }
  }
}

interface Amount {
  value: number
}

/** A counter or a gauge. */
export class AmountMetric extends SeriesMetric<Amount> {
  protected override start(): Amount {
    return { value: 0 }
  }

  protected override samplesOf(labels: Labels, { value }: Amount): Sample[] {
    return [{ labels, value }]
  }
}

interface Distribution {
  /** One for each bound, not cumulative; the last one is beyond them all. */
  readonly counts: number[]
  sum: number
}

export class HistogramMetric extends SeriesMetric<Distribution> {
  readonly #bounds: readonly number[]

  constructor(declaration: MetricDeclaration, sets: readonly LabelSet[]) {
    super(declaration, sets)
    this.#bounds = declaration.buckets ?? []
  }

  observe(labels: Labels, value: number): void {
    assert(Number.isFinite(value), `${this.name}: not a number`)
    const series = this.series(labels)
    let bucket = 0
    while (bucket < this.#bounds.length && value > (this.#bounds[bucket] as number)) bucket++
    series.counts[bucket]!++
    series.sum += value
  }

  protected override start(): Distribution {
    return { counts: Array.from({ length: this.#bounds.length + 1 }, () => 0), sum: 0 }
  }

  protected override samplesOf(labels: Labels, { counts, sum }: Distribution): Sample[] {
    let count = 0
    const buckets = counts.map((inBucket, bucket) => ({
      labels: { le: this.#bounds[bucket] ?? '+Inf', ...labels },
      value: (count += inBucket),
      metricName: `${this.name}_bucket`,
    }))
    return [
      ...buckets,
      { labels, value: sum, metricName: `${this.name}_sum` },
      { labels, value: count, metricName: `${this.name}_count` },
    ]
  }
}

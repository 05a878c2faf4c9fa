import { Registry } from 'prom-client'
import type { Metrics } from './metrics.ts'

export interface Exposition {
  readonly contentType: string
  readonly body: string
}

/** One scrape, as OpenMetrics if the client asks for it at least as much as for text (`Accept`), else as text 0.0.4. */
export async function renderMetrics(metrics: Metrics, accept: string | undefined): Promise<Exposition> {
  await metrics.collect()
  const openMetrics = await metrics.registry.metrics()
  return prefersOpenMetrics(accept ?? '')
    ? { contentType: Registry.OPENMETRICS_CONTENT_TYPE, body: openMetrics }
    : { contentType: Registry.PROMETHEUS_CONTENT_TYPE, body: toText(openMetrics) }
}

/**
 * OpenMetrics names a counter without `_total` in HELP and TYPE, the text format with it; the rest is alike, but for
 * the end mark.
 */
function toText(openMetrics: string): string {
  const lines = openMetrics.split('\n').filter((line) => line !== '# EOF')
  const counters = new Set(lines.flatMap((line) => /^# TYPE (\S+) counter$/.exec(line)?.[1] ?? []))
  return lines
    .map((line) =>
      line.replace(/^(# (?:HELP|TYPE) )(\S+)/, (all, head: string, name: string) =>
        counters.has(name) ? `${head}${name}_total` : all,
      ),
    )
    .join('\n')
}

function prefersOpenMetrics(accept: string): boolean {
  const weights = new Map<string, number>()
  for (const range of accept.split(',')) {
    const [type = '', ...parameters] = range.split(';').map((part) => part.trim().toLowerCase())
    const weight = Number(parameters.find((parameter) => parameter.startsWith('q='))?.slice(2) ?? 1)
    if (!Number.isNaN(weight)) weights.set(type, Math.max(weight, weights.get(type) ?? 0))
  }
  const openMetrics = weights.get('application/openmetrics-text') ?? 0
  return openMetrics > 0 && openMetrics >= (weights.get('text/plain') ?? 0)
}

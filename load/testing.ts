/** Both sides of the books, made by what makes them for real: k6's points, and the node's metrics as it renders them. */
import { createMetrics, type Metrics } from '../src/observability/metrics.ts'
import { renderMetrics } from '../src/observability/metrics-render.ts'
import { parseMetrics, type Series, TEXT } from '../integration/support/metrics.ts'
import { CLIENT_METRICS } from './k6/metrics.ts'
import { type Ledger, LedgerBuilder } from './ledger.ts'

export interface Exchange {
  readonly method: 'GET' | 'POST'
  readonly route: string
  readonly status: number
  readonly requestBytes: number
  readonly responseBytes: number
  readonly durationMs: number
}

export const ROUTES = ['/api/repos', '/git/{owner}/{name}/git-receive-pack', '/metrics', '/health/live']

export class NodeSide {
  readonly #metrics: Metrics = createMetrics({
    routePaths: ROUTES,
    version: '0.0.0',
    onCollectError: (error) => {
      throw error
    },
  })

  count({ method, route: path, status, requestBytes, responseBytes, durationMs }: Exchange): void {
    const route = { method, path }
    this.#metrics.httpRequests.inc({ ...route, status: String(status) as '200' })
    this.#metrics.httpRequestDuration.observe(route, durationMs / 1_000)
    this.#metrics.httpRequestSize.observe(route, requestBytes)
    this.#metrics.httpResponseSize.observe(route, responseBytes)
  }

  /** As a scraper reads it. */
  async scrape(): Promise<Series> {
    return parseMetrics((await renderMetrics(this.#metrics, TEXT)).body)
  }
}

/** As k6 1.4 writes one request, and what our scripts add. */
export function ledgerOf(exchanges: readonly Exchange[]): Ledger {
  const builder = new LedgerBuilder()
  for (const { method, route: name, status, requestBytes, responseBytes, durationMs } of exchanges) {
    const scenario = { scenario: 'steady' }
    const tags = { method, name, status: String(status), ...scenario }
    const point = (metric: string, value: number, given: Readonly<Record<string, string>>): void =>
      builder.add({ type: 'Point', metric, data: { value, tags: given } })
    point('http_reqs', 1, tags)
    point('http_req_duration', durationMs, tags)
    point('http_req_waiting', durationMs / 2, tags)
    point(CLIENT_METRICS.requestBytes, requestBytes, { method, name, ...scenario })
    point(CLIENT_METRICS.responseBytes, responseBytes, { method, name, ...scenario })
    point('checks', 1, { check: 'is answered', ...scenario })
  }
  return builder.build()
}

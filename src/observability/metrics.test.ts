import { describe, expect, it } from 'vitest'
import { createMetrics, type Metrics } from './metrics.ts'
import { renderMetrics } from './metrics-render.ts'
import { GIVEN_AT_START, METRICS, type MetricDeclaration } from './metrics-table.ts'

const OPEN_METRICS = 'application/openmetrics-text;version=1.0.0;q=0.5,text/plain;version=0.0.4;q=0.3,*/*;q=0.2'
const declarations: readonly (readonly [string, MetricDeclaration])[] = Object.entries(METRICS)

const create = (onCollectError: (error: unknown) => void = () => {}): Metrics =>
  createMetrics({ routePaths: ['/api/repos', '/api/repos/{owner}/{name}'], version: '1.2.3', onCollectError })

async function series(metrics: Metrics): Promise<Map<string, number>> {
  const { body } = await renderMetrics(metrics, undefined)
  const lines = body.split('\n').filter((line) => line.startsWith('guts_'))
  return new Map(
    lines.map((line) => [line.slice(0, line.lastIndexOf(' ')), Number(line.slice(line.lastIndexOf(' ') + 1))]),
  )
}

describe('the table', () => {
  it.each(declarations)('%s says what it is, once', (_key, declaration) => {
    expect(declaration.name).toMatch(/^guts_[a-z0-9_]+$/)
    expect(declaration.help).toMatch(/^[A-Z0-9][^"\\]*\.$/)
    expect(declaration.movedBy).not.toBe('')
    expect(declaration.type === 'histogram').toBe(declaration.buckets !== undefined)
    if (declaration.type === 'counter') expect(declaration.name).toMatch(/_total$/)
    expect(declarations.filter(([, other]) => other.name === declaration.name)).toHaveLength(1)
    for (const set of Object.values(declaration.labels)) {
      if (set !== GIVEN_AT_START) expect(new Set(set).size).toBe(set.length)
    }
  })

  it('has the names, types and labels that the mission fixes', () => {
    const found = declarations.map(([, { name, type, labels }]) =>
      `${type} ${name} ${Object.keys(labels).join(' ')}`.trim(),
    )
    expect(found).toEqual(
      expect.arrayContaining([
        'counter guts_http_requests_total method path status',
        'histogram guts_http_request_duration_seconds method path',
        'histogram guts_http_request_size_bytes method path',
        'histogram guts_http_response_size_bytes method path',
        'gauge guts_p2p_peers_connected',
        'counter guts_p2p_messages_sent_total type',
        'counter guts_p2p_messages_received_total type',
        'histogram guts_p2p_message_latency_seconds type',
        'gauge guts_p2p_replication_lag_seconds',
        'gauge guts_storage_objects_total type',
        'gauge guts_storage_size_bytes',
        'histogram guts_storage_operation_duration_seconds operation',
        'gauge guts_repositories_total',
        'gauge guts_users_total',
        'gauge guts_organizations_total',
        'gauge guts_pull_requests_total state',
        'gauge guts_issues_total state',
      ]),
    )
  })
})

describe('createMetrics', () => {
  it('puts unknown methods, paths and statuses under their catch-all', async () => {
    const metrics = create()
    metrics.httpRequests.inc({ method: 'BREW' as 'GET', path: '/teapot', status: '418' })
    metrics.httpRequests.inc({ method: 'GET', path: '/api/repos', status: '200' })
    const found = [...(await series(metrics)).keys()].filter((key) => key.startsWith('guts_http_requests_total'))
    expect(found).toEqual([
      'guts_http_requests_total{method="_OTHER",path="_unmatched",status="_OTHER"}',
      'guts_http_requests_total{method="GET",path="/api/repos",status="200"}',
    ])
  })

  it('refuses a value outside a closed set without a catch-all', () => {
    expect(() => create().gitObjects.inc({ direction: 'sideways' as 'in' })).toThrow(
      'direction is not one of its closed set',
    )
  })

  it('writes small sets from the start, so that a first increase shows', async () => {
    const before = await series(create())
    expect(before.get('guts_git_late_failures_total{service="upload_pack"}')).toBe(0)
    expect(before.get('guts_storage_operation_duration_seconds_count{operation="pack_write"}')).toBe(0)
    expect(before.get(`guts_build_info{version="1.2.3",node="${process.version}"}`)).toBe(1)
    expect([...before.keys()].some((key) => key.startsWith('guts_http_request_duration'))).toBe(false)
  })

  it('asks its sources before a scrape, together, and not again within a second', async () => {
    const metrics = create()
    let asked = 0
    metrics.onCollect(async () => metrics.users.set(++asked))
    await Promise.all([metrics.collect(), metrics.collect()])
    await metrics.collect()
    expect((await series(metrics)).get('guts_users_total')).toBe(1)
    expect(asked).toBe(1)
  })

  it('survives a failing source, counts it and says so', async () => {
    const errors: unknown[] = []
    const metrics = create((error) => errors.push(error))
    metrics.onCollect(() => Promise.reject(new Error('database away')))
    metrics.onCollect(() => metrics.users.set(7))
    const values = await series(metrics)
    expect(values.get('guts_users_total')).toBe(7)
    expect(errors).toEqual([new Error('database away')])
    expect((await series(metrics)).get('guts_metrics_collection_failures_total')).toBe(1)
  })

  it('does not wait for ever for a source that hangs', async () => {
    const errors: unknown[] = []
    const metrics = create((error) => errors.push(error))
    metrics.onCollect(() => new Promise(() => {}))
    await metrics.collect()
    expect(errors).toHaveLength(1)
  })
})

describe('renderMetrics', () => {
  it('answers text and OpenMetrics in alternation, each true to its format', async () => {
    const metrics = create()
    metrics.gitObjects.inc({ direction: 'in' }, 30)
    for (let round = 0; round < 3; round++) {
      const text = await renderMetrics(metrics, 'text/plain')
      expect(text.contentType).toBe('text/plain; version=0.0.4; charset=utf-8')
      expect(text.body).toContain('# TYPE guts_git_objects_total counter\n')
      expect(text.body).toContain('# HELP guts_git_objects_total Objects')
      expect(text.body).toContain('\nguts_git_objects_total{direction="in"} 30\n')
      expect(text.body).not.toContain('# EOF')
      const open = await renderMetrics(metrics, OPEN_METRICS)
      expect(open.contentType).toBe('application/openmetrics-text; version=1.0.0; charset=utf-8')
      expect(open.body).toContain('# TYPE guts_git_objects counter\n')
      expect(open.body).toContain('\nguts_git_objects_total{direction="in"} 30\n')
      expect(open.body.endsWith('# EOF\n')).toBe(true)
      // A gauge keeps the suffix that the mission gave it.
      for (const { body } of [text, open]) expect(body).toContain('# TYPE guts_repositories_total gauge\n')
    }
  })

  it.each([
    { accept: undefined, open: false },
    { accept: '*/*', open: false },
    { accept: OPEN_METRICS, open: true },
    { accept: 'text/plain;q=0.9, application/openmetrics-text;q=0.1', open: false },
    { accept: 'application/openmetrics-text;q=0', open: false },
    { accept: 'application/openmetrics-text; q=nonsense', open: false },
  ])('for Accept $accept OpenMetrics is $open', async ({ accept, open }) => {
    const { contentType } = await renderMetrics(create(), accept)
    expect(contentType.startsWith('application/openmetrics-text')).toBe(open)
  })
})

describe('defaults of the process', () => {
  it('are there, but for those whose reading can abort the process', async () => {
    const { registry } = createMetrics({ routePaths: [], version: '1', onCollectError: () => {} })
    const text = await registry.metrics()
    expect(text).toContain('nodejs_active_resources')
    expect(text).not.toMatch(/nodejs_active_(handles|requests)/)
  })
})

import pino from 'pino'
import { expect, it, vi } from 'vitest'
import { HealthService } from '../../health/probes.ts'
import type { HealthCheck, HealthCheckResult } from '../../health/check.ts'
import { serve, type TestServer } from '../testing.ts'
import { healthRoutes } from './health.ts'
import { metricsRoute } from './metrics.ts'

let results: Record<HealthCheck['name'], HealthCheckResult>
let state: { started: boolean; maintenance: boolean }

async function start(): Promise<TestServer> {
  results = {
    storage: { status: 'up', latency_ms: 1 },
    p2p: { status: 'up', peers: 3 },
    consensus: { status: 'up', leader: true },
  }
  state = { started: true, maintenance: false }
  let health: HealthService | undefined
  let server: TestServer | undefined
  const routes = [
    ...healthRoutes<undefined>(() => health as HealthService, '1.2.3'),
    metricsRoute<undefined>(() => (server as TestServer).metrics),
  ]
  server = await serve(routes)
  const checks = Object.keys(results).map((name): HealthCheck => {
    const known = name as HealthCheck['name']
    return { name: known, check: async () => results[known] }
  })
  const conditions = {
    started: () => state.started,
    maintenance: () => state.maintenance,
    draining: () => false,
    shedding: () => false,
  }
  const logger = pino({ level: 'silent' })
  health = new HealthService({ checks, conditions, metrics: server.metrics, logger }, { cacheMs: 0 })
  return server
}

async function ask(server: TestServer, path: string): Promise<unknown[]> {
  const response = await fetch(server.origin + path)
  return [response.status, await response.json()]
}

it('answers exactly as the contract says, and stays live whatever happens', async () => {
  await using server = await start()
  const checks = { ...results }
  expect(await ask(server, '/health/ready')).toEqual([200, { status: 'ready', checks }])
  expect(await ask(server, '/health/startup')).toEqual([200, { status: 'started' }])
  expect(await ask(server, '/health')).toEqual([
    200,
    { status: 'ready', checks, version: '1.2.3', uptime_s: expect.any(Number) },
  ])
  results.p2p = { status: 'down', peers: 0 }
  expect(await ask(server, '/health/ready')).toEqual([
    503,
    { status: 'not_ready', checks: { ...checks, p2p: results.p2p } },
  ])
  results.p2p = checks.p2p
  state = { started: false, maintenance: true }
  expect(await ask(server, '/health/ready')).toEqual([
    503,
    { status: 'not_ready', checks, reasons: ['starting', 'maintenance'] },
  ])
  expect(await ask(server, '/health/startup')).toEqual([503, { status: 'starting' }])
  expect(await ask(server, '/health/live')).toEqual([200, { status: 'live' }])
  state = { started: true, maintenance: false }
  expect(await ask(server, '/health/ready')).toEqual([200, { status: 'ready', checks }])
})

it('shows nothing that a check says beyond the contract', async () => {
  await using server = await start()
  results.storage = { status: 'down', latency_ms: 1, errno: 30 }
  const response = await fetch(`${server.origin}/health/ready`)
  expect(response.headers.get('retry-after')).toBe('1')
  expect(await response.text()).not.toContain('errno')
})

it('writes few lines for probes that succeed, and all for those that fail', async () => {
  await using server = await start()
  for (let probe = 0; probe < 10; probe++) await ask(server, '/health/live')
  results.storage = { status: 'down' }
  for (let probe = 0; probe < 3; probe++) await ask(server, '/health/ready')
  await vi.waitFor(async () => {
    const lines = (await server.lines()).filter(({ msg }) => msg === 'Request')
    expect(lines.map(({ route, stands_for }) => [route, stands_for])).toEqual([
      ['/health/live', 60],
      ['/health/ready', undefined],
      ['/health/ready', undefined],
      ['/health/ready', undefined],
    ])
  })
})

it('serves metrics in both formats', async () => {
  await using server = await start()
  const text = await fetch(`${server.origin}/metrics`)
  expect(text.headers.get('content-type')).toBe('text/plain; version=0.0.4; charset=utf-8')
  expect(await text.text()).toContain('guts_ready 1\n')
  const open = await fetch(`${server.origin}/metrics`, { headers: { accept: 'application/openmetrics-text' } })
  expect(open.headers.get('content-type')).toBe('application/openmetrics-text; version=1.0.0; charset=utf-8')
  expect(await open.text()).toMatch(/# EOF\n$/)
})

import pino from 'pino'
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest'
import { createMetrics, type Metrics } from '../observability/metrics.ts'
import type { HealthCheck, HealthCheckResult } from './check.ts'
import { type HealthConditions, HealthService } from './probes.ts'

let lines: string[]
let metrics: Metrics
const logger = pino({ base: null }, { write: (line: string) => void lines.push(line) })
const fine: HealthConditions = {
  started: () => true,
  draining: () => false,
  shedding: () => false,
  maintenance: () => false,
}

beforeEach(() => {
  lines = []
  metrics = createMetrics({ routePaths: [], version: '1', onCollectError: () => {} })
  vi.useFakeTimers()
})

afterEach(() => {
  vi.useRealTimers()
})

const service = (check: HealthCheck['check'], conditions: Partial<HealthConditions> = {}): HealthService =>
  new HealthService({ checks: [{ name: 'storage', check }], conditions: { ...fine, ...conditions }, metrics, logger })

const up = async (): Promise<HealthCheckResult> => ({ status: 'up', latency_ms: 1 })

async function value(series: string): Promise<string | undefined> {
  return (await metrics.registry.metrics())
    .split('\n')
    .find((line) => line.startsWith(`${series} `))
    ?.split(' ')[1]
}

describe('HealthService', () => {
  it.each([
    { name: 'while starting', conditions: { started: () => false }, reason: 'starting' },
    { name: 'while draining', conditions: { draining: () => true }, reason: 'draining' },
    { name: 'while shedding load', conditions: { shedding: () => true }, reason: 'shedding' },
    { name: 'in maintenance', conditions: { maintenance: () => true }, reason: 'maintenance' },
  ])('is not ready $name', async ({ conditions, reason }) => {
    expect(await service(up, conditions).readiness()).toEqual({
      status: 'not_ready',
      checks: { storage: { status: 'up', latency_ms: 1 } },
      reasons: [reason],
    })
    expect(await value('guts_ready')).toBe('0')
  })

  it('falls with its check, logs why once, rises with it, and remembers for a second', async () => {
    let answer: () => Promise<HealthCheckResult> = up
    const health = service(() => answer())
    expect((await health.readiness()).status).toBe('ready')
    expect(await value('guts_health_check_up{check="storage"}')).toBe('1')
    answer = () => Promise.reject(new Error('EROFS /var/lib/guts'))
    vi.advanceTimersByTime(999)
    expect((await health.readiness()).status).toBe('ready')
    for (let probe = 0; probe < 3; probe++) {
      vi.advanceTimersByTime(1_000)
      // The reason is for the log alone (§4.5).
      expect(await health.readiness()).toEqual({ status: 'not_ready', checks: { storage: { status: 'down' } } })
    }
    expect(lines.filter((line) => line.includes('EROFS'))).toHaveLength(1)
    expect(await value('guts_health_check_up{check="storage"}')).toBe('0')
    answer = up
    vi.advanceTimersByTime(1_000)
    expect((await health.readiness()).status).toBe('ready')
  })

  it('asks once for many probes, and holds a hung check for down without beginning another', async () => {
    let asked = 0
    const { promise, resolve } = Promise.withResolvers<HealthCheckResult>()
    let seen: AbortSignal | undefined
    const health = service((signal) => {
      asked++
      seen = signal
      return promise
    })
    for (let round = 0; round < 3; round++) {
      const probes = [health.readiness(), health.readiness()]
      await vi.advanceTimersByTimeAsync(2_000)
      expect((await Promise.all(probes)).map(({ status }) => status)).toEqual(['not_ready', 'not_ready'])
      await vi.advanceTimersByTimeAsync(1_000)
    }
    expect(asked).toBe(1)
    expect(seen?.aborted).toBe(true)
    expect(await value('guts_timeouts_total{operation="health_check"}')).toBe('3')
    resolve({ status: 'up' })
    await vi.advanceTimersByTimeAsync(1_000)
    expect((await health.readiness()).status).toBe('ready')
    expect(asked).toBe(2)
  })

  it('is asked by a scrape, so that the gauges are never stale', async () => {
    service(async () => ({ status: 'down' }))
    metrics.ready.set(1)
    await metrics.collect()
    expect(await value('guts_ready')).toBe('0')
  })
})

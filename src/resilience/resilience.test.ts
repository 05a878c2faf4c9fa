import { setImmediate as tick } from 'node:timers/promises'
import { afterEach, describe, expect, it, vi } from 'vitest'
import { RequestError } from '../errors.ts'
import { accessFields, newOperation, runInContext } from '../observability/context.ts'
import { createMetrics, type Metrics } from '../observability/metrics.ts'
import { Bulkhead } from './bulkhead.ts'
import { LoadShedder } from './load-shedding.ts'
import { ServiceTime } from './retry-after.ts'

const metricsOf = (): Metrics => createMetrics({ routePaths: [], version: '1', onCollectError: () => {} })

async function value(metrics: Metrics, series: string): Promise<number> {
  const line = (await metrics.registry.metrics()).split('\n').find((text) => text.startsWith(`${series} `))
  return Number(line?.split(' ')[1])
}

const never = new AbortController().signal

afterEach(() => {
  vi.useRealTimers()
})

describe('ServiceTime', () => {
  it.each([
    { name: 'nothing observed', observed: [], ahead: 9, slots: 1, seconds: 1 },
    { name: 'ten seconds each, three ahead', observed: [10_000], ahead: 3, slots: 1, seconds: 30 },
    { name: 'two at a time', observed: [10_000], ahead: 3, slots: 2, seconds: 15 },
    { name: 'never for ever', observed: [1e9], ahead: 3, slots: 1, seconds: 300 },
    { name: 'a mean that moves', observed: [1_000, 2_000], ahead: 10, slots: 1, seconds: 11 },
  ])('$name', ({ observed, ahead, slots, seconds }) => {
    const time = new ServiceTime()
    for (const durationMs of observed) time.observe(durationMs)
    expect(time.secondsUntilDone(ahead, slots)).toBe(seconds)
  })
})

describe('Bulkhead', () => {
  const gated = () => {
    const gates: (() => void)[] = []
    const started: string[] = []
    return {
      gates,
      started,
      job: (name: string) => (): Promise<string> => {
        started.push(name)
        return new Promise((resolve) => gates.push(() => resolve(name)))
      },
    }
  }

  it('runs in order, so many at a time, and lets other keys pass a busy one', async () => {
    const metrics = metricsOf()
    const bulkhead = new Bulkhead({ name: 'push', slotsMax: 2, slotsPerKeyMax: 1, queueMax: 9 }, metrics)
    const { gates, started, job } = gated()
    const all = [
      bulkhead.run('a', never, job('a1')),
      bulkhead.run('a', never, job('a2')),
      bulkhead.run('b', never, job('b1')),
      bulkhead.run('b', never, job('b2')),
    ]
    await tick()
    expect(started).toEqual(['a1', 'b1'])
    expect(await value(metrics, 'guts_bulkhead_in_flight{bulkhead="push"}')).toBe(2)
    expect(await value(metrics, 'guts_bulkhead_queued{bulkhead="push"}')).toBe(2)
    gates[1]?.()
    await tick()
    expect(started).toEqual(['a1', 'b1', 'b2'])
    gates[0]?.()
    await tick()
    expect(started).toEqual(['a1', 'b1', 'b2', 'a2'])
    for (const open of gates) open()
    expect(await Promise.all(all)).toEqual(['a1', 'a2', 'b1', 'b2'])
    expect(await value(metrics, 'guts_bulkhead_in_flight{bulkhead="push"}')).toBe(0)
    expect(await value(metrics, 'guts_bulkhead_wait_seconds_count{bulkhead="push"}')).toBe(4)
  })

  it('refuses beyond the queue with a true Retry-After, and tells waiting time to the access line', async () => {
    vi.useFakeTimers({ toFake: ['performance'] })
    const metrics = metricsOf()
    const bulkhead = new Bulkhead({ name: 'fetch', slotsMax: 1, slotsPerKeyMax: 1, queueMax: 1 }, metrics)
    const { gates, job } = gated()
    const first = bulkhead.run('a', never, job('1'))
    await tick()
    vi.advanceTimersByTime(20_000)
    gates[0]?.()
    await first
    const second = bulkhead.run('a', never, job('2'))
    const third = runInContext(newOperation('x'), async () => {
      await bulkhead.run('b', never, job('3'))
      return accessFields()
    })
    await tick()
    await expect(bulkhead.run('a', never, job('4'))).rejects.toMatchObject({
      detail: { code: 'unavailable', retryAfterS: 40 },
    })
    expect(await value(metrics, 'guts_http_rejections_total{reason="queue_full"}')).toBe(1)
    vi.advanceTimersByTime(500)
    gates[1]?.()
    await second
    await tick()
    gates[2]?.()
    expect(await third).toEqual({ queue_ms: 500 })
  })

  it('lets in at once, or not at all, what may take as long as somebody likes, and measures others by others', async () => {
    vi.useFakeTimers({ toFake: ['performance'] })
    const metrics = metricsOf()
    const bulkhead = new Bulkhead({ name: 'push', slotsMax: 1, slotsPerKeyMax: 1, queueMax: 0 }, metrics)
    const { gates, job } = gated()
    const first = bulkhead.runAtOnce('a', job('1'))
    expect(bulkhead.runAtOnce('b', job('2'))).toBeUndefined()
    vi.advanceTimersByTime(600_000)
    gates[0]?.()
    await first
    await expect(bulkhead.runAtOnce('a', () => Promise.reject(new Error('failed')))).rejects.toThrow('failed')
    const third = bulkhead.run('a', never, job('3'))
    await expect(bulkhead.run('a', never, job('4'))).rejects.toMatchObject({ detail: { retryAfterS: 1 } })
    expect(await value(metrics, 'guts_bulkhead_in_flight{bulkhead="push"}')).toBe(1)
    expect(await value(metrics, 'guts_bulkhead_wait_seconds_count{bulkhead="push"}')).toBe(3)
    gates[1]?.()
    await third
  })

  it('forgets a waiter whose client left, and gives back the slot of a failed operation', async () => {
    const bulkhead = new Bulkhead({ name: 'fetch', slotsMax: 1, slotsPerKeyMax: 1, queueMax: 1 }, metricsOf())
    const { gates, started, job } = gated()
    const first = bulkhead.run('a', never, job('1'))
    const client = new AbortController()
    const left = bulkhead.run('a', client.signal, job('2'))
    await tick()
    client.abort(new Error('client left'))
    await expect(left).rejects.toThrow('client left')
    await expect(bulkhead.run('a', client.signal, job('3'))).rejects.toThrow('client left')
    gates[0]?.()
    await first
    await expect(bulkhead.run('a', never, () => Promise.reject(new Error('failed')))).rejects.toThrow('failed')
    const last = bulkhead.run('a', never, job('4'))
    await tick()
    expect(started).toEqual(['1', '4'])
    gates[1]?.()
    await last
  })
})

describe('LoadShedder', () => {
  it('refuses at its limit, not below, and admits again when one leaves once', async () => {
    const metrics = metricsOf()
    const shedder = new LoadShedder(metrics, { inFlightMax: 2 })
    const leave = shedder.enter('heavy')
    expect(shedder.shedding).toBe(false)
    shedder.enter('small')
    expect(shedder.shedding).toBe(true)
    expect(await value(metrics, 'guts_load_shedding')).toBe(1)
    expect(() => shedder.enter('small')).toThrow(RequestError)
    expect(await value(metrics, 'guts_http_rejections_total{reason="overload"}')).toBe(1)
    leave()
    leave()
    shedder.enter('small')
    expect(() => shedder.enter('small')).toThrow('overloaded')
  })

  it('refuses heavy requests while the event loop is late, small ones later, none when it has recovered', async () => {
    const metrics = metricsOf()
    const shedder = new LoadShedder(metrics, { shedDelayMs: 30, recoverDelayMs: 20 })
    shedder.start()
    const block = (blockMs: number): void => {
      const endMs = performance.now() + blockMs
      while (performance.now() < endMs);
    }
    try {
      await vi.waitFor(() => {
        block(300)
        expect(() => shedder.enter('heavy')).toThrow(RequestError)
      }, 10_000)
      expect(shedder.shedding).toBe(true)
      await vi.waitFor(() => {
        block(500)
        expect(() => shedder.enter('small')).toThrow(RequestError)
      }, 10_000)
      await vi.waitFor(() => shedder.enter('heavy'), 10_000)
      expect(shedder.shedding).toBe(false)
    } finally {
      shedder.stop()
    }
  })
})

import pino from 'pino'
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest'
import { createMetrics, type Metrics } from '../observability/metrics.ts'
import {
  type Attempt,
  AttemptTimeoutError,
  CircuitOpenError,
  OUTBOUND_LIMITS,
  type OutboundCall,
  type OutboundOptions,
  OutboundPolicies,
} from './outbound.ts'

class Unreachable extends Error {}

const lines: Record<string, unknown>[] = []
const logger = pino(
  { level: 'debug', base: null },
  { write: (line: string) => void lines.push(JSON.parse(line) as Record<string, unknown>) },
)
const never = new AbortController().signal
const status: OutboundCall = { name: 'status', idempotent: true, ends: 'deadline', signal: never }
const once: OutboundCall = { ...status, idempotent: false }
const pack: OutboundCall = { name: 'pack', idempotent: false, ends: 'progress', signal: never }

const random = vi.spyOn(Math, 'random')
let metrics: Metrics
let policies: OutboundPolicies

function start(options: Partial<OutboundOptions> = {}): void {
  metrics = createMetrics({ routePaths: [], version: '1', onCollectError: () => {} })
  const isTransient = (error: unknown): boolean => error instanceof Unreachable
  const defaults = { dependency: 'peer', attemptTimeoutMs: 10_000, attemptsMax: 3, breakerThreshold: 5 } as const
  policies = new OutboundPolicies({ ...defaults, isTransient, ...options }, { metrics, logger })
}

async function value(series: string): Promise<number> {
  const line = (await metrics.registry.metrics()).split('\n').find((text) => text.startsWith(`${series} `))
  return Number(line?.split(' ')[1])
}

const fail = (): Promise<never> => Promise.reject(new Unreachable('no route'))
const hang = (): Promise<never> => new Promise(() => {})
const outcome = (work: Promise<unknown>): Promise<unknown> => work.catch((error: unknown) => error)

/** Fails so often that the circuit of `key` opens. */
async function open(key: string, failures: number): Promise<void> {
  for (let call = 0; call < failures; call++) await outcome(policies.run(key, once, fail))
  expect(policies.state(key)).toBe('open')
}

beforeEach(() => {
  vi.useFakeTimers()
  random.mockReturnValue(0.5)
  lines.length = 0
  start()
})

afterEach(() => {
  vi.useRealTimers()
})

describe('retries', () => {
  it('makes as many attempts as it is told, the first included, and fails with the last error', async () => {
    let attempts = 0
    const work = outcome(policies.run('a', status, () => Promise.reject(new Unreachable(`attempt ${++attempts}`))))
    await vi.runAllTimersAsync()
    expect(await work).toMatchObject({ message: 'attempt 3' })
    expect(attempts).toBe(3)
    expect(await value('guts_retries_total{dependency="peer"}')).toBe(2)
    const told = lines.filter((line) => line['msg'] === 'Trying again')
    expect(told).toMatchObject([
      { attempt: 2, key: 'a', exchange: 'status', err: { message: 'attempt 1' } },
      { attempt: 3, key: 'a', exchange: 'status', err: { message: 'attempt 2' } },
    ])
  })

  it.each([
    { name: 'work that is not idempotent', call: once, error: new Unreachable('x') },
    { name: 'an error that is an answer', call: status, error: new Error('not found') },
  ])('does not repeat $name', async ({ call, error }) => {
    let attempts = 0
    const work = outcome(
      policies.run('a', call, () => {
        attempts++
        return Promise.reject(error)
      }),
    )
    await vi.runAllTimersAsync()
    expect(await work).toBe(error)
    expect(attempts).toBe(1)
    expect(await value('guts_retries_total{dependency="peer"}')).toBe(0)
  })

  it('holds no slot while it waits', async () => {
    let attempts = 0
    const work = policies.run('a', status, () => (++attempts === 1 ? fail() : Promise.resolve('well')))
    await vi.advanceTimersByTimeAsync(0)
    expect(attempts).toBe(1)
    expect(await value('guts_bulkhead_wait_seconds_count{bulkhead="peer"}')).toBe(1)
    expect(await value('guts_bulkhead_in_flight{bulkhead="peer"}')).toBe(0)
    await vi.runAllTimersAsync()
    expect(await work).toBe('well')
  })

  it.each(['deadline', 'progress'] as const)(
    'ends at once for a caller who leaves during a wait, and tries no more (%s)',
    async (ends) => {
      const caller = new AbortController()
      random.mockReturnValue(0.9)
      const fn = vi.fn(fail)
      const work = outcome(policies.run('a', { ...status, ends, signal: caller.signal }, fn))
      await vi.advanceTimersByTimeAsync(1)
      caller.abort(new Unreachable('caller left'))
      expect(await work).toMatchObject({ message: 'caller left' })
      await vi.runAllTimersAsync()
      expect(fn).toHaveBeenCalledTimes(1)
      expect(await value('guts_retries_total{dependency="peer"}')).toBe(0)
    },
  )

  it('waits without keeping the process from ending', async () => {
    random.mockReturnValue(0.9)
    const timers = vi.spyOn(globalThis, 'setTimeout')
    const work = outcome(policies.run('a', { ...status, ends: 'progress' }, fail))
    await vi.advanceTimersByTimeAsync(0)
    const wait = timers.mock.calls.findIndex(([, delayMs]) => delayMs === 90)
    const timer = timers.mock.results[wait]?.value as NodeJS.Timeout | undefined
    expect(timer?.hasRef()).toBe(false)
    await vi.runAllTimersAsync()
    await work
  })
})

describe('time', () => {
  it('ends an attempt, aborts its signal, and tries again', async () => {
    const signals: AbortSignal[] = []
    const work = outcome(
      policies.run('a', status, ({ signal }) => {
        signals.push(signal)
        return signals.length < 3 ? hang() : Promise.resolve('late')
      }),
    )
    await vi.advanceTimersByTimeAsync(10_000)
    expect(signals[0]?.reason).toBeInstanceOf(AttemptTimeoutError)
    await vi.runAllTimersAsync()
    expect(await work).toBe('late')
    expect(signals.map((signal) => signal.aborted)).toEqual([true, true, false])
    expect(await value('guts_timeouts_total{operation="peer"}')).toBe(2)
  })

  it('counts from the last progress where progress decides', async () => {
    let attempt: Attempt | undefined
    const work = outcome(
      policies.run('a', pack, (given) => {
        attempt = given
        return hang()
      }),
    )
    for (let piece = 0; piece < 20; piece++) {
      await vi.advanceTimersByTimeAsync(9_999)
      attempt?.progress()
    }
    expect(attempt?.signal.aborted).toBe(false)
    await vi.advanceTimersByTimeAsync(10_000)
    const detail = { code: 'timed_out', dependency: 'peer', scope: 'attempt', timeoutMs: 10_000 }
    expect(await work).toMatchObject({ detail, message: 'The exchange pack made no progress for 10 s' })
  })

  it('does not count from progress where the deadline decides', async () => {
    const work = outcome(
      policies.run('a', once, async ({ progress }) => {
        setTimeout(progress, 9_000)
        return hang()
      }),
    )
    await vi.advanceTimersByTimeAsync(10_000)
    expect(await work).toBeInstanceOf(AttemptTimeoutError)
    expect(await value('guts_timeouts_total{operation="peer"}')).toBe(1)
  })

  it('ends a call that waits for a slot when its whole time is over, which speaks against nobody', async () => {
    start({ breakerThreshold: 1 })
    const busy = Array.from({ length: OUTBOUND_LIMITS.slotsPerKeyMax }, () =>
      outcome(
        policies.run('a', pack, ({ progress }) => {
          setInterval(progress, 1_000)
          return hang()
        }),
      ),
    )
    const late = outcome(policies.run('a', once, hang))
    await vi.advanceTimersByTimeAsync(10_000 + OUTBOUND_LIMITS.slotWaitMsMax)
    expect(await late).toMatchObject({ detail: { code: 'timed_out', scope: 'call', timeoutMs: 11_000 } })
    expect(await value('guts_timeouts_total{operation="peer"}')).toBe(1)
    expect(policies.state('a')).toBe('closed')
    expect(busy).toHaveLength(8)
  })

  it('leaves the signal of an attempt that ended well alone', async () => {
    const { signal } = await policies.run('a', status, (attempt) => Promise.resolve(attempt))
    await vi.runAllTimersAsync()
    expect(signal.aborted).toBe(false)
  })

  it('survives an attempt that fails before it returns a promise, or after its time', async () => {
    const thrower = (): Promise<never> => {
      throw new Error('at once')
    }
    expect(await outcome(policies.run('a', once, thrower))).toMatchObject({ message: 'at once' })
    const late = policies.run(
      'a',
      once,
      () => new Promise((_, reject) => setTimeout(reject, 11_000, new Error('late'))),
    )
    const ended = outcome(late)
    await vi.runAllTimersAsync()
    expect(await ended).toBeInstanceOf(AttemptTimeoutError)
    expect(await value('guts_timeouts_total{operation="peer"}')).toBe(1)
    expect(lines.at(-1)).toMatchObject({ msg: 'An attempt that was given up failed later', err: { message: 'late' } })
  })
})

describe('the bulkhead', () => {
  it('refuses beyond its queue, which is no rejection of a request and speaks against nobody', async () => {
    start({ breakerThreshold: 1 })
    const calls = OUTBOUND_LIMITS.slotsPerKeyMax + OUTBOUND_LIMITS.queueMax
    const caller = new AbortController()
    const waiting = Array.from({ length: calls }, () =>
      outcome(policies.run('a', { ...once, signal: caller.signal }, hang)),
    )
    await vi.advanceTimersByTimeAsync(0)
    expect(await value('guts_bulkhead_in_flight{bulkhead="peer"}')).toBe(OUTBOUND_LIMITS.slotsPerKeyMax)
    expect(await value('guts_bulkhead_queued{bulkhead="peer"}')).toBe(OUTBOUND_LIMITS.queueMax)
    expect(await outcome(policies.run('a', status, hang))).toMatchObject({ detail: { code: 'unavailable' } })
    expect(await value('guts_http_rejections_total{reason="queue_full"}')).toBe(0)
    expect(policies.state('a')).toBe('closed')
    caller.abort(new Error('enough'))
    await Promise.all(waiting)
    expect(await value('guts_bulkhead_in_flight{bulkhead="peer"}')).toBe(0)
    expect(await value('guts_bulkhead_queued{bulkhead="peer"}')).toBe(0)
  })
})

describe('the circuit of a key', () => {
  const to = (state: string): string => `guts_circuit_breaker_transitions_total{dependency="peer",to="${state}"}`
  const worst = 'guts_circuit_breaker_state{dependency="peer"}'

  it('opens with the failure that makes the threshold, and then nothing is tried', async () => {
    await open('a', 5)
    const fn = vi.fn(hang)
    await vi.advanceTimersByTimeAsync(1_000)
    const error = await outcome(policies.run('a', status, fn))
    expect(error).toBeInstanceOf(CircuitOpenError)
    const detail = { code: 'circuit_open', dependency: 'peer', retryAfterMs: 4_000 }
    expect(error).toMatchObject({ detail, cause: { message: 'no route' } })
    expect(fn).not.toHaveBeenCalled()
    expect(policies.admits('a')).toBe(false)
    expect([await value(worst), await value(to('open'))]).toEqual([2, 1])
    const line = {
      level: 40,
      msg: 'Circuit opened',
      key: 'a',
      from: 'closed',
      to: 'open',
      err: { message: 'no route' },
    }
    expect(lines.at(-1)).toMatchObject(line)
  })

  it('counts attempts, so that a retry meets the circuit its call has opened, and is not repeated', async () => {
    start({ breakerThreshold: 2, isTransient: () => true })
    const fn = vi.fn(fail)
    const work = outcome(policies.run('a', status, fn))
    await vi.runAllTimersAsync()
    expect(await work).toBeInstanceOf(CircuitOpenError)
    expect(fn).toHaveBeenCalledTimes(2)
    expect(await value('guts_retries_total{dependency="peer"}')).toBe(1)
  })

  it('is its own: another key is served', async () => {
    await open('a', 5)
    expect(await policies.run('b', status, () => Promise.resolve(1))).toBe(1)
    expect(policies.state('b')).toBe('closed')
  })

  it('starts counting again after a success, and not after an answer', async () => {
    const attempt = (fn: () => Promise<unknown>) => outcome(policies.run('a', once, fn))
    for (let call = 0; call < 4; call++) await attempt(fail)
    await attempt(() => Promise.resolve())
    for (let call = 0; call < 4; call++) await attempt(fail)
    expect(policies.state('a')).toBe('closed')
    await attempt(() => Promise.reject(new Error('not found')))
    await attempt(fail)
    expect(policies.state('a')).toBe('open')
  })

  it('lets one probe through at a time after its open time, and closes with the second success', async () => {
    await open('a', 5)
    await vi.advanceTimersByTimeAsync(OUTBOUND_LIMITS.openMs - 1)
    expect(policies.admits('a')).toBe(false)
    await vi.advanceTimersByTimeAsync(1)
    expect(policies.admits('a')).toBe(true)
    expect(policies.state('a')).toBe('open')
    const gate = Promise.withResolvers<string>()
    const probe = policies.run('a', status, () => gate.promise)
    expect(policies.state('a')).toBe('half_open')
    expect(await value(worst)).toBe(1)
    const other = vi.fn(hang)
    expect(await outcome(policies.run('a', status, other))).toBeInstanceOf(CircuitOpenError)
    expect(other).not.toHaveBeenCalled()
    gate.resolve('well')
    expect(await probe).toBe('well')
    expect(policies.state('a')).toBe('half_open')
    await policies.run('a', status, () => Promise.resolve())
    expect(policies.state('a')).toBe('closed')
    expect([await value(worst), await value(to('half_open')), await value(to('closed'))]).toEqual([0, 1, 1])
    expect(lines.slice(-2).map((line) => line['msg'])).toEqual(['Circuit half open', 'Circuit closed'])
  })

  it('opens again for its whole time when a probe fails', async () => {
    await open('a', 5)
    await vi.advanceTimersByTimeAsync(OUTBOUND_LIMITS.openMs)
    await outcome(policies.run('a', once, fail))
    expect(policies.state('a')).toBe('open')
    await vi.advanceTimersByTimeAsync(OUTBOUND_LIMITS.openMs - 1)
    expect(policies.admits('a')).toBe(false)
    expect(await value(to('open'))).toBe(2)
  })

  it('does not stay open because the wall clock was set back', async () => {
    await open('a', 5)
    await vi.advanceTimersByTimeAsync(OUTBOUND_LIMITS.openMs)
    vi.setSystemTime(Date.now() - 3_600_000)
    expect(await policies.run('a', status, () => Promise.resolve(1))).toBe(1)
  })

  it('takes a caller who leaves for neither failure nor success', async () => {
    start({ breakerThreshold: 1, isTransient: () => true })
    const succeed = (): Promise<void> => policies.run('a', once, () => Promise.resolve())
    const leave = async (): Promise<void> => {
      const caller = new AbortController()
      const work = outcome(policies.run('a', { ...status, signal: caller.signal }, hang))
      caller.abort(new Unreachable('left'))
      expect(await work).toMatchObject({ message: 'left' })
      await vi.advanceTimersByTimeAsync(0)
    }
    await leave()
    expect(policies.state('a')).toBe('closed')
    await open('a', 1)
    await vi.advanceTimersByTimeAsync(OUTBOUND_LIMITS.openMs)
    for (const probe of [leave, leave, leave, succeed, leave, succeed]) {
      await probe()
      expect(policies.state('a')).toBe('half_open')
    }
    expect(await value(to('half_open'))).toBe(1)
    await succeed()
    expect(policies.state('a')).toBe('closed')
  })

  it('learns nothing from probes that found no slot', async () => {
    await open('a', 5)
    await vi.advanceTimersByTimeAsync(OUTBOUND_LIMITS.openMs)
    const caller = new AbortController()
    const { slotsMax, slotsPerKeyMax, queueMax } = OUTBOUND_LIMITS
    const busy = Array.from({ length: slotsMax + queueMax }, (_, index) => {
      const key = `key ${index % Math.ceil(slotsMax / slotsPerKeyMax)}`
      return outcome(policies.run(key, { ...once, signal: caller.signal }, hang))
    })
    for (let probe = 0; probe < OUTBOUND_LIMITS.successThreshold; probe++)
      expect(await outcome(policies.run('a', once, hang))).toMatchObject({ detail: { code: 'unavailable' } })
    expect(policies.state('a')).toBe('half_open')
    caller.abort(new Error('enough'))
    await Promise.all(busy)
  })

  it('closes with probes that are answered, though the answer is an error', async () => {
    await open('a', 5)
    await vi.advanceTimersByTimeAsync(OUTBOUND_LIMITS.openMs)
    for (let probe = 0; probe < OUTBOUND_LIMITS.successThreshold; probe++)
      await outcome(policies.run('a', once, () => Promise.reject(new Error('not found'))))
    expect(policies.state('a')).toBe('closed')
  })

  it('is forgotten with its key, also by the worst state, and by what is still under way', async () => {
    await open('a', 5)
    await vi.advanceTimersByTimeAsync(OUTBOUND_LIMITS.openMs)
    const gate = Promise.withResolvers<never>()
    const probe = outcome(policies.run('a', once, () => gate.promise))
    policies.forget('a')
    expect([policies.state('a'), await value(worst)]).toEqual(['closed', 0])
    gate.reject(new Unreachable('late'))
    await probe
    expect([policies.state('a'), await value(worst), await value(to('open'))]).toEqual(['closed', 0, 1])
  })

  it('gives way to others when nobody forgets keys: the one used longest ago goes', async () => {
    await open('old', 5)
    await open('older', 5)
    await outcome(policies.run('old', once, fail))
    const succeed = (): Promise<void> => Promise.resolve()
    for (let key = 0; key < OUTBOUND_LIMITS.keysMax - 1; key++) await policies.run(`key ${key}`, once, succeed)
    expect([policies.state('old'), policies.state('older')]).toEqual(['open', 'closed'])
  })
})

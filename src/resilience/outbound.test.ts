import { describe, expect, it, vi } from 'vitest'
import { type Attempt, AttemptTimeoutError, OUTBOUND_LIMITS } from './outbound.ts'
import { fail, hang, lines, once, outcome, pack, random, start, status, Unreachable, withFakeClock } from './testing.ts'

withFakeClock()

describe('retries', () => {
  it('makes as many attempts as it is told, the first included, and fails with the last error', async () => {
    const { policies, value } = start()
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
    const { policies, value } = start()
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
    const { policies, value } = start()
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
      const { policies, value } = start()
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
    const { policies } = start()
    random.mockReturnValue(0.9)
    // Restored before the clock: what it stands before is the clock's.
    using timers = vi.spyOn(globalThis, 'setTimeout')
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
    const { policies, value } = start()
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
    const { policies } = start()
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
    const { policies, value } = start()
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
    const { policies, value } = start({ breakerThreshold: 1 })
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
    const { policies } = start()
    const { signal } = await policies.run('a', status, (attempt) => Promise.resolve(attempt))
    await vi.runAllTimersAsync()
    expect(signal.aborted).toBe(false)
  })

  it('survives an attempt that fails before it returns a promise, or after its time', async () => {
    const { policies, value } = start()
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
    const { policies, value } = start({ breakerThreshold: 1 })
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

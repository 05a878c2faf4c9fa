import { describe, expect, it, vi } from 'vitest'
import { CircuitOpenError, OUTBOUND_LIMITS } from './outbound.ts'
import { fail, hang, lines, once, open, outcome, start, status, Unreachable, withFakeClock } from './testing.ts'

withFakeClock()

describe('the circuit of a key', () => {
  const to = (state: string): string => `guts_circuit_breaker_transitions_total{dependency="peer",to="${state}"}`
  const worst = 'guts_circuit_breaker_state{dependency="peer"}'

  it('opens with the failure that makes the threshold, and then nothing is tried', async () => {
    const { policies, value } = start()
    await open(policies, 'a')
    const fn = vi.fn(hang)
    await vi.advanceTimersByTimeAsync(1_000)
    const error = await outcome(policies.run('a', status, fn))
    expect(error).toBeInstanceOf(CircuitOpenError)
    const detail = { code: 'circuit_open', dependency: 'peer', retryAfterMs: 4_000 }
    expect(error).toMatchObject({ detail, cause: { message: 'no route' } })
    expect(fn).not.toHaveBeenCalled()
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
    const { policies, value } = start({ breakerThreshold: 2, isTransient: () => true })
    const fn = vi.fn(fail)
    const work = outcome(policies.run('a', status, fn))
    await vi.runAllTimersAsync()
    expect(await work).toBeInstanceOf(CircuitOpenError)
    expect(fn).toHaveBeenCalledTimes(2)
    expect(await value('guts_retries_total{dependency="peer"}')).toBe(1)
  })

  it('is its own: another key is served', async () => {
    const { policies } = start()
    await open(policies, 'a')
    expect(await policies.run('b', status, () => Promise.resolve(1))).toBe(1)
    expect(policies.state('b')).toBe('closed')
  })

  it('starts counting again after a success, and not after an answer', async () => {
    const { policies } = start()
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
    const { policies, value } = start()
    await open(policies, 'a')
    await vi.advanceTimersByTimeAsync(OUTBOUND_LIMITS.openMs - 1)
    await vi.advanceTimersByTimeAsync(1)
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
    const { policies, value } = start()
    await open(policies, 'a')
    await vi.advanceTimersByTimeAsync(OUTBOUND_LIMITS.openMs)
    await outcome(policies.run('a', once, fail))
    expect(policies.state('a')).toBe('open')
    await vi.advanceTimersByTimeAsync(OUTBOUND_LIMITS.openMs - 1)
    expect(await value(to('open'))).toBe(2)
  })

  it('does not stay open because the wall clock was set back', async () => {
    const { policies } = start()
    await open(policies, 'a')
    await vi.advanceTimersByTimeAsync(OUTBOUND_LIMITS.openMs)
    vi.setSystemTime(Date.now() - 3_600_000)
    expect(await policies.run('a', status, () => Promise.resolve(1))).toBe(1)
  })

  it('takes a caller who leaves for neither failure nor success', async () => {
    const { policies, value } = start({ breakerThreshold: 1, isTransient: () => true })
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
    await open(policies, 'a', 1)
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
    const { policies } = start()
    await open(policies, 'a')
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
    const { policies } = start()
    await open(policies, 'a')
    await vi.advanceTimersByTimeAsync(OUTBOUND_LIMITS.openMs)
    for (let probe = 0; probe < OUTBOUND_LIMITS.successThreshold; probe++)
      await outcome(policies.run('a', once, () => Promise.reject(new Error('not found'))))
    expect(policies.state('a')).toBe('closed')
  })

  it('is forgotten with its key, also by the worst state, and by what is still under way', async () => {
    const { policies, value } = start()
    await open(policies, 'a')
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
    const { policies } = start()
    await open(policies, 'old')
    await open(policies, 'older')
    await outcome(policies.run('old', once, fail))
    const succeed = (): Promise<void> => Promise.resolve()
    for (let key = 0; key < OUTBOUND_LIMITS.keysMax - 1; key++) await policies.run(`key ${key}`, once, succeed)
    expect([policies.state('old'), policies.state('older')]).toEqual(['open', 'closed'])
  })
})

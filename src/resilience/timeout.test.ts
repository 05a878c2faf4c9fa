import { afterEach, describe, expect, it, vi } from 'vitest'
import { ProgressTimeout, withDeadline } from './timeout.ts'

afterEach(() => {
  vi.useRealTimers()
})

describe('withDeadline', () => {
  const onLateError = (error: unknown): void => {
    throw error
  }

  it('answers what the work answers, and its error', async () => {
    expect(await withDeadline({ timeoutMs: 1_000, onLateError }, async () => 7)).toBe(7)
    await expect(
      withDeadline({ timeoutMs: 1_000, onLateError }, async () => Promise.reject(new Error('x'))),
    ).rejects.toThrow('x')
  })

  it('ends work that does not listen, and reports what it does late', async () => {
    vi.useFakeTimers()
    const late: unknown[] = []
    const { promise, reject } = Promise.withResolvers<never>()
    let seen: AbortSignal | undefined
    const work = withDeadline({ timeoutMs: 30_000, onLateError: (error) => late.push(error) }, (signal) => {
      seen = signal
      return promise
    })
    const outcome = expect(work).rejects.toMatchObject({
      detail: { code: 'timeout' },
      message: 'This took longer than 30 s',
    })
    vi.advanceTimersByTime(29_999)
    expect(seen?.aborted).toBe(false)
    vi.advanceTimersByTime(1)
    await outcome
    expect(seen?.aborted).toBe(true)
    reject(new Error('disk'))
    await vi.waitFor(() => expect(late).toEqual([new Error('disk')]))
  })

  it('ends with the reason of a signal from outside, also one that was there before', async () => {
    const client = new AbortController()
    const work = withDeadline({ timeoutMs: 1_000, signal: client.signal, onLateError }, () => new Promise(() => {}))
    client.abort(new Error('client left'))
    await expect(work).rejects.toThrow('client left')
    await expect(withDeadline({ timeoutMs: 1, signal: client.signal, onLateError }, async () => 7)).rejects.toThrow(
      'client left',
    )
  })
})

describe('withDeadline, restarted', () => {
  it('gives the whole time once more, fails with what it is told to, and stays over once it is', async () => {
    vi.useFakeTimers()
    const onExpired = vi.fn(() => new Error('too slow'))
    const restarts: (() => void)[] = []
    const options = { timeoutMs: 10, onLateError: () => {}, onExpired }
    const run = (fn: () => Promise<void>): Promise<unknown> =>
      withDeadline(options, (_signal, restart) => {
        restarts.push(restart)
        return fn()
      }).catch((error: unknown) => error)
    const slow = run(() => new Promise(() => {}))
    await vi.advanceTimersByTimeAsync(9)
    restarts[0]?.()
    await vi.advanceTimersByTimeAsync(9)
    expect(onExpired).not.toHaveBeenCalled()
    await vi.advanceTimersByTimeAsync(1)
    expect(await slow).toMatchObject({ message: 'too slow' })
    await run(() => Promise.resolve())
    for (const restart of restarts) restart()
    await vi.advanceTimersByTimeAsync(100)
    expect(onExpired).toHaveBeenCalledTimes(1)
  })
})

describe('ProgressTimeout', () => {
  it('counts from the last progress, and ends once', () => {
    vi.useFakeTimers()
    let expired = 0
    const watchdog = new ProgressTimeout({ timeoutMs: 30_000, onExpired: () => expired++ })
    vi.advanceTimersByTime(29_999)
    watchdog.progress()
    vi.advanceTimersByTime(29_999)
    expect(watchdog.signal.aborted).toBe(false)
    vi.advanceTimersByTime(1)
    expect(watchdog.signal.reason).toMatchObject({ detail: { code: 'timeout' }, message: 'No progress for 30 s' })
    watchdog.progress()
    vi.advanceTimersByTime(60_000)
    expect(expired).toBe(1)
  })

  it('counts again with the first progress after a pause', () => {
    vi.useFakeTimers()
    const watchdog = new ProgressTimeout({ timeoutMs: 10 })
    watchdog.pause()
    vi.advanceTimersByTime(1_000)
    expect(watchdog.signal.aborted).toBe(false)
    watchdog.progress()
    vi.advanceTimersByTime(9)
    expect(watchdog.signal.aborted).toBe(false)
    vi.advanceTimersByTime(1)
    expect(watchdog.signal.aborted).toBe(true)
  })

  it('ends earlier with a signal and its reason, also one that came before, and never expires then', () => {
    vi.useFakeTimers()
    const leaving = new AbortController()
    const options = { timeoutMs: 10, onExpired: () => expect.fail('expired'), signal: leaving.signal }
    const watchdog = new ProgressTimeout(options)
    const over = new ProgressTimeout(options)
    over.stop()
    leaving.abort(new Error('left'))
    expect(watchdog.signal.reason).toEqual(new Error('left'))
    expect(new ProgressTimeout(options).signal.reason).toEqual(new Error('left'))
    expect(over.signal.aborted).toBe(false)
    vi.advanceTimersByTime(1_000)
  })

  it('stays quiet after the end', () => {
    vi.useFakeTimers()
    const watchdog = new ProgressTimeout({ timeoutMs: 10 })
    watchdog.stop()
    watchdog.progress()
    vi.advanceTimersByTime(1_000)
    expect(watchdog.signal.aborted).toBe(false)
  })
  it('ends what it guards with the reason, whoever asks for the signal and when', async () => {
    vi.useFakeTimers()
    const watchdog = new ProgressTimeout({ timeoutMs: 10 })
    const guarded = watchdog.guard(new Promise(() => {}))
    const done = watchdog.guard(Promise.resolve('done'))
    expect(await done).toBe('done')
    vi.advanceTimersByTime(10)
    const reason: unknown = await guarded.catch((error: unknown) => error)
    expect(reason).toMatchObject({ detail: { code: 'timeout' } })
    expect(watchdog.signal.reason).toBe(reason)
    await expect(watchdog.guard(Promise.resolve('late'))).rejects.toBe(reason)
  })
})

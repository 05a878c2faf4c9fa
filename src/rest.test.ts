import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest'
import { collectGarbage } from './collect-garbage.ts'
import { collectAtRest, REST } from './rest.ts'

const BUSY_MS = REST.cpuMsMax
const QUIET_MS = REST.cpuMsMax - 1

describe('collectAtRest', () => {
  let cpuMs = 0
  let collected = 0
  let end: () => void

  beforeEach(() => {
    vi.useFakeTimers()
    cpuMs = 1_000
    collected = 0
    end = collectAtRest(
      () => collected++,
      () => cpuMs,
    )
  })

  afterEach(() => {
    end()
    vi.useRealTimers()
  })

  /** Until the next look. @param workMs of processor time */
  function pass(workMs: number): number {
    cpuMs += workMs
    vi.advanceTimersByTime(REST.lookMs)
    return collected
  }

  it('collects once after work, not during it and not again', () => {
    expect(pass(BUSY_MS)).toBe(0)
    expect(pass(BUSY_MS)).toBe(0)
    expect(pass(QUIET_MS)).toBe(1)
    expect(pass(QUIET_MS)).toBe(1)
    expect(pass(BUSY_MS)).toBe(1)
    expect(pass(QUIET_MS)).toBe(2)
  })

  it('collects what the start has left, where nothing came', () => {
    expect(pass(QUIET_MS)).toBe(1)
  })

  it('does nothing once it was ended', () => {
    end()
    expect(pass(QUIET_MS)).toBe(0)
  })
})

describe('collectGarbage', () => {
  it('frees what nothing refers to', async () => {
    const reference = new WeakRef(Buffer.allocUnsafeSlow(2 ** 20))
    // What a WeakRef was made of or asked for stays until the turn is over.
    await new Promise(setImmediate)
    collectGarbage()
    expect(reference.deref()).toBeUndefined()
  })
})

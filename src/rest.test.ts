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

  function rest(looks: number = REST.looks): number {
    for (let look = 0; look < looks; look++) pass(QUIET_MS)
    return collected
  }

  it('collects once after work, not during it and not again', () => {
    expect(pass(BUSY_MS)).toBe(0)
    expect(rest(REST.looks - 1)).toBe(0)
    expect(rest(1)).toBe(1)
    expect(rest()).toBe(1)
    expect(pass(BUSY_MS)).toBe(1)
    expect(rest()).toBe(2)
  })

  it('does not take a pause for rest', () => {
    for (let pause = 0; pause < 3; pause++) {
      expect(rest(REST.looks - 1)).toBe(0)
      expect(pass(BUSY_MS)).toBe(0)
    }
  })

  it('collects what the start has left, where nothing came', () => {
    expect(rest()).toBe(1)
  })

  it('does nothing once it was ended', () => {
    end()
    expect(rest()).toBe(0)
  })
})

describe('collectGarbage', () => {
  it('gives back what the heap has grown to', () => {
    let kept: object[] = []
    for (let round = 0; round < 200; round++) kept.push(Array.from({ length: 10_000 }, (_, at) => ({ at })))
    const grown = process.memoryUsage().heapTotal
    kept = []
    collectGarbage('last-resort')
    const { heapTotal, heapUsed } = process.memoryUsage()
    expect(heapTotal).toBeLessThan(grown)
    expect(heapTotal).toBeLessThan(1.5 * heapUsed)
    expect(kept).toEqual([])
  })

  it('frees what nothing refers to', async () => {
    const reference = new WeakRef(Buffer.allocUnsafeSlow(2 ** 20))
    // What a WeakRef was made of or asked for stays until the turn is over.
    await new Promise(setImmediate)
    collectGarbage()
    expect(reference.deref()).toBeUndefined()
  })
})

import { describe, expect, it } from 'vitest'
import { constantRow, linearRow } from './growth-rows.ts'
import { quantile } from './measure.ts'
import { goalText, isMet, marginOf, rateRow, timeRow } from './row.ts'

describe('rows', () => {
  it('of rates and times meet their goals up to the very number', () => {
    expect(isMet(rateRow('', [8.5, 10], { atLeast: 0.85 }))).toBe(true)
    expect(isMet(rateRow('', [8.4, 10], { atLeast: 0.85 }))).toBe(false)
    expect(isMet(timeRow('', [80, 100], { atMost: 0.8 }))).toBe(true)
    expect(isMet(timeRow('', [81, 100], { atMost: 0.8 }))).toBe(false)
  })

  it('say how far they are from their goal, in either direction', () => {
    expect(marginOf(rateRow('', [20, 10], { atLeast: 1 }))).toBe(2)
    expect(marginOf(timeRow('', [20, 10], { atMost: 1 }))).toBe(0.5)
    expect(marginOf(rateRow('', [20, 10]))).toBeUndefined()
    expect(marginOf(timeRow('', [-1, 10], { atMost: 1 }))).toBe(100)
    expect([goalText({ atLeast: 2 }), goalText({ atMost: 0.8 }), goalText(undefined)]).toEqual(['≥ 2', '≤ 0.8', ''])
  })

  it('without a goal are never missed', () => {
    expect(isMet(rateRow('', [0, 10]))).toBe(true)
  })
})

describe('growth', () => {
  it('of a constant cost allows a fifth up and down', () => {
    const times = (factor: number) => [[10_000, 400] as const, [500_000, 20_000 * factor] as const]
    expect(isMet(constantRow('push', times(1.49)))).toBe(true)
    expect(isMet(constantRow('push', times(1.51)))).toBe(false)
    expect(isMet(constantRow('push', times(1 / 1.51)))).toBe(false)
    expect(constantRow('push', times(1)).curve?.points).toEqual([
      [10_000, 40],
      [500_000, 40],
    ])
  })

  it('of a linear cost allows a fixed part, and not more than a fifth above', () => {
    const row = (timeMs: number) =>
      isMet(
        linearRow('listing', [
          [1_000, 2],
          [10_000, 10],
          [50_000, timeMs],
        ]),
      )
    expect([row(20), row(50), row(59), row(61)]).toEqual([true, true, true, false])
  })
})

describe('quantile', () => {
  it('is the value below which that part lies', () => {
    const values = Array.from({ length: 100 }, (_, at) => 99 - at)
    expect([quantile(values, 0.5), quantile(values, 0.99), quantile([7], 0.99)]).toEqual([50, 99, 7])
  })
})

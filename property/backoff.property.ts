import { fc } from '@fast-check/vitest'
import { afterEach, expect, vi } from 'vitest'
import { delayMsMax, delaysMsMax, retryBackoff } from '../src/resilience/backoff.ts'
import { prop } from './prop.ts'

afterEach(() => {
  vi.restoreAllMocks()
})

/** What `Math.random` may answer, its ends included. */
const draw = fc.oneof(fc.double({ min: 0, max: 1, maxExcluded: true, noNaN: true }), fc.constantFrom(0, 1 - 2 ** -53))

/** Delays of a call whose attempts all fail, as the retry policy asks for them. */
function delaysMs(draws: readonly number[]): number[] {
  const random = vi.spyOn(Math, 'random')
  let backoff: { readonly duration: number; next(): typeof backoff } | undefined
  return draws.map((drawn) => {
    random.mockReturnValueOnce(drawn)
    backoff = (backoff ?? (retryBackoff() as never as NonNullable<typeof backoff>)).next()
    return backoff?.duration ?? Number.NaN
  })
}

prop([fc.array(draw, { minLength: 1, maxLength: 99 })])(
  'no wait is longer than the last doubled, nor than 5 s, nor shorter than nothing',
  (draws) => {
    for (const [index, delayMs] of delaysMs(draws).entries()) {
      expect(delayMs).toBeGreaterThanOrEqual(0)
      expect(delayMs).toBeLessThanOrEqual(Math.min(5_000, 100 * 2 ** index))
    }
  },
)

prop([fc.array(draw, { maxLength: 99 })])('all waits together fit into what the whole call is given', (draws) => {
  const sumMs = delaysMs(draws).reduce((sum, delayMs) => sum + delayMs, 0)
  expect(sumMs).toBeLessThanOrEqual(delaysMsMax(draws.length + 1))
})

prop([fc.integer({ min: 1, max: 99 })])('the jitter is full: the longest draw comes near the limit', (retry) => {
  const longest = delaysMs(Array.from({ length: retry }, () => 1 - 2 ** -53)).at(-1)
  expect(longest).toBe(delayMsMax(retry) - 1)
})

import { expect, it } from 'vitest'
import { AccessSampler } from './sampling.ts'

const line = { route: '/health/live', status: 200, durationMs: 1 }

it('writes the first and then one in so many of a probe, and says how many it stands for', () => {
  const sampler = new AccessSampler(['/health/live', '/metrics'], { every: 3 })
  expect(Array.from({ length: 7 }, () => sampler.weigh(line))).toEqual([3, 0, 0, 3, 0, 0, 3])
  // Each route is counted for itself: a busy probe must not hide the scrapes.
  expect(sampler.weigh({ ...line, route: '/metrics' })).toBe(3)
})

it.each([
  { name: 'an error', row: { ...line, status: 503 } },
  { name: 'a refusal', row: { ...line, status: 400 } },
  { name: 'a slow answer', row: { ...line, durationMs: 1_000 } },
  { name: 'another route', row: { ...line, route: '/api/repos' } },
])('always writes $name', ({ row }) => {
  const sampler = new AccessSampler(['/health/live'], { every: 1_000, slowMs: 1_000 })
  sampler.weigh(line)
  expect(Array.from({ length: 10 }, () => sampler.weigh(row))).toEqual(Array.from({ length: 10 }, () => 1))
})

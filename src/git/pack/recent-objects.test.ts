import { expect, it } from 'vitest'
import { Random } from '../../../integration/support/random.ts'
import { RecentObjects } from './recent-objects.ts'

it('gives back what it says it has, and never anything else, while the ring goes round', () => {
  const random = new Random(20_261_128)
  const recent = new RecentObjects(Number.POSITIVE_INFINITY, 2 ** 20)
  const added: Buffer[] = []
  let found = 0
  for (let entry = 0; entry < 300; entry++) {
    const bytes = Buffer.alloc(random.below(400_000), `object ${entry} `)
    const asked = random.below(Math.max(1, entry))
    const has = recent.has(asked, bytes.length)
    bytes.copy(recent.add(entry, bytes.length))
    added.push(bytes)
    if (!has) continue
    found++
    expect(recent.get(asked).equals(added[asked] as Buffer), `entry ${asked} at ${entry}, seed ${random.seed}`).toBe(
      true,
    )
  }
  expect(found).toBeGreaterThan(10)
  expect(found).toBeLessThan(150)
})

it('has room for a byte more, and for nothing as well', () => {
  const recent = new RecentObjects(Number.POSITIVE_INFINITY, 2 ** 20)
  expect(recent.add(1, 0)).toHaveLength(1)
  expect(recent.add(2, 7)).toHaveLength(8)
  expect([recent.get(1).length, recent.get(2).length]).toEqual([0, 7])
})

it('knows an entry no more whose place another one took', () => {
  const recent = new RecentObjects(Number.POSITIVE_INFINITY, 2 ** 20)
  recent.add(5, 1)
  expect([recent.has(5, 1), recent.has(6, 1)]).toEqual([true, false])
  recent.add(5 + 2 ** 16, 1)
  expect([recent.has(5, 1), recent.has(5 + 2 ** 16, 1)]).toEqual([false, true])
})

it('takes no object that would be nearly all it has', () => {
  const largest = new RecentObjects(Number.POSITIVE_INFINITY, 2 ** 20)
  expect([largest.takes(2 ** 19 - 1), largest.takes(2 ** 19)]).toEqual([true, false])
  const smallest = new RecentObjects(100, 1)
  expect([smallest.takes(2 ** 13 - 1), smallest.takes(2 ** 13)]).toEqual([true, false])
})

import { expect, it } from 'vitest'
import { BitRanks } from './bit-ranks.ts'
import { BitSet } from './bit-set.ts'

it.each([
  { name: 'both ends of words', members: [0, 1, 30, 31, 32, 33, 62, 63, 64, 95, 96, 127] },
  { name: 'a full word between empty ones', members: Array.from({ length: 32 }, (_, at) => 64 + at) },
  { name: 'few, far apart', members: [5, 1_000, 99_999] },
])('numbers $name from 0 on', ({ members }) => {
  const set = new BitSet(100_000)
  for (const member of members) set.add(member)
  const ranks = new BitRanks(set)
  expect(members.map((member) => ranks.of(member))).toEqual(members.map((_, at) => at))
})

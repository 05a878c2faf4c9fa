/** Sets of bits, and how bitmaps write them. */
import assert from 'node:assert/strict'
import { fc } from '@fast-check/vitest'
import { numbersOf } from '../fuzz/oracles/numbers-of.ts'
import { BitSet } from '../src/git/bitmap/bit-set.ts'
import { BitmapError } from '../src/git/bitmap/error.ts'
import { decodeEwah, encodeEwah, ewahEnd } from '../src/git/bitmap/ewah.ts'
import { bytes } from './arbitraries.ts'
import { prop } from './prop.ts'

/** Runs of either bit, and words between them. */
const runs = fc.array(fc.record({ bit: fc.boolean(), bits: fc.oneof(fc.nat(3), fc.nat(70), fc.nat(1_000)) }), {
  maxLength: 12,
})

function setOf(all: readonly { readonly bit: boolean; readonly bits: number }[]): { set: BitSet; size: number } {
  const set = new BitSet(0)
  let size = 0
  for (const { bit, bits } of all) for (const end = size + bits; size < end; size++) if (bit) set.add(size)
  return { set, size }
}

prop([runs, bytes(4), bytes(9)])('a bit set is read as it was written', (all, before, after) => {
  const { set, size } = setOf(all)
  const coded = encodeEwah(set)
  const within = Buffer.concat([before, coded, after])
  assert.equal(ewahEnd(within, before.length), before.length + coded.length)
  assert.deepEqual(numbersOf(decodeEwah(within, before.length, size)), numbersOf(set))
  // It says how large it is; who knows better is not led astray.
  const last = numbersOf(set).at(-1)
  if (last !== undefined) assert.throws(() => decodeEwah(coded, 0, last), BitmapError)
})

/** Of any bytes hardly any are a bit set, none of 1,000: mostly it is one in which bytes were changed. */
const nearlySet = fc.oneof(
  bytes(60),
  fc.tuple(runs, fc.array(fc.tuple(fc.nat(), fc.nat(255)), { maxLength: 2 })).map(([all, changes]) => {
    const coded = Buffer.from(encodeEwah(setOf(all).set))
    for (const [at, byte] of changes) coded[at % coded.length] = byte
    return coded
  }),
)

prop([nearlySet, fc.nat(9_000)])(
  'any bytes are a bit set of no more bits than there are objects, or none',
  (input, size) => {
    try {
      assert.ok(numbersOf(decodeEwah(input, 0, size)).every((number) => number < size))
    } catch (error) {
      assert.ok(error instanceof BitmapError)
    }
  },
)

prop([fc.uniqueArray(fc.nat(300)), fc.uniqueArray(fc.nat(300)), fc.nat(320)])(
  'bit sets are sets',
  (some, others, size) => {
    const a = new Set(some)
    const b = new Set(others)
    const make = (numbers: Iterable<number>): BitSet => {
      const set = new BitSet(0)
      for (const number of numbers) set.add(number)
      return set
    }
    const sorted = (numbers: Iterable<number>): number[] => [...numbers].sort((x, y) => x - y)
    const after = (change: (set: BitSet) => void): number[] => {
      const set = make(a).copy()
      change(set)
      assert.equal(set.count(), numbersOf(set).length)
      return numbersOf(set)
    }
    assert.deepEqual(
      after((set) => set.addAll(make(b))),
      sorted(new Set([...a, ...b])),
    )
    assert.deepEqual(
      after((set) => set.removeAll(make(b))),
      sorted(some.filter((number) => !b.has(number))),
    )
    assert.deepEqual(
      after((set) => set.flipAll(make(b))),
      sorted([...some, ...others].filter((number) => a.has(number) !== b.has(number))),
    )
    assert.deepEqual(
      after((set) => set.truncate(size)),
      sorted(some.filter((number) => number < size)),
    )
    assert.deepEqual(
      after((set) => set.remove(size)),
      sorted(some.filter((number) => number !== size)),
    )
    assert.equal(make(a).next(size), sorted(some).find((number) => number >= size) ?? -1)
  },
)

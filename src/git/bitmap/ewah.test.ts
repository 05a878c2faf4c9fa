import { describe, expect, it } from 'vitest'
import { BitSet } from './bit-set.ts'
import { decodeEwah, encodeEwah, ewahEnd } from './ewah.ts'

interface Run {
  readonly of?: 0 | 1
  readonly words?: number
  /** As they are in the file: the second half of each word is first. */
  readonly literals?: readonly (readonly [high: number, low: number])[]
  /** Instead of how many there are. */
  readonly literalsSaid?: number
}

/** A serialized bit set, by gitformat-bitmap, Appendix A. */
function ewah(runs: readonly Run[]): Buffer {
  const words = runs.flatMap(({ of = 0, words: count = 0, literals = [], literalsSaid = literals.length }) => [
    (BigInt(literalsSaid) << 33n) | (BigInt(count) << 1n) | BigInt(of),
    ...literals.map(([high, low]) => (BigInt(high) << 32n) | BigInt(low)),
  ])
  const bytes = Buffer.alloc(8 + words.length * 8 + 4)
  bytes.writeUInt32BE(words.length, 4)
  for (const [at, word] of words.entries()) bytes.writeBigUInt64BE(word, 8 + at * 8)
  return bytes
}

function numbersIn(bits: BitSet): number[] {
  return Array.from({ length: bits.words.length * 32 }, (_, number) => number).filter((number) => bits.has(number))
}

const range = (from: number, to: number): number[] => Array.from({ length: to - from }, (_, at) => from + at)
const read = (bytes: Buffer, sizeMax: number): number[] => numbersIn(decodeEwah(bytes, 0, sizeMax))

describe('decodeEwah', () => {
  it.each([
    { name: 'no run', runs: [], sizeMax: 64, numbers: [] },
    { name: 'an empty run', runs: [{}], sizeMax: 64, numbers: [] },
    { name: 'a run of ones', runs: [{ of: 1, words: 2 }], sizeMax: 128, numbers: range(0, 128) },
    {
      name: 'a run of zeros, then ones',
      runs: [{ words: 1 }, { of: 1, words: 1 }],
      sizeMax: 128,
      numbers: range(64, 128),
    },
    { name: 'the lowest bit of a literal word', runs: [{ literals: [[0, 1]] }], sizeMax: 64, numbers: [0] },
    { name: 'the highest bit of a literal word', runs: [{ literals: [[0x8000_0000, 0]] }], sizeMax: 64, numbers: [63] },
    {
      name: 'a run and the literal words after it, and another such pair',
      runs: [
        {
          of: 1,
          words: 1,
          literals: [
            [1, 2],
            [4, 8],
          ],
        },
        { words: 1, literals: [[0, 16]] },
      ],
      sizeMax: 320,
      numbers: [...range(0, 64), 65, 96, 131, 162, 260],
    },
    {
      name: 'numbers up to the largest, in a word that has room for more',
      runs: [{ literals: [[0, 0x1f]] }],
      sizeMax: 5,
      numbers: range(0, 5),
    },
  ] as const)('reads $name', ({ runs, sizeMax, numbers }) => {
    expect(read(ewah(runs), sizeMax)).toEqual(numbers)
  })

  it.each([
    { name: 'a number that is one too large', runs: [{ literals: [[0, 0x20]] }], sizeMax: 5 },
    {
      name: 'a number that is one too large in the second half of a word',
      runs: [{ literals: [[2, 0]] }],
      sizeMax: 33,
    },
    {
      name: 'the largest number of a word that has room for it',
      runs: [{ literals: [[0x8000_0000, 0]] }],
      sizeMax: 63,
    },
    { name: 'a run of ones longer than all numbers', runs: [{ of: 1, words: 2 }], sizeMax: 64 },
    { name: 'a run of zeros longer than all numbers', runs: [{ words: 2 }], sizeMax: 64 },
    { name: 'the longest run there is', runs: [{ of: 1, words: 2 ** 32 - 1 }], sizeMax: 64 },
    { name: 'a run whose length has its highest bit alone', runs: [{ of: 1, words: 2 ** 31 }], sizeMax: 64 },
    { name: 'a literal word beyond all numbers', runs: [{ of: 1, words: 1, literals: [[0, 1]] }], sizeMax: 64 },
  ] as const)('refuses $name', ({ runs, sizeMax }) => {
    expect(() => read(ewah(runs), sizeMax)).toThrow('a bit set has more bits than objects')
  })

  it.each([
    { name: 'one literal word more than there is', runs: [{ literals: [[0, 1]], literalsSaid: 2 }] },
    { name: 'the most literal words that can be said', runs: [{ literalsSaid: 2 ** 31 - 1 }] },
  ] as const)('refuses $name', ({ runs }) => {
    expect(() => read(ewah(runs), 2 ** 20)).toThrow('a run of a bit set goes beyond its end')
  })
})

describe('ewahEnd', () => {
  it('is behind the place of the last run, which each bit set ends with', () => {
    const bytes = ewah([{ of: 1, words: 2 }])
    expect(ewahEnd(bytes, 0)).toBe(bytes.length)
    expect(ewahEnd(Buffer.concat([Buffer.alloc(5), bytes, Buffer.alloc(9)]), 5)).toBe(5 + bytes.length)
  })

  it.each([0, 7, 8, 19])('refuses a bit set of which only %i bytes are there', (limit) => {
    const bytes = ewah([{}])
    expect(bytes).toHaveLength(20)
    expect(() => ewahEnd(bytes.subarray(0, limit), 0)).toThrow('it ends within a bit set')
    expect(() => ewahEnd(bytes, 0, limit)).toThrow('it ends within a bit set')
  })

  it('is at the limit, where nothing follows', () => {
    expect(ewahEnd(ewah([]), 0, 12)).toBe(12)
  })
})

describe('encodeEwah', () => {
  const all = (numbers: readonly number[]): BitSet => {
    const bits = new BitSet(0)
    for (const number of numbers) bits.add(number)
    return bits
  }

  it.each([
    { name: 'nothing', numbers: [], runs: [{}], words: 0, lastRun: 0 },
    { name: 'a number', numbers: [3], runs: [{ literals: [[0, 8]] }], words: 1, lastRun: 0 },
    { name: 'full words as a run', numbers: range(0, 128), runs: [{ of: 1, words: 2 }], words: 2, lastRun: 0 },
    {
      name: 'a word that is half full as it is',
      numbers: range(0, 32),
      runs: [{ literals: [[0, 0xffff_ffff]] }],
      words: 1,
      lastRun: 0,
    },
    {
      name: 'two halves that are alike, and neither empty nor full, as they are',
      numbers: [1, 33],
      runs: [{ literals: [[2, 2]] }],
      words: 1,
      lastRun: 0,
    },
    { name: 'empty words as a run', numbers: [128], runs: [{ words: 2, literals: [[0, 1]] }], words: 3, lastRun: 0 },
    {
      name: 'a run of the other bit as another one',
      numbers: [...range(64, 128), 129],
      runs: [{ words: 1 }, { of: 1, words: 1, literals: [[0, 2]] }],
      words: 3,
      lastRun: 1,
    },
    {
      name: 'a run after literal words as another one',
      numbers: [0, 65, ...range(128, 256), 300],
      runs: [
        {
          literals: [
            [0, 1],
            [0, 2],
          ],
        },
        { of: 1, words: 2, literals: [[0x1000, 0]] },
      ],
      words: 5,
      lastRun: 3,
    },
  ] as const)('writes $name', ({ numbers, runs, words, lastRun }) => {
    const expected = ewah(runs)
    expected.writeUInt32BE(words * 64, 0)
    expected.writeUInt32BE(lastRun, expected.length - 4)
    expect(encodeEwah(all(numbers)).toString('hex')).toBe(expected.toString('hex'))
    expect(read(expected, 320)).toEqual(numbers)
  })
})

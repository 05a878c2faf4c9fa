import assert from 'node:assert/strict'
import { BitmapError } from '../../src/git/bitmap/error.ts'
import { decodeEwah, encodeEwah, ewahEnd } from '../../src/git/bitmap/ewah.ts'
import { Cursor } from '../grammar/cursor.ts'
import { withinBudget } from '../oracles/allocation-meter.ts'
import { unlessRefused } from '../oracles/expected.ts'
import { readEwah } from '../oracles/naive-ewah.ts'
import { numbersOf } from '../oracles/numbers-of.ts'
import type { NamedBytes } from '../seeds/material.ts'
import type { FuzzTarget } from '../target.ts'

const SIZE_MAX = 4_096
/** The set's words, and what encoding it asks for at most. */
const ALLOCATION_BYTES_MAX = 4 * SIZE_MAX

export const target = {
  reads: 'compressed bit sets, as bitmap files hold them',
  drives: {
    'src/git/bitmap/ewah.ts': ['decodeEwah', 'encodeEwah', 'ewahEnd', 'hasBitsFrom', 'kindOf', 'pairsOf'],
    'src/git/bitmap/bit-set.ts': ['forEach'],
  },
  inputBytesMax: 1_024,
  words: ['\0\0\0\x40\0\0\0\x02', '\0\0\0\x02\0\0\0\0', '\0\0\0\0\0\0\0\x03', '\0\0\0\x03\0\0\0\x05'],
  makesObjects: false,
  goalPerS: 3_000,
  planted: {
    'literals-beyond-end': {
      why: 'words that a run only declares are read from whatever lies behind the bit set',
      file: 'src/git/bitmap/ewah.ts',
      from: "    if (position + literalWords * 4 > end) throw bitmapInvalid('a run of a bit set goes beyond its end')\n",
      to: '',
    },
  },
  seeds: ({ bitmaps }) => Object.fromEntries(bitmaps.flatMap(seedsOf)),
} satisfies FuzzTarget

/**
 * Two bytes that say how many bits there may be, then a bit set and whatever follows it.
 *
 * Oracle: refused with a BitmapError where a second reader finds none, else the same numbers, within the budget of memory;
 * written anew it is no longer than before, and is read as the same.
 */
export function fuzz(data: Buffer): void {
  const input = new Cursor(data)
  const size = ((input.byte() << 8) | input.byte()) % SIZE_MAX
  const bytes = input.rest()
  const set = unlessRefused([BitmapError], () => withinBudget(ALLOCATION_BYTES_MAX, () => decodeEwah(bytes, 0, size)))
  const expected = readEwah(bytes, 0, size)
  assert.deepEqual(set && numbersOf(set), expected?.numbers)
  if (set === undefined || expected === undefined) return
  assert.equal(ewahEnd(bytes, 0), expected.end)
  const written = encodeEwah(set)
  assert(written.length <= Math.max(expected.end, 20), 'written anew it is longer')
  assert.equal(ewahEnd(written, 0), written.length)
  assert.deepEqual(numbersOf(decodeEwah(written, 0, size)), expected.numbers)
}

/** The four of a bitmap file that lie behind its header, of as many bits as it may have and of one that cuts a word. */
function seedsOf({ name, bytes }: NamedBytes): [string, Buffer][] {
  const seeds: [string, Buffer][] = []
  for (let at = 32; seeds.length < 8;) {
    const end = ewahEnd(bytes, at)
    const set = bytes.subarray(at, end)
    for (const size of ['\0\x28', '\0\x40'])
      seeds.push([`${name}, ${seeds.length}`, Buffer.concat([Buffer.from(size), set])])
    at = end
  }
  return seeds
}

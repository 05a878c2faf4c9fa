import assert from 'node:assert/strict'
import { CborError, decodeCbor, encodeCbor } from '../../src/validation/cbor.ts'
import { MESSAGE_NAMES, MESSAGES } from '../grammar/messages.ts'
import { withinBudget } from '../oracles/allocation-meter.ts'
import { unlessRefused } from '../oracles/expected.ts'
import { readCbor } from '../oracles/naive-cbor.ts'
import { hexSeeds } from '../seeds/texts.ts'
import type { FuzzTarget } from '../target.ts'

const BYTES_MAX = 1_024
/** As many levels as a message may nest. */
const DEPTH_MAX = 8

export const target = {
  reads: 'values as nodes write them to each other',
  drives: { 'src/validation/cbor.ts': ['decodeCbor', 'encodeCbor', 'next'] },
  inputBytesMax: 1_100,
  words: [
    '\x9a\xff\xff\xff\xff',
    '\xbb\0\0\0\x01',
    '\x5a\xff\xff',
    '\xf6',
    '\xfb\x7f\xf0',
    '\x1b\0\x1f',
    '\x69__proto__',
  ],
  makesObjects: true,
  goalPerS: 3_000,
  planted: {
    'nests-deeper': {
      why: 'cborg reads what is nested by recursion, so a message of brackets overflows the stack',
      file: 'src/validation/cbor.ts',
      from: 'if (this.#open.length > DEPTH_MAX) {',
      to: 'if (this.#open.length > 2 * DEPTH_MAX) {',
    },
  },
  seeds: () => ({
    ...Object.fromEntries(MESSAGE_NAMES.map((name) => [name, Buffer.from(MESSAGES[name])])),
    ...hexSeeds('', {
      'eight levels': '8181818181818180',
      'a fraction': 'f93e00',
      'a fraction in more bytes than it needs': 'fb3ff8000000000000',
      'a fraction of four bytes': 'fa3f800001',
      'a fraction of eight bytes': 'fb3ff199999999999a',
      'a whole number as a fraction': 'fb3ff0000000000000',
      'a number in two bytes that one would hold': '1817',
      'keys in another order': 'a2616201616101',
      'a key twice': 'a2616101616102',
      'a tag': 'c11a514b67b0',
      'an array without a length': '9f01ff',
      'the largest whole number': '1b001fffffffffffff',
      'a key of every object': 'a1695f5f70726f746f5f5f01',
    }),
  }),
} satisfies FuzzTarget

/**
 * Oracle: refused with a CborError where a second reader finds no value in its one spelling, else that value and, written
 * again, the same bytes; within a budget of memory, whatever the bytes declare.
 */
export function fuzz(data: Buffer): void {
  const budgetBytes = 65_536 + 16 * data.length
  const value = unlessRefused([CborError], () =>
    withinBudget(budgetBytes, () => ({ read: decodeCbor(data, BYTES_MAX) })),
  )
  const expected = data.length > BYTES_MAX ? undefined : readCbor(data, 0, DEPTH_MAX)
  const isWhole = expected?.end === data.length
  assert.equal(value !== undefined, isWhole)
  if (value === undefined) return
  assert.deepEqual(value.read, expected?.value)
  assert(Buffer.from(encodeCbor(value.read)).equals(data))
}

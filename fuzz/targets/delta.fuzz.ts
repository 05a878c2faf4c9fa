import assert from 'node:assert/strict'
import { applyDelta, decodeDeltaSizes } from '../../src/git/delta.ts'
import { PackError } from '../../src/git/pack/error.ts'
import { rawDelta } from '../../integration/support/pack-maker.ts'
import { Cursor } from '../grammar/cursor.ts'
import { applyNaively, readInstructions } from '../grammar/naive-delta.ts'
import { withinBudget } from '../oracles/allocation-meter.ts'
import { unlessRefused } from '../oracles/expected.ts'
import type { FuzzTarget } from '../target.ts'
import { hexSeeds } from '../seeds/texts.ts'

const RESULT_BYTES_MAX = 2 ** 18
/** Every base is the beginning of this one, which has no two pieces of eight bytes that are the same. */
const LONGEST_BASE = Buffer.from(Uint32Array.from({ length: 2 ** 15 }, (_, at) => Math.imul(at + 1, 0x9e3779b1)).buffer)

export const target = {
  reads: 'deltas',
  drives: { 'src/git/delta.ts': ['applyDelta', 'decodeDeltaSizes', 'checkProducible', 'sizeAt', 'invalid'] },
  inputBytesMax: 1_024,
  words: [
    '\x90\x10',
    '\xff\0\0\0\0\0\0\0',
    '\x80',
    '\xb0\xff\xff',
    '\x81\x80\x80\x04',
    '\xff\xff\xff\xff\xff\xff\xff\x0f',
  ],
  makesObjects: false,
  goalPerS: 3_000,
  planted: {
    'copy-past-its-end': {
      why: 'a copy whose offset or size is cut off is done with zeros in their place',
      file: 'src/git/delta.ts',
      from: "    if (position > delta.length) throw invalid('a copy runs past its end')\n",
      to: '',
    },
  },
  // A mode, two bytes of the base's length, and instructions (0) or a whole delta (1).
  seeds: () => ({
    ...hexSeeds('\0', {
      'an insertion': '001003616263',
      'a copy of all': '00109010',
      'a copy of 64 KiB': 'ffff80',
      'copies and insertions': '0100 9110 20 0178 b30001 0001'.replaceAll(' ', ''),
    }),
    ...hexSeeds('\x01', {
      'a copy with its sizes': '001010109010',
      'a size of two bytes': '00 80 8001 8001 b08000'.replaceAll(' ', ''),
      'an instruction that is reserved': '001010030003',
      'a size that never ends': '0010ffffffffffffffffffff',
    }),
  }),
} satisfies FuzzTarget

/**
 * The first byte says whether the delta is whole (bit 0) or instructions behind sizes that fit; two bytes say how long the
 * base is.
 *
 * Oracle: refused with a PackError, within the budget of memory, where a second reader makes nothing of it, and else what
 * that one makes, in memory of its own or in room that it is given.
 */
export function fuzz(data: Buffer): void {
  const input = new Cursor(data)
  const mode = input.byte()
  const base = LONGEST_BASE.subarray(0, (input.byte() << 8) | input.byte())
  const content = input.rest()
  const delta = (mode & 1) === 1 ? content : withSizes(content, base)
  const result = unlessRefused([PackError], () =>
    withinBudget(RESULT_BYTES_MAX, () => applyDelta(base, delta, RESULT_BYTES_MAX)),
  )
  const expected = applyNaively(delta, base, RESULT_BYTES_MAX)
  assert.equal(result === undefined, expected === undefined)
  if (result === undefined || expected === undefined) return
  assert(result.equals(expected), 'two readers make different objects')
  assert.equal(decodeDeltaSizes(delta).resultBytes, result.length)
  const room = Buffer.alloc(result.length + 8, 0xee)
  assert(applyDelta(base, delta, RESULT_BYTES_MAX, room).equals(expected))
  assert.equal(room.toString('hex', result.length), 'ee'.repeat(8), 'written beyond its room')
}

function withSizes(instructions: Buffer, base: Buffer): Buffer {
  const { claimedBytes } = readInstructions(instructions, base, RESULT_BYTES_MAX)
  return rawDelta(base.length, claimedBytes, [...instructions])
}

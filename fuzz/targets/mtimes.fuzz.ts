import assert from 'node:assert/strict'
import { PackError } from '../../src/git/pack/error.ts'
import { decodeMtimes, encodeMtimes } from '../../src/git/pack/mtimes-file.ts'
import { withChecksum } from '../../integration/support/pack-maker.ts'
import { Cursor } from '../grammar/cursor.ts'
import { withinBudget } from '../oracles/allocation-meter.ts'
import { unlessRefused } from '../oracles/expected.ts'
import type { NamedBytes } from '../seeds/material.ts'
import type { FuzzTarget } from '../target.ts'

const HEADER_BYTES = 12
const TRAILER_BYTES = 40
/** So many objects a pack has, whatever its file of times is like, in a quarter of all inputs. */
const OBJECTS_OF_ANOTHER = 3

export const target = {
  reads: 'times of the objects of packs that nothing reaches',
  drives: { 'src/git/pack/mtimes-file.ts': ['decodeMtimes', 'encodeMtimes', 'checksumOf', 'invalid'] },
  inputBytesMax: 512,
  words: ['MTME\0\0\0\x01\0\0\0\x01', '\0\0\0\x02'],
  makesObjects: false,
  goalPerS: 3_000,
  planted: {
    'checksum-unchecked': {
      why: 'a file of times that the disk has damaged decides what is pruned',
      file: 'src/git/pack/mtimes-file.ts',
      from: "  if (!bytes.subarray(-CHECKSUM_BYTES).equals(checksumOf(bytes))) throw invalid('it does not match its checksum')\n",
      to: '',
    },
  },
  seeds: ({ mtimes }) => Object.fromEntries(mtimes.flatMap(seedsOf)),
} satisfies FuzzTarget

/**
 * The first byte says whether the checksum is put right (bit 0), whether the pack has as many objects as the file has times
 * (bits 1 and 2: not where both are set), and whether the file is of that pack (bit 3: it is not).
 *
 * Oracle: refused with a PackError, or the very bytes when written again, within the budget of memory.
 */
export function fuzz(data: Buffer): void {
  const input = new Cursor(data)
  const mode = input.byte()
  const bytes = (mode & 1) === 0 ? input.rest() : withChecksum(input.rest())
  const times = Math.max(0, Math.floor((bytes.length - HEADER_BYTES - TRAILER_BYTES) / 4))
  const objects = (mode & 6) === 6 ? OBJECTS_OF_ANOTHER : times
  const named = bytes.subarray(-TRAILER_BYTES, -20)
  const checksum = (mode & 8) === 0 ? named : Buffer.from(named.map((byte) => byte ^ 1))
  const budgetBytes = 8 * bytes.length + 4_096
  const decoded = unlessRefused([PackError], () =>
    withinBudget(budgetBytes, () => decodeMtimes(bytes, { objects, checksum })),
  )
  if (decoded === undefined) return
  assert.equal(decoded.length, objects)
  assert(encodeMtimes(decoded, checksum).equals(bytes), 'written again they are others')
}

function seedsOf({ name, bytes }: NamedBytes): [string, Buffer][] {
  return [
    [name, Buffer.concat([Buffer.from('@'), bytes])],
    [`${name}, its checksum put right`, Buffer.concat([Buffer.from('A'), bytes.subarray(0, -20)])],
    [`${name}, of another pack`, Buffer.concat([Buffer.from('H'), bytes])],
  ]
}

import assert from 'node:assert/strict'
import type { BitSet } from '../../src/git/bitmap/bit-set.ts'
import { BitmapFile, BitmapWriter } from '../../src/git/bitmap/bitmap-file.ts'
import { BitmapError } from '../../src/git/bitmap/error.ts'
import { Cursor } from '../grammar/cursor.ts'
import { withChecksum } from '../../integration/support/pack-maker.ts'
import { unlessRefused } from '../oracles/expected.ts'
import { type NaiveBitmap, readBitmap } from '../oracles/naive-bitmap.ts'
import { numbersOf } from '../oracles/numbers-of.ts'
import type { NamedBytes } from '../seeds/material.ts'
import type { FuzzTarget } from '../target.ts'

const OBJECTS_MAX = 64
const CHECKSUM_AT = 12

export const target = {
  reads: 'reachability bitmaps of packs',
  drives: {
    'src/git/bitmap/bitmap-file.ts': ['BitmapFile', 'reachedFrom', 'unfold', 'add', 'finish'],
    'src/git/bitmap/ewah.ts': ['decodeEwah', 'encodeEwah', 'ewahEnd'],
    'src/git/bitmap/bit-set.ts': ['flipAll', 'copy', 'forEach'],
  },
  inputBytesMax: 2_048,
  words: ['BITM\0\x01\0\x01', 'BITM\0\x01\0\x05', '\0\0\0\x40\0\0\0\x02', '\0\0\0\0\x01\0', '\0\0\0\x02\0\0\0\0'],
  makesObjects: false,
  goalPerS: 3_000,
  planted: {
    'difference-to-none': {
      why: 'a commit whose bits are the difference to those of a commit before the first is looked up at -1',
      file: 'src/git/bitmap/bitmap-file.ts',
      from: 'if (back > entry || back > BACK_MAX)',
      to: 'if (back > BACK_MAX)',
    },
  },
  seeds: ({ bitmaps }) => Object.fromEntries(bitmaps.flatMap(seedsOf)),
} satisfies FuzzTarget

/**
 * The first byte says whether the file's checksum is put right (bit 0), and with the rest of it how many objects the pack
 * has; the pack is always the one that the file is of.
 *
 * Oracle: refused with a BitmapError, or what a second reader finds, and written anew the same.
 */
export function fuzz(data: Buffer): void {
  const input = new Cursor(data)
  const mode = input.byte()
  const bytes = (mode & 1) === 0 ? input.rest() : withChecksum(input.rest())
  const pack = { objects: (mode >> 1) % OBJECTS_MAX, checksum: bytes.subarray(CHECKSUM_AT, CHECKSUM_AT + 20) }
  const file = unlessRefused([BitmapError], () => new BitmapFile(bytes, pack))
  if (file === undefined) return
  const another = { ...pack, checksum: Buffer.from(pack.checksum.map((byte) => byte ^ 1)) }
  assert.throws(() => new BitmapFile(bytes, another), BitmapError, 'it is of another pack')
  const expected = readBitmap(bytes, pack.objects)
  // A bit set is read when it is asked for, and a file may hold a damaged one for long.
  const types = unlessRefused([BitmapError], () => file.types)
  if (expected === undefined || types === undefined) return checkDamaged(file, pack.objects)
  const { commits, trees, blobs, tags } = types
  assert.deepEqual([commits, trees, blobs, tags].map(numbersOf), expected.types)
  assert.equal(file.commits, expected.reached.size)
  for (let rank = 0; rank < pack.objects; rank++) {
    const reached: BitSet | undefined = file.reachedFrom(rank)
    assert.deepEqual(reached && numbersOf(reached), expected.reached.get(rank))
  }
  checkWritten(file, pack, expected)
}

/** Whatever it holds: an answer, or an error of its own. */
function checkDamaged(file: BitmapFile, objects: number): void {
  for (let rank = 0; rank < objects; rank++) unlessRefused([BitmapError], () => file.reachedFrom(rank))
}

function checkWritten(file: BitmapFile, pack: { objects: number; checksum: Buffer }, { reached }: NaiveBitmap): void {
  const writer = new BitmapWriter(pack, file.types)
  for (const rank of reached.keys()) {
    const bits = file.reachedFrom(rank)
    if (bits !== undefined) writer.add(rank, bits)
  }
  for (let rank = 0; rank < pack.objects; rank++)
    assert.equal(writer.reachedFrom(rank) !== undefined, reached.has(rank))
  const again = new BitmapFile(writer.finish(), pack)
  assert.equal(again.commits, reached.size)
  for (const [rank, numbers] of reached) {
    for (const bits of [again.reachedFrom(rank), writer.reachedFrom(rank)]) {
      assert.deepEqual(bits && numbersOf(bits), numbers)
    }
  }
}

/** Of the most objects that the first byte can say, which is more than the packs have that they are of. */
function seedsOf({ name, bytes }: NamedBytes): [string, Buffer][] {
  return [
    [name, Buffer.concat([Buffer.of(2 * (OBJECTS_MAX - 1)), bytes])],
    [`${name}, its checksum put right`, Buffer.concat([Buffer.of(2 * OBJECTS_MAX - 1), bytes.subarray(0, -20)])],
  ]
}

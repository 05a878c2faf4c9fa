import assert from 'node:assert/strict'
import { PackError } from '../../src/git/pack/error.ts'
import {
  decodeEntryHeader,
  decodePackHeader,
  encodeBaseDistance,
  encodeEntryHeader,
  encodePackHeader,
  ENTRY_TYPE,
  PACK_HEADER_BYTES,
} from '../../src/git/pack/header.ts'
import { Cursor } from '../grammar/cursor.ts'
import { unlessRefused } from '../oracles/expected.ts'
import { hexSeeds } from '../seeds/texts.ts'
import type { FuzzTarget } from '../target.ts'

const OBJECTS_MAX = 1_000
/** As many bytes as a size or a distance below 2^53 can take. */
const NUMBER_BYTES_MAX = 8

export const target = {
  reads: 'headers of packs and of their entries',
  drives: {
    'src/git/pack/header.ts': [
      'decodePackHeader',
      'decodeEntryHeader',
      'encodePackHeader',
      'encodeEntryHeader',
      'writeEntryHeader',
      'encodeBaseDistance',
      'writeBaseDistance',
    ],
  },
  inputBytesMax: 64,
  words: ['PACK\0\0\0\x02', '\xff\xff\xff\xff\xff\xff\xff\x7f', '\xe1\x80\x7f', '\x80\x80\x80\x80\x80\x80\x80\x01'],
  makesObjects: false,
  goalPerS: 20_000,
  planted: {
    'distance-without-carry': {
      why: 'each byte of a distance but the last stands for one more than it says; else a delta gets another base',
      file: 'src/git/pack/header.ts',
      from: 'baseDistance = (baseDistance + 1) * 128 + (byte & 0x7f)',
      to: 'baseDistance = (baseDistance + (position - start > 3 ? 0 : 1)) * 128 + (byte & 0x7f)',
    },
  },
  // How many bytes stand before the entry, then those, the entry, and whatever follows it.
  seeds: () =>
    hexSeeds('\0', {
      'a pack': '5041434b0000000200000003',
      'a pack of another version': '5041434b0000000300000003',
      'a pack of too many objects': '5041434b00000002ffffffff',
      'a commit': '9f0a789c',
      'a large blob': 'bfffff7f789c',
      'a delta by a distance': 'e10280017f789c',
      'a delta by a name': 'f102'.concat('ab'.repeat(20)),
      'a delta whose name is cut off': 'f102'.concat('ab'.repeat(19)),
      'a type that there is not': '50',
      'a size of ten bytes': 'bfffffffffffffffffff01',
      'a distance of ten bytes': '60ffffffffffffffffffff01',
      'a size that ends early': 'bfff',
    }),
} satisfies FuzzTarget

/**
 * The first byte says what stands before the entry (its lower three bits: so many bytes).
 *
 * Oracle: refused with a PackError where a second reader finds no header (gitformat-pack), and else what that one finds;
 * written again it is read as the same.
 */
export function fuzz(data: Buffer): void {
  const input = new Cursor(data)
  const at = input.byte() & 7
  const bytes = input.rest()
  checkPackHeader(bytes)
  const header = unlessRefused([PackError], () => decodeEntryHeader(bytes, at, at))
  const expected = readHeader(bytes, at)
  assert.deepEqual(header, expected)
  if (header === undefined) return
  const { type, sizeBytes, baseDistance, baseOidAt, headerBytes } = header
  const name = type === ENTRY_TYPE.refDelta ? bytes.subarray(at + baseOidAt, at + headerBytes) : Buffer.alloc(0)
  const distance = type === ENTRY_TYPE.ofsDelta ? encodeBaseDistance(baseDistance) : Buffer.alloc(0)
  const written = Buffer.concat([encodeEntryHeader(type, sizeBytes), distance, name])
  // A size may have bytes that say nothing; a distance has one spelling.
  assert(written.length <= headerBytes)
  const again = decodeEntryHeader(written, 0, 0)
  assert.deepEqual([again.type, again.sizeBytes, again.baseDistance], [type, sizeBytes, baseDistance])
}

function checkPackHeader(bytes: Buffer): void {
  const objects = unlessRefused([PackError], () => decodePackHeader(bytes, OBJECTS_MAX))
  const [, count = ''] = /^5041434b00000002(.{8})/.exec(bytes.toString('hex')) ?? []
  const declared = count === '' ? Number.POSITIVE_INFINITY : Number(`0x${count}`)
  assert.equal(objects, declared <= OBJECTS_MAX ? declared : undefined)
  if (objects !== undefined) assert(encodePackHeader(objects).equals(bytes.subarray(0, PACK_HEADER_BYTES)))
}

/** In whole numbers of any size. */
function readHeader(bytes: Buffer, start: number): ReturnType<typeof decodeEntryHeader> | undefined {
  const first = bytes[start]
  if (first === undefined) return undefined
  const type = (first >> 4) & 7
  let at = start + 1
  /** All bytes up to the first that does not say that more follow, without that bit. */
  const take = (bytesMax: number): bigint[] | undefined => {
    const groups: bigint[] = []
    for (;;) {
      const byte = bytes[at++]
      if (byte === undefined || groups.length >= bytesMax) return undefined
      groups.push(BigInt(byte & 127))
      if (byte < 128) return groups
    }
  }
  const groups = first < 128 ? [] : take(NUMBER_BYTES_MAX - 1)
  if (groups === undefined || type === 0 || type === 5) return undefined
  const size = groups.reduceRight((sum, group) => sum * 128n + group, 0n) * 16n + BigInt(first & 15)
  let distance = 0n
  let baseOidAt = 0
  if (type === ENTRY_TYPE.ofsDelta) {
    const [head, ...rest] = take(NUMBER_BYTES_MAX) ?? []
    if (head === undefined) return undefined
    distance = rest.reduce((sum, group) => (sum + 1n) * 128n + group, head)
  } else if (type === ENTRY_TYPE.refDelta) {
    baseOidAt = at - start
    at += 20
    if (at > bytes.length) return undefined
  }
  if (size >= 2n ** 53n || distance >= 2n ** 53n) return undefined
  const [sizeBytes, baseDistance] = [Number(size), Number(distance)]
  return { type, sizeBytes, headerBytes: at - start, baseDistance, baseOidAt }
}

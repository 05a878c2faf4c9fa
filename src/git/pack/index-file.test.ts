import { createHash } from 'node:crypto'
import { describe, expect, it } from 'vitest'
import { encodePackIndex, PackIndex } from './index-file.ts'
import { decodeMtimes, encodeMtimes } from './mtimes-file.ts'

const CHECKSUM = Buffer.alloc(20, 7)
const sha1 = (bytes: Buffer): Buffer => createHash('sha1').update(bytes).digest()

interface Object {
  readonly oid: Buffer
  readonly crc: number
  readonly offset: number
}

function encode(objects: readonly Object[]): Buffer {
  const oids = Buffer.concat([Buffer.alloc(20, 0xee), ...objects.map(({ oid }) => oid)])
  return encodePackIndex(
    {
      count: objects.length,
      oids,
      // The table of names holds one that is no object's.
      names: Int32Array.from(objects, (_, at) => at + 1),
      crcs: Uint32Array.from(objects, ({ crc }) => crc),
      offsets: Float64Array.from(objects, ({ offset }) => offset),
    },
    CHECKSUM,
  ).bytes
}

/** By gitformat-pack, as plainly as it is written there. */
function naive(objects: readonly Object[]): Buffer {
  const sorted = objects.toSorted((a, b) => a.oid.compare(b.oid))
  const words = (numbers: readonly number[]): Buffer => {
    const bytes = Buffer.alloc(numbers.length * 4)
    for (const [at, number] of numbers.entries()) bytes.writeUInt32BE(number, at * 4)
    return bytes
  }
  const fanout = Array.from({ length: 256 }, (_, byte) => sorted.filter(({ oid }) => (oid[0] as number) <= byte).length)
  const long = sorted.filter(({ offset }) => offset >= 2 ** 31)
  const longBytes = Buffer.alloc(long.length * 8)
  for (const [at, { offset }] of long.entries()) longBytes.writeBigUInt64BE(BigInt(offset), at * 8)
  const content = Buffer.concat([
    words([0xff744f63, 2, ...fanout]),
    ...sorted.map(({ oid }) => oid),
    words(sorted.map(({ crc }) => crc)),
    words(sorted.map((object) => (object.offset < 2 ** 31 ? object.offset : 2 ** 31 + long.indexOf(object)))),
    longBytes,
    CHECKSUM,
  ])
  return Buffer.concat([content, sha1(content)])
}

const many = (count: number, oidOf: (at: number) => Buffer): Object[] =>
  Array.from({ length: count }, (_, at) => ({ oid: oidOf(at), crc: (at * 2_654_435_761) >>> 0, offset: 12 + at * 100 }))
const hashed = (at: number): Buffer => sha1(Buffer.from(String(at)))
/** Names that differ late only, as those have them who would make sorting slow. */
const alike = (at: number): Buffer => {
  const oid = Buffer.alloc(20, 5)
  oid.writeUInt32BE((at * 2_654_435_761) >>> 0, 16)
  return oid
}

describe('an index of', () => {
  it.each([
    { name: 'nothing', objects: [] },
    { name: 'one object', objects: many(1, hashed) },
    { name: 'names of the first and the last bytes', objects: many(2, (at) => Buffer.alloc(20, at * 0xff)) },
    { name: 'hundreds of objects', objects: many(500, hashed) },
    { name: 'as many objects as are sorted by two bytes', objects: many(4_096, hashed) },
    { name: 'one object less', objects: many(4_095, hashed) },
    { name: 'as many names that begin alike as are moved', objects: many(64, alike) },
    { name: 'names that begin alike, which are sorted', objects: many(300, alike) },
    { name: 'many such names', objects: many(5_000, alike) },
    {
      name: 'offsets on both sides of two gigabytes',
      objects: many(60, hashed).map((object, at) => ({ ...object, offset: 2 ** 31 - 30 + at })),
    },
    {
      name: 'offsets of 64 bits',
      objects: many(20, hashed).map((object, at) => ({ ...object, offset: at % 3 === 0 ? at : 2 ** 40 + at })),
    },
  ])('$name is written as git describes it, and read', ({ objects }) => {
    const bytes = encode(objects)
    expect(bytes.equals(naive(objects))).toBe(true)
    const index = new PackIndex(bytes)
    expect(index.count).toBe(objects.length)
    expect(index.bytes).toBe(bytes.length)
    expect(index.packChecksum.equals(CHECKSUM)).toBe(true)
    const sorted = objects.toSorted((a, b) => a.oid.compare(b.oid))
    for (const [rank, { oid, offset }] of sorted.entries()) {
      expect(index.rankOf(oid)).toBe(rank)
      expect(index.rankOf(Buffer.concat([Buffer.of(1), oid]), 1)).toBe(rank)
      expect(index.offsetOf(rank)).toBe(offset)
      expect(index.oidAt(rank)).toBe(oid.toString('hex'))
      const target = Buffer.alloc(22)
      index.copyOid(rank, target, 1)
      expect(target.subarray(1, 21).equals(oid)).toBe(true)
    }
    expect(index.rankOf(Buffer.alloc(20, 9))).toBe(-1)
  })

  it('one name twice is refused, wherever in the pack the two lie', () => {
    const objects = many(100, hashed)
    const twice = [...objects, { oid: hashed(17), crc: 0, offset: 5 }]
    expect(() => encode(twice)).toThrow(`The pack holds object ${hashed(17).toString('hex')} twice`)
  })

  it('names its pack by the checksum of it', () => {
    const nothing = {
      count: 0,
      oids: Buffer.alloc(0),
      names: new Int32Array(),
      crcs: new Uint32Array(),
      offsets: new Float64Array(),
    }
    expect(encodePackIndex(nothing, CHECKSUM).packName).toBe('07'.repeat(20))
  })
})

it('times are written as git describes them, and read', () => {
  const times = Uint32Array.of(0, 1_700_000_000, 2 ** 32 - 1)
  const content = Buffer.concat([
    Buffer.from('MTME\0\0\0\x01\0\0\0\x01', 'latin1'),
    Buffer.from('000000006553f100ffffffff', 'hex'),
    CHECKSUM,
  ])
  const bytes = Buffer.concat([content, sha1(content)])
  expect(encodeMtimes(times, CHECKSUM).equals(bytes)).toBe(true)
  expect(decodeMtimes(bytes, { objects: 3, checksum: CHECKSUM })).toEqual(times)
  expect(decodeMtimes(encodeMtimes(new Uint32Array(), CHECKSUM), { objects: 0, checksum: CHECKSUM })).toHaveLength(0)
})

import { createHash } from 'node:crypto'
import { describe, expect, it } from 'vitest'
import { BitSet } from './bit-set.ts'
import { BitmapFile, BitmapWriter } from './bitmap-file.ts'
import { encodeEwah, ewahEnd } from './ewah.ts'

const OBJECTS = 40
const PACK = { objects: OBJECTS, checksum: Buffer.alloc(20, 7) }

function setOf(...numbers: number[]): BitSet {
  const bits = new BitSet(OBJECTS)
  for (const number of numbers) bits.add(number)
  return bits
}

function numbersIn(bits: BitSet | undefined): number[] | undefined {
  if (bits === undefined) return undefined
  const numbers: number[] = []
  bits.forEach((number) => numbers.push(number))
  return numbers
}

interface Entry {
  readonly rank: number
  readonly back?: number
  readonly bits: BitSet
}

const TYPES = { commits: setOf(0, 1, 2), trees: setOf(3, 4), blobs: setOf(5, 6, 7), tags: setOf(8) }

/** A bitmap file by gitformat-bitmap, with its checksum, unless something is to be another. */
function bitmapFile(entries: readonly Entry[], change: (header: Buffer) => void = () => undefined): Buffer {
  const header = Buffer.alloc(32)
  header.write('BITM', 'latin1')
  header.writeUInt16BE(1, 4)
  header.writeUInt16BE(1, 6)
  header.writeUInt32BE(entries.length, 8)
  PACK.checksum.copy(header, 12)
  change(header)
  const parts = entries.flatMap(({ rank, back = 0, bits }) => {
    const head = Buffer.alloc(6)
    head.writeUInt32BE(rank)
    head[4] = back
    return [head, encodeEwah(bits)]
  })
  return sealed(Buffer.concat([header, ...Object.values(TYPES).map((bits) => encodeEwah(bits)), ...parts]))
}

/** @returns the 6 bytes before each entry's bits */
function entryHeaders(bytes: Buffer): Buffer[] {
  let at = 32
  for (let type = 0; type < 4; type++) at = ewahEnd(bytes, at)
  return Array.from({ length: bytes.readUInt32BE(8) }, () => {
    const header = bytes.subarray(at, at + 6)
    at = ewahEnd(bytes, at + 6)
    return header
  })
}

const refused = (reason: string): unknown =>
  expect.objectContaining({
    name: 'BitmapError',
    detail: { code: 'bitmap_invalid', reason },
    message: `A bitmap file is invalid: ${reason}`,
  })

function sealed(content: Buffer): Buffer {
  return Buffer.concat([content, createHash('sha1').update(content).digest()])
}

const ENTRIES: readonly Entry[] = [
  { rank: 39, bits: setOf(0, 1, 5) },
  { rank: 0, back: 1, bits: setOf(1, 2) },
  { rank: 7, back: 2, bits: setOf(39) },
  { rank: 8, back: 2, bits: setOf(0, 3) },
]

describe('BitmapFile', () => {
  it('reads what each commit reaches, also where that is told as the difference to another, and that again', () => {
    const file = new BitmapFile(bitmapFile(ENTRIES), PACK)
    expect(file.commits).toBe(4)
    expect([39, 0, 7, 8].map((rank) => numbersIn(file.reachedFrom(rank)))).toEqual([
      [0, 1, 5],
      [0, 2, 5],
      [0, 1, 5, 39],
      [2, 3, 5],
    ])
    expect(file.reachedFrom(1)).toBeUndefined()
  })

  it('reads which objects are of which type', () => {
    const { commits, trees, blobs, tags } = new BitmapFile(bitmapFile([]), PACK).types
    expect([commits, trees, blobs, tags].map((bits) => numbersIn(bits))).toEqual(
      Object.values(TYPES).map((bits) => numbersIn(bits)),
    )
  })

  it("gives bits that are the caller's to change", () => {
    const file = new BitmapFile(bitmapFile(ENTRIES), PACK)
    file.reachedFrom(39)?.add(20)
    expect(numbersIn(file.reachedFrom(39))).toEqual([0, 1, 5])
  })

  it('reads a file that knows of more flags, and of flags of entries', () => {
    const bytes = bitmapFile(ENTRIES, (header) => header.writeUInt16BE(0x5, 6))
    expect(new BitmapFile(bytes, PACK).commits).toBe(4)
  })

  it.each([
    { name: 'other first letters', change: (header: Buffer) => header.write('BITN'), reason: 'it is not of version 1' },
    {
      name: 'another version',
      change: (header: Buffer) => header.writeUInt16BE(2, 4),
      reason: 'it is not of version 1',
    },
    {
      name: 'commits that reach more',
      change: (header: Buffer) => header.writeUInt16BE(4, 6),
      reason: 'its commits may reach what it does not know',
    },
    {
      name: 'the checksum of another pack',
      change: (header: Buffer) => (header[31] = 8),
      reason: 'it is of another pack',
    },
    {
      name: 'another pack, told by the first byte',
      change: (header: Buffer) => (header[12] = 8),
      reason: 'it is of another pack',
    },
    {
      name: 'more commits than there are',
      change: (header: Buffer) => header.writeUInt32BE(5, 8),
      reason: 'it has fewer commits than it says',
    },
  ])('refuses $name', ({ change, reason }) => {
    const bytes = bitmapFile(ENTRIES, (header) => void change(header))
    expect(() => new BitmapFile(bytes, PACK)).toThrow(refused(reason))
  })

  it.each([
    {
      name: 'a commit that is not in the pack',
      entry: { rank: OBJECTS, bits: setOf(0) },
      reason: 'a commit is not in the pack',
    },
    {
      name: 'a difference to an entry before the first',
      entry: { rank: 1, back: 5, bits: setOf(0) },
      reason: 'a commit is the difference to none',
    },
  ])('refuses $name', ({ entry, reason }) => {
    expect(() => new BitmapFile(bitmapFile([...ENTRIES, entry]), PACK)).toThrow(refused(reason))
  })

  it('reads a difference to the 160th entry before, and refuses one to the 161st, as git does', () => {
    const many = Array.from({ length: 161 }, (_, rank) => ({ rank, bits: setOf(rank % OBJECTS) }))
    const pack = { ...PACK, objects: 200 }
    const read = (back: number): BitmapFile =>
      new BitmapFile(bitmapFile([...many, { rank: 199, back, bits: setOf(39) }]), pack)
    expect(numbersIn(read(160).reachedFrom(199))).toEqual([1, 39])
    expect(() => read(161)).toThrow('a commit is the difference to none')
  })

  it('refuses a file that is cut short within its last entry', () => {
    const content = bitmapFile(ENTRIES).subarray(0, -20)
    for (const bytes of [1, 12, 20]) {
      const cut = sealed(content.subarray(0, content.length - bytes))
      expect(() => new BitmapFile(cut, PACK)).toThrow('it ends within a bit set')
    }
  })

  it('refuses other bytes than its checksum is of', () => {
    const bytes = bitmapFile(ENTRIES)
    bytes[bytes.length - 1]! ^= 1
    expect(() => new BitmapFile(bytes, PACK)).toThrow('it does not match its checksum')
  })

  it.each([0, 51])('refuses %i bytes', (length) => {
    expect(() => new BitmapFile(Buffer.alloc(length), PACK)).toThrow('it is too short')
  })

  it('looks into the shortest file there may be', () => {
    expect(() => new BitmapFile(Buffer.alloc(52), PACK)).toThrow('it is not of version 1')
  })

  it('refuses bits of objects that the pack does not have', () => {
    const file = new BitmapFile(bitmapFile([{ rank: 0, bits: setOf(OBJECTS) }]), PACK)
    expect(() => file.reachedFrom(0)).toThrow('a bit set has more bits than objects')
  })
})

describe('BitmapWriter', () => {
  it('writes what a reader of gitformat-bitmap reads', () => {
    const writer = new BitmapWriter(PACK, TYPES)
    expect(writer.finish().equals(bitmapFile([]))).toBe(true)
    writer.add(39, setOf(0, 1, 5))
    expect(writer.finish().equals(bitmapFile(ENTRIES.slice(0, 1)))).toBe(true)
  })

  it('tells differences where these take less room, in chains that end', () => {
    // Every second object, and one that changes: alone, they do not become a run, and their difference does.
    const pack = { ...PACK, objects: 4_000 }
    const reached = (last: number): BitSet => {
      const bits = new BitSet(pack.objects)
      for (let number = 0; number < 2_000; number += 2) bits.add(number)
      bits.add(2_001 + last)
      return bits
    }
    const writer = new BitmapWriter(pack, TYPES)
    const commits = 40
    for (let rank = 0; rank < commits; rank++) writer.add(rank, reached(rank))
    expect(writer.reachedFrom(commits)).toBeUndefined()
    const file = new BitmapFile(writer.finish(), pack)
    expect(file.commits).toBe(commits)
    for (let rank = 0; rank < commits; rank++) {
      expect(numbersIn(file.reachedFrom(rank))).toEqual(numbersIn(reached(rank)))
      expect(numbersIn(writer.reachedFrom(rank))).toEqual(numbersIn(reached(rank)))
    }
    const wholeOnes = entryHeaders(writer.finish()).flatMap((header, entry) => (header[4] === 0 ? [entry] : []))
    expect(wholeOnes).toEqual([0, 17, 34])
  })
})

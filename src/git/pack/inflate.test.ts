import { crc32, deflateSync } from 'node:zlib'
import { describe, expect, it } from 'vitest'
import { inflatePieces } from './inflate-pieces.ts'
import { inflateAt } from './inflate.ts'
import { PackWindow } from './source.ts'
import { detail, memory } from './testing.ts'

const inflate = (bytes: Buffer, sizeBytes: number, windowBytes = 64, position = 0) =>
  inflateAt(new PackWindow(memory(bytes), bytes.length, windowBytes), position, sizeBytes, 7)

/** Blocks of no bytes: as long a stream as anybody likes that inflates to nothing. */
const nothing = (blocks: number): Buffer =>
  Buffer.concat([
    Buffer.from('7801', 'hex'),
    Buffer.from('000000ffff'.repeat(blocks), 'hex'),
    Buffer.from('010000ffff00000001', 'hex'),
  ])

describe('inflateAt', () => {
  it.each([10, 5_000, 17 * 2 ** 20])('refuses what is left of %i bytes whose file became shorter', (size) => {
    const stream = deflateSync(Buffer.alloc(size, 'shorter'), { level: 0 })
    for (const left of [0, 1, stream.length - 1]) {
      const window = new PackWindow({ ...memory(stream.subarray(0, left)), bytes: stream.length }, stream.length, 64)
      expect(() => inflateAt(window, 0, size, 7)).toThrow(detail('entry_inflate_failed'))
    }
  })

  it.each([
    { name: 'nothing', data: Buffer.alloc(0) },
    { name: 'text', data: Buffer.from('text '.repeat(40)) },
    {
      name: 'bytes that do not compress',
      data: Buffer.from(Array.from({ length: 5_000 }, (_, at) => (at * at * 31) >> 3)),
    },
    { name: 'a megabyte of one byte', data: Buffer.alloc(2 ** 20, 'x') },
    { name: 'more than is allocated at once', data: Buffer.alloc(17 * 2 ** 20, 'xyz') },
  ])('makes $name, and says where the stream ended', ({ data }) => {
    for (const level of [0, 9]) {
      const stream = deflateSync(data, { level })
      const bytes = Buffer.concat([Buffer.from('before'), stream, Buffer.from('after')])
      const made = inflate(bytes, data.length, 64, 6)
      expect(made.consumedBytes).toBe(stream.length)
      expect(made.data.equals(data)).toBe(true)
    }
  })

  it('reads on where a stream is longer than any that zlib would make', () => {
    const long = nothing(20_000)
    expect(inflate(long, 0)).toEqual({ data: Buffer.alloc(0), consumedBytes: long.length })
  })

  const text = deflateSync('text '.repeat(40))
  it.each([
    { name: 'fewer bytes than declared', bytes: text, sizeBytes: 201, code: 'entry_size_mismatch' },
    { name: 'more bytes than declared', bytes: text, sizeBytes: 199, code: 'entry_size_mismatch' },
    { name: 'bytes where none are declared', bytes: text, sizeBytes: 0, code: 'entry_size_mismatch' },
    { name: 'more than so few bytes can hold', bytes: text, sizeBytes: 2 ** 52, code: 'entry_size_mismatch' },
    { name: 'a bomb', bytes: deflateSync(Buffer.alloc(2 ** 24)), sizeBytes: 10, code: 'entry_size_mismatch' },
    { name: 'a stream cut short', bytes: text.subarray(0, -1), sizeBytes: 200, code: 'entry_inflate_failed' },
    { name: 'no stream', bytes: Buffer.from('no zlib stream'), sizeBytes: 5, code: 'entry_inflate_failed' },
    { name: 'a megabyte of empty blocks', bytes: nothing(250_000), sizeBytes: 0, code: 'entry_inflate_failed' },
    { name: 'no bytes', bytes: Buffer.alloc(0), sizeBytes: 0, code: 'entry_inflate_failed' },
    {
      name: 'a wrong checksum',
      bytes: Buffer.concat([text.subarray(0, -1), Buffer.of((text.at(-1) ?? 0) ^ 1)]),
      sizeBytes: 200,
      code: 'entry_inflate_failed',
    },
    {
      name: 'a dictionary of its own',
      bytes: Buffer.from('78bb00000000', 'hex'),
      sizeBytes: 1,
      code: 'entry_inflate_failed',
    },
  ])('refuses $name', ({ bytes, sizeBytes, code }) => {
    expect(() => inflate(bytes, sizeBytes)).toThrow(detail(code))
  })
})

/** A view of a stream, which says how much it was asked for, and where. */
function watched(bytes: Buffer, given = Number.POSITIVE_INFINITY) {
  const asked: [position: number, atLeast: number][] = []
  const view = (position: number, atLeast: number): Buffer => {
    asked.push([position, atLeast])
    return bytes.subarray(position, Math.min(bytes.length, position + Math.min(atLeast, given)))
  }
  return { window: { end: bytes.length, view }, asked }
}

describe('of the compressed bytes', () => {
  it('as many are looked at as zlib may have made of so many', () => {
    const bytes = Buffer.concat([deflateSync(Buffer.alloc(10_000, 'ab')), Buffer.alloc(30_000)])
    const { window, asked } = watched(bytes)
    inflateAt(window, 0, 10_000, 7)
    expect(asked).toEqual([[0, 10_000 + 19 + 64]])
  })

  it('no more are looked at than are there', () => {
    const stream = deflateSync('text')
    const { window, asked } = watched(Buffer.concat([Buffer.from('before'), stream]))
    inflateAt(window, 6, 4, 7)
    expect(asked).toEqual([[6, stream.length]])
  })

  it('four times as many are looked at where those were too few, up to twice what they make and a megabyte', () => {
    const long = Buffer.concat([nothing(100_000), Buffer.alloc(2 ** 20)])
    const { window, asked } = watched(long)
    inflateAt(window, 0, 0, 7)
    expect(asked.map(([, atLeast]) => atLeast)).toEqual([64, 256, 1_024, 4_096, 16_384, 65_536, 262_144, 1_048_576])
    const endless = watched(nothing(400_000))
    expect(() => inflateAt(endless.window, 0, 10, 7)).toThrow(detail('entry_inflate_failed'))
    expect(endless.asked.at(-1)).toEqual([0, 2 ** 20 + 20])
  })

  it('of 16 megabytes and more 64 kilobytes are looked at in one step', () => {
    const large = Buffer.alloc(2 ** 24, 'large')
    for (const [size, isLarge] of [
      [2 ** 24 - 1, false],
      [2 ** 24, true],
    ] as const) {
      const stream = deflateSync(large.subarray(0, size))
      const { window, asked } = watched(stream)
      expect(inflateAt(window, 0, size, 7).data.equals(large.subarray(0, size))).toBe(true)
      expect(asked.length > 0 && asked.every(([, atLeast]) => atLeast === 65_536)).toBe(isLarge)
    }
  })

  it('what zlib says of them is the cause of what the pusher reads', () => {
    const text = deflateSync('text')
    text[text.length - 1]! ^= 1
    const thrown = expect.objectContaining({ cause: expect.objectContaining({ code: 'Z_DATA_ERROR' }) })
    expect(() => inflate(text, 4)).toThrow(thrown)
  })

  it('those that cannot be read end as their source says', () => {
    const view = (): Buffer => {
      throw new TypeError('the disk is gone')
    }
    expect(() => inflateAt({ end: 100, view }, 0, 4, 7)).toThrow(TypeError)
  })
})

it('puts the bytes where there is room for them, and one more', () => {
  const room = Buffer.alloc(10, 'r')
  const bytes = deflateSync('text')
  const { data } = inflateAt(new PackWindow(memory(bytes), bytes.length), 0, 4, 7, room)
  expect(data.buffer).toBe(room.buffer)
  expect(room.toString()).toMatch(/^text.r{5}$/s)
})

describe('inflatePieces', () => {
  const pieces = (bytes: Buffer, sizeBytes: number) => {
    const lengths: number[] = []
    const { window, asked } = watched(bytes)
    const made = inflatePieces(window, 0, sizeBytes, 7, (piece) => lengths.push(piece.length), 5)
    return { ...made, lengths, asked }
  }

  it('makes pieces of 256 kilobytes, and none that is empty', () => {
    const data = Buffer.from(Array.from({ length: 600_000 }, (_, at) => (at * at * 31) >> 7))
    const stream = deflateSync(data, { level: 0 })
    const { lengths, consumedBytes, crc, asked } = pieces(Buffer.concat([stream, Buffer.from('after')]), data.length)
    expect(lengths.every((length) => length > 0 && length <= 262_144)).toBe(true)
    expect(lengths.reduce((sum, length) => sum + length, 0)).toBe(data.length)
    expect([consumedBytes, crc]).toEqual([stream.length, crc32(stream, 5)])
    expect(asked.every(([, atLeast]) => atLeast === 65_536)).toBe(true)
    expect(pieces(deflateSync(''), 0).lengths).toEqual([])
    expect(pieces(nothing(50_000), 0).lengths).toEqual([])
  })

  it('reads a stream that ends just behind the length at which it makes no sense any more', () => {
    // Two bytes, five for each block, and nine: with one block less it were a megabyte.
    const blocks = (2 ** 20 - 11) / 5 + 1
    const longest = nothing(blocks)
    expect(longest.length).toBeGreaterThan(2 ** 20)
    // Something follows: else it takes one more look to know that it is the end.
    const followed = Buffer.concat([longest, Buffer.alloc(20)])
    expect(pieces(followed, 0).consumedBytes).toBe(longest.length)
    expect(() => pieces(nothing(blocks + 2 ** 14), 0)).toThrow(detail('entry_inflate_failed'))
  })

  it.each([
    { name: 'fewer bytes than declared', sizeBytes: 5, code: 'entry_size_mismatch' },
    { name: 'more bytes than declared', sizeBytes: 3, code: 'entry_size_mismatch' },
  ])('refuses $name', ({ sizeBytes, code }) => {
    expect(() => pieces(deflateSync('text'), sizeBytes)).toThrow(detail(code))
  })
})

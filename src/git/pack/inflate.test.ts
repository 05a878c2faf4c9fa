import { deflateSync } from 'node:zlib'
import { describe, expect, it } from 'vitest'
import { inflateAt } from './inflate.ts'
import { type ByteSource, PackWindow } from './source.ts'

const memory = (bytes: Buffer, pieceBytes = 2 ** 20): ByteSource => ({
  bytes: bytes.length,
  read: (target, position) => bytes.copy(target, 0, position, position + Math.min(target.length, pieceBytes)),
})
const inflate = (bytes: Buffer, sizeBytes: number, windowBytes = 64, position = 0) =>
  inflateAt(new PackWindow(memory(bytes), bytes.length, windowBytes), position, sizeBytes, 7)
const detail = (code: string): unknown => expect.objectContaining({ detail: expect.objectContaining({ code }) })

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

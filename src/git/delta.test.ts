import { describe, expect, it } from 'vitest'
import { delta, rawDelta, varint } from '../../integration/support/pack-maker.ts'
import { applyDelta, decodeDeltaSizes } from './delta.ts'

const BASE = Buffer.from('0123456789abcdef')
const apply = (bytes: Buffer, resultBytesMax = 1_000_000): string => applyDelta(BASE, bytes, resultBytesMax).toString()

describe('applyDelta', () => {
  it.each([
    { name: 'an insertion', bytes: rawDelta(16, 3, [3, 0x61, 0x62, 0x63]), result: 'abc' },
    { name: 'the longest insertion', bytes: delta(16, 'x'.repeat(127)), result: 'x'.repeat(127) },
    { name: 'a copy of the beginning', bytes: rawDelta(16, 4, [0x90, 4]), result: '0123' },
    { name: 'a copy of the end', bytes: rawDelta(16, 4, [0x91, 12, 4]), result: 'cdef' },
    { name: 'copies in any order', bytes: rawDelta(16, 4, [0x91, 14, 2, 0x90, 2]), result: 'ef01' },
    {
      name: 'an offset and a size in bytes that are not the lowest',
      bytes: rawDelta(16, 16, [0xa2, 0, 0, 0x90, 16]),
      error: 'a copy reaches',
    },
  ])('makes $name', ({ bytes, result, error }) => {
    if (error === undefined) expect(apply(bytes)).toBe(result)
    else expect(() => apply(bytes)).toThrow(error)
  })

  it('makes nothing, where the sizes alone are as many bytes as C git wants', () => {
    expect(applyDelta(Buffer.alloc(16_384), rawDelta(16_384, 0, []), 10)).toHaveLength(0)
  })

  it('copies 65,536 bytes where it is said to copy none', () => {
    const base = Buffer.alloc(70_000, 'ab')
    expect(applyDelta(base, rawDelta(70_000, 65_536, [0x80]), 1_000_000).equals(base.subarray(0, 65_536))).toBe(true)
  })

  it('reads offsets and sizes of all their bytes', () => {
    const base = Buffer.from(Array.from({ length: 2 ** 18 }, (_, at) => (at * 7 + (at >> 8)) & 0xff))
    const [offset, size] = [0x2_0304, 0x1_0203]
    const result = applyDelta(
      base,
      rawDelta(base.length, size, [0xff, 0x04, 0x03, 0x02, 0x00, 0x03, 0x02, 0x01]),
      2 ** 20,
    )
    expect(result.equals(base.subarray(offset, offset + size))).toBe(true)
  })

  it.each([
    { name: 'another base', bytes: rawDelta(15, 0, []), reason: 'made for a base of 15' },
    { name: 'the instruction that is reserved', bytes: rawDelta(16, 1, [0]), reason: 'instruction 0' },
    { name: 'an insertion cut short', bytes: rawDelta(16, 3, [3, 0x61]), reason: 'insertion runs past' },
    { name: 'a copy cut short in its offset', bytes: rawDelta(16, 3, [0x91]), reason: 'copy runs past' },
    { name: 'a copy cut short in its size', bytes: rawDelta(16, 3, [0x91, 1]), reason: 'copy runs past' },
    { name: 'a copy beyond the base by one byte', bytes: rawDelta(16, 4, [0x91, 13, 4]), reason: 'beyond the base' },
    { name: 'a copy from beyond 4 GB', bytes: rawDelta(16, 1, [0x98, 0xff, 1]), reason: 'beyond the base' },
    {
      name: 'an insertion of more than it declares',
      bytes: rawDelta(16, 1, [2, 1, 1]),
      reason: 'more than it declares',
    },
    { name: 'a copy of more than it declares', bytes: rawDelta(16, 1, [0x90, 2]), reason: 'more than it declares' },
    { name: 'less than it declares', bytes: rawDelta(16, 3, [0x90, 2]), reason: 'declares 3 bytes and makes 2' },
    { name: 'more than its instructions can make', bytes: rawDelta(16, 2 ** 40, [0x90, 1]), reason: 'cannot make' },
    { name: 'nothing, in fewer bytes than C git takes', bytes: rawDelta(16, 0, []), reason: 'shorter than 4 bytes' },
    { name: 'no bytes', bytes: Buffer.alloc(0), reason: 'ends inside its sizes' },
    { name: 'one size only', bytes: varint(16), reason: 'ends inside its sizes' },
    { name: 'a size that goes on', bytes: Buffer.alloc(9, 0xff), reason: 'size is impossible' },
    {
      name: 'a size beyond exact numbers',
      bytes: Buffer.from('ffffffffffffff7f', 'hex'),
      reason: 'size is impossible',
    },
  ])('refuses $name', ({ bytes, reason }) => {
    const detail = expect.objectContaining({ code: 'delta_invalid' })
    expect(() => apply(bytes, Number.MAX_SAFE_INTEGER)).toThrow(
      expect.objectContaining({ detail, message: expect.stringContaining(reason) }),
    )
  })

  it('makes an object of the limit, and none of one byte more', () => {
    expect(apply(rawDelta(16, 4, [0x90, 4]), 4)).toBe('0123')
    const detail = { code: 'object_over_limit', declaredBytes: 4, limitBytes: 3 }
    const message = 'An object of 4 bytes; the limit (max_object_size) is 3 bytes'
    expect(() => apply(rawDelta(16, 4, [0x90, 4]), 3)).toThrow(expect.objectContaining({ detail, message }))
  })

  it.each([0, 127, 128, 2 ** 31, 2 ** 32, 2 ** 49 - 1, Number.MAX_SAFE_INTEGER])('reads a size of %d', (size) => {
    const bytes = Buffer.concat([varint(size), varint(size), Buffer.of(0x90)])
    expect(decodeDeltaSizes(bytes)).toEqual({ baseBytes: size, resultBytes: size, at: bytes.length - 1 })
  })
})

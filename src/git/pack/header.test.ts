import { describe, expect, it } from 'vitest'
import {
  decodeEntryHeader,
  decodePackHeader,
  encodeBaseDistance,
  encodeEntryHeader,
  encodePackHeader,
} from './header.ts'

const detail = (code: string): unknown => expect.objectContaining({ detail: expect.objectContaining({ code }) })
const entry = (hex: string) => decodeEntryHeader(Buffer.from(hex, 'hex'), 0, 99)

describe('the header of a pack', () => {
  it('declares a number of objects up to the limit, which is not believed', () => {
    expect(decodePackHeader(encodePackHeader(7), 7)).toBe(7)
    expect(decodePackHeader(encodePackHeader(2 ** 32 - 1), 2 ** 32)).toBe(2 ** 32 - 1)
    expect(() => decodePackHeader(encodePackHeader(8), 7)).toThrow(
      expect.objectContaining({ detail: { code: 'pack_objects_over_limit', declaredObjects: 8, limitObjects: 7 } }),
    )
  })

  it('is read where it lies in a larger buffer', () => {
    const bytes = Buffer.concat([Buffer.alloc(5, 0xff), encodePackHeader(3)])
    expect(decodePackHeader(bytes.subarray(5), 10)).toBe(3)
  })

  it.each([
    { name: 'eleven bytes', hex: '5041434b00000002000000', code: 'pack_truncated' },
    { name: 'nothing', hex: '', code: 'pack_truncated' },
    { name: 'another signature', hex: '5041434a0000000200000000', code: 'pack_signature_invalid' },
    { name: 'version 3', hex: '5041434b0000000300000000', code: 'pack_version_unknown' },
    { name: 'version 2 the other way round', hex: '5041434b0200000000000000', code: 'pack_version_unknown' },
  ])('refuses $name', ({ hex, code }) => {
    expect(() => decodePackHeader(Buffer.from(hex, 'hex'), 10)).toThrow(detail(code))
  })
})

describe('the header of an entry', () => {
  it.each([
    { name: 'a commit of 15 bytes', hex: '1f', type: 1, sizeBytes: 15, headerBytes: 1 },
    { name: 'a tree of 16 bytes', hex: 'a001', type: 2, sizeBytes: 16, headerBytes: 2 },
    { name: 'a blob of no bytes', hex: '30', type: 3, sizeBytes: 0, headerBytes: 1 },
    { name: 'a size with needless zeros', hex: 'b0808000', type: 3, sizeBytes: 0, headerBytes: 4 },
    { name: 'the largest exact size', hex: 'bfffffffffffff7f', type: 3, sizeBytes: 2 ** 53 - 1, headerBytes: 8 },
  ])('reads $name', ({ hex, type, sizeBytes, headerBytes }) => {
    expect(entry(hex)).toEqual({ type, sizeBytes, headerBytes, baseDistance: 0, baseOidAt: 0 })
  })

  it.each([
    { name: 'a distance of 1', hex: '6001', baseDistance: 1, headerBytes: 2 },
    { name: 'a distance of 128, which has one encoding only', hex: '608000', baseDistance: 128, headerBytes: 3 },
    { name: 'the largest distance of two bytes', hex: '60ff7f', baseDistance: 16_511, headerBytes: 3 },
  ])('reads $name', ({ hex, baseDistance, headerBytes }) => {
    expect(entry(hex)).toMatchObject({ type: 6, baseDistance, headerBytes })
  })

  it('says where the name of a base lies', () => {
    expect(entry(`f101${'ab'.repeat(20)}`)).toMatchObject({ type: 7, sizeBytes: 17, baseOidAt: 2, headerBytes: 22 })
  })

  it.each([
    { name: 'no bytes', hex: '', code: 'pack_truncated' },
    { name: 'a size that does not end', hex: 'bf', code: 'pack_truncated' },
    { name: 'a distance that does not end', hex: '6080', code: 'pack_truncated' },
    { name: 'a name cut short', hex: `70${'ab'.repeat(19)}`, code: 'pack_truncated' },
    { name: 'type 0', hex: '00', code: 'entry_type_invalid' },
    { name: 'type 5', hex: '50', code: 'entry_type_invalid' },
    { name: 'a size of nine bytes', hex: 'b0808080808080808000', code: 'entry_header_invalid' },
    { name: 'a distance of nine bytes', hex: '60808080808080808000', code: 'entry_header_invalid' },
    { name: 'a distance beyond exact numbers', hex: '60ffffffffffffff7f', code: 'entry_header_invalid' },
  ])('refuses $name', ({ hex, code }) => {
    expect(() => entry(hex)).toThrow(detail(code))
  })

  it('looks at no byte before its own', () => {
    expect(decodeEntryHeader(Buffer.from('ffff31', 'hex'), 2, 0)).toMatchObject({
      type: 3,
      sizeBytes: 1,
      headerBytes: 1,
    })
  })

  it('is written as git writes it', () => {
    expect(encodeEntryHeader(3, 0).toString('hex')).toBe('30')
    expect(encodeEntryHeader(1, 16).toString('hex')).toBe('9001')
    expect(encodeBaseDistance(127).toString('hex')).toBe('7f')
    expect(encodeBaseDistance(128).toString('hex')).toBe('8000')
    expect(encodeBaseDistance(16_512).toString('hex')).toBe('808000')
  })
})

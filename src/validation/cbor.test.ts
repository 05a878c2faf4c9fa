import { describe, expect, it } from 'vitest'
import { CBOR_ITEMS_MAX, CborError, decodeCbor, encodeCbor } from './cbor.ts'

const codeOf = (bytes: Uint8Array, bytesMax = 1_000_000): string => {
  try {
    decodeCbor(bytes, bytesMax)
    return 'accepted'
  } catch (error) {
    return error instanceof CborError ? error.detail.code : String(error)
  }
}

describe('decodeCbor', () => {
  it.each([
    { value: { b: 1, a: [new Uint8Array([1, 2]), null, 'é', true], long: { x: [[[[['y']]]]] } } },
    { value: Array.from({ length: 100 }, () => [[]]) },
    { value: Array.from({ length: 100 }, () => ({})) },
    { value: 2 ** 40 },
  ])('reads what was written: $value', ({ value }) => {
    expect(decodeCbor(encodeCbor(value), 10_000)).toEqual(value)
  })

  it.each([
    { name: 'over its limit', bytes: encodeCbor('a'.repeat(30)), bytesMax: 31, code: 'cbor_oversize' },
    { name: 'as many values as there may be', bytes: encodeCbor(Array(CBOR_ITEMS_MAX - 1).fill(0)), code: 'accepted' },
    { name: 'one value more', bytes: encodeCbor(Array(CBOR_ITEMS_MAX).fill(0)), code: 'cbor_too_many' },
    { name: 'at its limit', bytes: encodeCbor('a'.repeat(30)), bytesMax: 32, code: 'accepted' },
    { name: 'eight levels', bytes: [0x81, 0x81, 0x81, 0x81, 0x81, 0x81, 0x81, 0x80], code: 'accepted' },
    { name: 'nine levels', bytes: [0x81, 0x81, 0x81, 0x81, 0x81, 0x81, 0x81, 0x81, 0x80], code: 'cbor_too_deep' },
    { name: 'a hundred thousand levels', bytes: new Uint8Array(100_000).fill(0x81), code: 'cbor_too_deep' },
    { name: 'an array of 2^53 values', bytes: [0x9b, 0, 0x1f, 255, 255, 255, 255, 255, 255], code: 'cbor_malformed' },
    { name: 'an array that ends early', bytes: [0x82, 0x01], code: 'cbor_malformed' },
    { name: 'more than one value', bytes: [0x01, 0x01], code: 'cbor_malformed' },
    { name: 'nothing', bytes: [], code: 'cbor_malformed' },
    { name: 'an integer longer than need be', bytes: [0x18, 0x01], code: 'cbor_malformed' },
    { name: 'an unsorted map', bytes: [0xa2, 0x61, 0x62, 0x01, 0x61, 0x61, 0x01], code: 'cbor_not_canonical' },
    { name: 'a key twice', bytes: [0xa2, 0x61, 0x61, 0x01, 0x61, 0x61, 0x02], code: 'cbor_malformed' },
    { name: 'a tag', bytes: [0xc1, 0x01], code: 'cbor_malformed' },
    { name: 'an array without a length', bytes: [0x9f, 0xff], code: 'cbor_malformed' },
    { name: 'undefined', bytes: [0xf7], code: 'cbor_malformed' },
    { name: 'not a number', bytes: [0xf9, 0x7e, 0x00], code: 'cbor_malformed' },
    { name: 'text that is not UTF-8', bytes: [0x61, 0xff], code: 'cbor_not_canonical' },
  ])('$name: $code', ({ bytes, bytesMax, code }) => {
    expect(codeOf(Uint8Array.from(bytes), bytesMax)).toBe(code)
  })
})

describe('what a peer did wrong is said', () => {
  it.each([
    { bytes: [1, 2, 3], bytesMax: 2, message: 'A message of 3 bytes is over the limit of 2' },
    { bytes: [0x82, 0x01], message: 'The message is not the CBOR that this protocol is made of' },
    { bytes: [0x61, 0xff], message: 'The message is not in the one spelling that its value has' },
    { bytes: [0xc1, 0x01], message: 'A message has no tags' },
    {
      bytes: [...encodeCbor(Array(CBOR_ITEMS_MAX).fill(0))],
      message: `A message has at most ${CBOR_ITEMS_MAX} values`,
    },
    { bytes: Array<number>(20).fill(0x81), message: 'A message nests at most 8 levels' },
  ])('$message', ({ bytes, bytesMax = 1_000_000, message }) => {
    expect(() => decodeCbor(Uint8Array.from(bytes), bytesMax)).toThrow(message)
  })

  it('with what the codec says of it', () => {
    expect(() => decodeCbor(Uint8Array.of(0x82, 1), 9)).toThrow(
      expect.objectContaining({ cause: expect.objectContaining({ message: expect.stringContaining('CBOR') }) }),
    )
  })
})

it.each([1, 5])('counts the levels that are open, not those that were: maps of %i keys', (keys) => {
  const map = Object.fromEntries(Array.from({ length: keys }, (_, at) => [`k${at}`, { a: [1] }]))
  const value = Array.from({ length: 20 }, () => map)
  expect(decodeCbor(encodeCbor(value), 10_000)).toEqual(value)
})

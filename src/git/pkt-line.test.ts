import { describe, expect, it } from 'vitest'
import { decodePktLine, encodePktLine, PKT_LINE_BYTES_MAX, PKT_PAYLOAD_BYTES_MAX } from './pkt-line.ts'

const decode = (text: string) => decodePktLine(Buffer.from(text, 'latin1'))

describe('decodePktLine', () => {
  it.each([
    { name: 'flush', bytes: '0000rest', type: 'flush' },
    { name: 'delim', bytes: '0001rest', type: 'delim' },
    { name: 'response-end', bytes: '0002', type: 'response-end' },
  ])('reads $name', ({ bytes, type }) => {
    expect(decode(bytes)).toEqual({ complete: true, line: { type }, consumedBytes: 4 })
  })

  it.each([
    { name: 'an empty line is a line', bytes: '0004', payload: '' },
    { name: 'a payload may hold what looks like a length', bytes: '00080000', payload: '0000' },
    { name: 'digits may be capitals', bytes: '000Aabcdef', payload: 'abcdef' },
    { name: 'what follows is not looked at', bytes: '0005a0003', payload: 'a' },
  ])('$name', ({ bytes, payload }) => {
    const consumedBytes = 4 + payload.length
    expect(decode(bytes)).toEqual({
      complete: true,
      line: { type: 'data', payload: Buffer.from(payload) },
      consumedBytes,
    })
  })

  it.each([
    { name: 'nothing', bytes: '', neededBytes: 4 },
    { name: 'a part of the length, whatever it is', bytes: 'xyz', neededBytes: 4 },
    { name: 'a length without its payload', bytes: '0009', neededBytes: 9 },
    { name: 'a payload without its last byte', bytes: '0009abcd', neededBytes: 9 },
    { name: 'the longest line', bytes: 'fff0', neededBytes: PKT_LINE_BYTES_MAX },
  ])('needs more bytes after $name', ({ bytes, neededBytes }) => {
    expect(decode(bytes)).toEqual({ complete: false, neededBytes })
  })

  it.each([
    { name: 'a length of three', bytes: '0003' },
    { name: 'a length beyond the longest', bytes: 'fff1' },
    { name: 'the longest that four digits can say', bytes: 'ffff' },
    { name: 'a sign', bytes: '+00a' },
    { name: 'a minus', bytes: '-001' },
    { name: 'a space', bytes: ' 00a' },
    { name: 'the notation of a language', bytes: '0x0a' },
    { name: 'the character before the digits', bytes: '000/' },
    { name: 'the character after the digits', bytes: '000:' },
    { name: 'the character after the letters', bytes: '000g' },
    { name: 'the character before the letters', bytes: '000`' },
    { name: 'a byte that is a digit but for one bit', bytes: '000\x10' },
    { name: 'a byte that is a letter but for its highest bit', bytes: '000\xe1' },
    { name: 'four NULs', bytes: '\0\0\0\0' },
  ])('refuses $name', ({ bytes }) => {
    expect(() => decode(`${bytes}${'x'.repeat(70_000)}`)).toThrow(
      expect.objectContaining({ name: 'ProtocolError', detail: { code: 'pkt_length_invalid', length: bytes } }),
    )
  })
})

describe('encodePktLine', () => {
  it.each([
    { name: 'no bytes', payload: '', line: '0004' },
    { name: 'text', payload: 'done\n', line: '0009done\n' },
    { name: 'characters of several bytes', payload: 'é', line: '0006é' },
  ])('writes $name', ({ payload, line }) => {
    expect(encodePktLine(payload).toString()).toBe(line)
  })

  it('takes the longest payload there is, and none longer', () => {
    const line = encodePktLine(Buffer.alloc(PKT_PAYLOAD_BYTES_MAX))
    expect([line.length, line.toString('latin1', 0, 4)]).toEqual([PKT_LINE_BYTES_MAX, 'fff0'])
    expect(() => encodePktLine(Buffer.alloc(PKT_PAYLOAD_BYTES_MAX + 1))).toThrow('callers split')
  })
})

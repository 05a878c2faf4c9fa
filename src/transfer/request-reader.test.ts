import { randomBytes } from 'node:crypto'
import { Readable } from 'node:stream'
import { createGunzip, gzipSync } from 'node:zlib'
import { describe, expect, it } from 'vitest'
import { encodePktLine, FLUSH } from '../git/pkt-line.ts'
import { RequestReader } from './request-reader.ts'

async function* bodyOf(pieces: readonly (string | Buffer)[]): AsyncGenerator<Buffer> {
  for (const piece of pieces) yield Buffer.from(piece)
}

const read = (pieces: readonly (string | Buffer)[], bytesMax = 1_000): RequestReader =>
  new RequestReader(bodyOf(pieces), { bytesMax, onPiece() {} })

async function restOf(reader: RequestReader): Promise<string> {
  let text = ''
  for await (const piece of reader.rest()) text += piece.toString()
  return text
}

describe('lines', () => {
  it('end where the body ends between two of them', async () => {
    const reader = read(['0008done', '', '0000'])
    expect(await reader.readLine()).toEqual({ type: 'data', payload: Buffer.from('done') })
    expect(await reader.readLine()).toEqual({ type: 'flush' })
    expect(await reader.readLine()).toBeUndefined()
    expect(await reader.readLine()).toBeUndefined()
  })

  it.each([
    { name: 'inside a length', pieces: ['00'] },
    { name: 'before a payload', pieces: ['0008'] },
    { name: 'inside a payload, with an empty piece', pieces: ['00', '08do', ''] },
  ])('do not end $name', async ({ pieces }) => {
    const reader = read(pieces)
    await expect(reader.readLine()).rejects.toMatchObject({ detail: { code: 'request_truncated' } })
    await expect(reader.readLine()).rejects.toMatchObject({ detail: { code: 'request_truncated' } })
  })

  it('that have come whole are there at once, and the rest of one is waited for', async () => {
    const reader = read(['0008done00000009w', 'ant'])
    expect(reader.lineHere()).toBeUndefined()
    expect(await reader.readLine()).toEqual({ type: 'data', payload: Buffer.from('done') })
    expect(reader.lineHere()).toEqual({ type: 'flush' })
    expect(reader.lineHere()).toBeUndefined()
    await expect(reader.readLine()).rejects.toMatchObject({ detail: { code: 'request_truncated' } })
    const whole = read(['00000008want0003'])
    expect(await whole.readLine()).toEqual({ type: 'flush' })
    expect(whole.lineHere()).toEqual({ type: 'data', payload: Buffer.from('want') })
    expect(() => whole.lineHere()).toThrowError(
      expect.objectContaining({ detail: expect.objectContaining({ code: 'pkt_length_invalid' }) }),
    )
  })

  it.each([
    { name: 'lines and no more', body: '0008done0000', goesOn: false, rest: '' },
    { name: 'a pack behind them', body: '0008done0000PACK', goesOn: true, rest: 'PACK' },
  ])('read from a body that is here at once: $name', async ({ body, goesOn, rest }) => {
    const open = (): RequestReader => new RequestReader(Buffer.from(body), { bytesMax: 100, onPiece() {} })
    const [reader, other] = [open(), open()]
    for (const each of [reader, other]) {
      expect(await each.readLine()).toEqual({ type: 'data', payload: Buffer.from('done') })
      expect(each.lineHere()).toEqual({ type: 'flush' })
    }
    expect(await reader.goesOn()).toBe(goesOn)
    expect(await restOf(other)).toBe(rest)
    expect(await other.readLine()).toBeUndefined()
    expect([await reader.drain(), reader.bytes]).toEqual([true, body.length])
  })

  it('of a body that is here at once do not end inside a line', async () => {
    const reader = new RequestReader(Buffer.from('0008do'), { bytesMax: 100, onPiece() {} })
    await expect(reader.readLine()).rejects.toMatchObject({ detail: { code: 'request_truncated' } })
  })

  it('refuses a wrong length as soon as it is there', async () => {
    await expect(read(['00', '03']).readLine()).rejects.toMatchObject({ detail: { code: 'pkt_length_invalid' } })
  })

  it('copies a line that comes in single bytes a few times, not once for each', async () => {
    const line = encodePktLine(Buffer.alloc(60_000, 'x'))
    const pieces = Array.from({ length: 4 }, () => Array.from(line, (byte) => Buffer.of(byte))).flat()
    const concat = Buffer.concat
    let copiedBytes = 0
    Buffer.concat = (list, length) => {
      const joined = concat(list, length)
      copiedBytes += joined.length
      return joined
    }
    try {
      const reader = read(pieces, 2 ** 21)
      for (let i = 0; i < 4; i++) await reader.readLine()
    } finally {
      Buffer.concat = concat
    }
    expect(copiedBytes).toBeLessThan(2 * 4 * line.length)
  })
})

describe('what follows the lines', () => {
  it('is what came with them, and the rest', async () => {
    const reader = read([Buffer.concat([FLUSH, Buffer.from('PA')]), 'CK', '', '...'])
    await reader.readLine()
    expect(await restOf(reader)).toBe('PACK...')
    expect(await restOf(reader)).toBe('')
  })

  it('gives back the memory of a piece that was taken, but not of what is part of something larger', async () => {
    const own = (text: string): Buffer => Buffer.from(Uint8Array.from(Buffer.from(text)).buffer)
    const larger = own('larger')
    const pieces = [own('0000'), own('one'), larger.subarray(1), own('two')]
    async function* body(): AsyncGenerator<Buffer> {
      yield* pieces
    }
    const reader = new RequestReader(body(), { bytesMax: 100, onPiece() {} })
    await reader.readLine()
    expect(await restOf(reader)).toBe('oneargertwo')
    expect(pieces.map(({ length }) => length)).toEqual([4, 0, 5, 0])
    expect(larger.toString()).toBe('larger')
  })

  it('is whole where each piece is a buffer that something else has filled', async () => {
    const plain = randomBytes(2 ** 20)
    const body = Readable.from([gzipSync(Buffer.concat([FLUSH, plain]))]).pipe(createGunzip())
    const reader = new RequestReader(body, { bytesMax: 2 ** 21, onPiece() {} })
    await reader.readLine()
    const copies: Buffer[] = []
    for await (const piece of reader.rest()) copies.push(Buffer.from(piece))
    expect(Buffer.concat(copies).equals(plain)).toBe(true)
  })
})

describe('the limit', () => {
  it.each([
    { name: 'for lines', start: async (reader: RequestReader) => reader.readLine() },
    { name: 'for what follows', start: restOf },
  ])('lets a request of its very size pass, and none of one byte more, $name', async ({ start }) => {
    await start(read(['0010', 'x'.repeat(12)], 16))
    await expect(start(read(['0010', 'x'.repeat(13)], 16))).rejects.toMatchObject({
      detail: { code: 'over_limit', limit: 'max_request_size', limitValue: 16 },
    })
  })
})

describe('draining', () => {
  it('reads to the end what is over the limit by as much again, so that the answer is read', async () => {
    const reader = read(['0010', ...Array.from({ length: 29 }, () => 'x')], 16)
    await expect(restOf(reader)).rejects.toMatchObject({ detail: { code: 'over_limit' } })
    expect(await reader.drain()).toBe(true)
    expect(reader.bytes).toBe(33)
  })

  it('gives up on a body that does not end', async () => {
    let pieces = 0
    async function* endless(): AsyncGenerator<Buffer> {
      for (;;) yield Buffer.alloc(++pieces && 1)
    }
    const reader = new RequestReader(endless(), { bytesMax: 16, onPiece() {} })
    expect(await reader.drain()).toBe(false)
    expect(pieces).toBe(17)
  })

  it('never ends the iteration of the body early, which would end its connection', async () => {
    let ended = false
    async function* body(): AsyncGenerator<Buffer> {
      try {
        yield Buffer.from('0003')
        yield Buffer.from('rest')
      } finally {
        ended = true
      }
    }
    const reader = new RequestReader(body(), { bytesMax: 16, onPiece() {} })
    await expect(reader.readLine()).rejects.toThrow()
    expect(ended).toBe(false)
    expect(await reader.drain()).toBe(true)
    expect(ended).toBe(true)
  })

  it('tells of every piece that came in, also of those that are dropped', async () => {
    let pieces = 0
    const reader = new RequestReader(bodyOf(['0000', 'a', 'b']), { bytesMax: 16, onPiece: () => pieces++ })
    await reader.readLine()
    await reader.drain()
    expect(pieces).toBe(3)
  })
})

import assert from 'node:assert/strict'
import { fc } from '@fast-check/vitest'
import { decodePktLine, DELIM, encodePktLine, FLUSH, type PktLine, PKT_PAYLOAD_BYTES_MAX } from '../src/git/pkt-line.ts'
import { ProtocolError } from '../src/git/protocol/error.ts'
import { RequestReader } from '../src/transfer/request-reader.ts'
import { bytes, chunksOf, cuts, streamOf } from './arbitraries.ts'
import { prop } from './prop.ts'

const payload = fc.oneof(
  { weight: 8, arbitrary: bytes(40) },
  { weight: 1, arbitrary: bytes(300) },
  {
    weight: 1,
    arbitrary: fc
      .tuple(fc.nat(255), fc.integer({ min: PKT_PAYLOAD_BYTES_MAX - 3, max: PKT_PAYLOAD_BYTES_MAX }))
      .map(([byte, length]) => Buffer.alloc(length, byte)),
  },
)
const line: fc.Arbitrary<PktLine> = fc.oneof(
  { weight: 5, arbitrary: payload.map((data) => ({ type: 'data' as const, payload: data })) },
  { weight: 1, arbitrary: fc.constantFrom(...(['flush', 'delim', 'response-end'] as const)).map((type) => ({ type })) },
)
const lines = fc.array(line, { maxLength: 12 })
const SPECIAL = { flush: FLUSH, delim: DELIM, 'response-end': Buffer.from('0002') } as const

const encode = (one: PktLine): Buffer => (one.type === 'data' ? encodePktLine(one.payload) : SPECIAL[one.type])

/** What a stream says: its lines, and the code of the error that it ends with. */
function decodeAll(stream: Buffer): { lines: PktLine[]; end: string } {
  const found: PktLine[] = []
  for (let rest = stream; ;) {
    if (rest.length === 0) return { lines: found, end: 'complete' }
    try {
      const step = decodePktLine(rest)
      if (!step.complete) return { lines: found, end: 'truncated' }
      assert.ok(step.consumedBytes >= 4, 'a decoder that stands still hangs its connection')
      found.push(step.line)
      rest = rest.subarray(step.consumedBytes)
    } catch (error) {
      assert.ok(error instanceof ProtocolError)
      return { lines: found, end: error.detail.code }
    }
  }
}

prop([lines])('what was written is read', (written) => {
  assert.deepEqual(decodeAll(Buffer.concat(written.map(encode))), { lines: written, end: 'complete' })
})

prop([bytes(60)])('what can be read is what we would write, but for the case of its digits', (input) => {
  const { lines: found } = decodeAll(input)
  const rewritten = Buffer.concat(found.map(encode))
  let at = 0
  for (const one of found) {
    const length = input.toString('latin1', at, at + 4).toLowerCase()
    assert.equal(length, rewritten.toString('latin1', at, at + 4))
    const end = at + encode(one).length
    assert.ok(input.subarray(at + 4, end).equals(rewritten.subarray(at + 4, end)))
    at = end
  }
})

prop([lines, bytes(200), cuts])('a request reads alike however it is cut', async (written, rest, sizes) => {
  const stream = Buffer.concat([...written.map(encode), rest])
  let pieces = 0
  const chunks = chunksOf(stream, sizes)
  const reader = new RequestReader(streamOf(chunks), { bytesMax: stream.length, onPiece: () => pieces++ })
  for (const expected of written) assert.deepEqual(await reader.readLine(), expected)
  const tail: Buffer[] = []
  for await (const piece of reader.rest()) tail.push(piece)
  assert.ok(Buffer.concat(tail).equals(rest))
  assert.equal(reader.bytes, stream.length)
  assert.equal(pieces, chunks.length)
  const atOnce = new RequestReader(stream, { bytesMax: stream.length, onPiece() {} })
  for (const expected of written) assert.deepEqual(atOnce.lineHere(), expected)
  const left: Buffer[] = []
  for await (const piece of atOnce.rest()) left.push(piece)
  assert.ok(Buffer.concat(left).equals(rest))
})

prop([lines, cuts, fc.double({ min: 0, max: 1, noNaN: true })])(
  'a request that ends early is told from one that ends between two lines',
  async (written, sizes, share) => {
    const stream = Buffer.concat(written.map(encode))
    const cut = stream.subarray(0, Math.floor(share * stream.length))
    const reader = new RequestReader(streamOf(chunksOf(cut, sizes)), { bytesMax: cut.length, onPiece() {} })
    const { lines: whole, end } = decodeAll(cut)
    for (const expected of whole) assert.deepEqual(await reader.readLine(), expected)
    if (end === 'complete') assert.equal(await reader.readLine(), undefined)
    else await assert.rejects(reader.readLine(), { detail: { code: 'request_truncated' } })
  },
)

prop([fc.array(line, { minLength: 1, maxLength: 5 }), fc.nat(), fc.nat(3), fc.integer({ min: 1, max: 255 })])(
  'a length with one other byte is refused, or means something else',
  (written, which, digit, flip) => {
    const encoded = written.map(encode)
    const changed = which % encoded.length
    const at = encoded.slice(0, changed).reduce((sum, one) => sum + one.length, 0) + digit
    const stream = Buffer.concat(encoded)
    const before = stream.toString('latin1', at, at + 1)
    stream.writeUInt8(stream.readUInt8(at) ^ flip, at)
    const { lines: found, end } = decodeAll(stream)
    assert.deepEqual(found.slice(0, changed), written.slice(0, changed))
    if (stream.toString('latin1', at, at + 1).toLowerCase() === before) {
      assert.deepEqual({ lines: found, end }, { lines: written, end: 'complete' })
    } else assert.notDeepEqual({ lines: found, end }, { lines: written, end: 'complete' })
  },
)

import assert from 'node:assert/strict'
import { fc } from '@fast-check/vitest'
import { decodeWhole } from '../fuzz/oracles/lines.ts'
import { PKT_PAYLOAD_BYTES_MAX } from '../src/git/pkt-line.ts'
import { parseCapabilities, parseGitProtocol } from '../src/git/protocol/capabilities.ts'
import { type Band, BANDS, encodeBandText, FRAME_BYTES_MAX, framingOf } from '../src/git/protocol/side-band.ts'
import { ProtocolError } from '../src/git/protocol/error.ts'
import { encodeReport } from '../src/git/protocol/report-status.ts'
import { encodeErr } from '../src/transfer/advertiser.ts'
import { RequestReader } from '../src/transfer/request-reader.ts'
import { bytes, chunksOf, cuts, streamOf } from './arbitraries.ts'
import { prop } from './prop.ts'

const framing = fc.constantFrom('side-band', 'side-band-64k')
const band = fc.constantFrom<Band>('pack', 'progress', 'error')
/** Around the sizes of frames, and across several. */
const text = fc.oneof(
  bytes(60),
  fc
    .tuple(fc.constantFrom(994, 995, 996, 1_990, 65_514, 65_515, 65_516, 131_030), fc.nat(255))
    .map(([length, byte]) => Buffer.alloc(length, byte)),
)

/** Lines of a stream that comes in pieces. */
async function payloadsOf(chunks: readonly Buffer[]): Promise<Buffer[]> {
  const reader = new RequestReader(streamOf(chunks), { bytesMax: 2 ** 22, onPiece() {} })
  const payloads: Buffer[] = []
  for (;;) {
    const line = await reader.readLine()
    if (line === undefined) return payloads
    payloads.push(line.type === 'data' ? line.payload : Buffer.alloc(0))
  }
}

prop([fc.array(fc.tuple(band, text), { maxLength: 4 }), framing, cuts])(
  'texts in side bands come out in their band as they went in, however the stream is cut',
  async (texts, kind, sizes) => {
    const stream = Buffer.concat(texts.map(([name, content]) => encodeBandText(name, content, kind)))
    const received = new Map<number, Buffer[]>()
    for (const payload of await payloadsOf(chunksOf(stream, sizes))) {
      assert.ok(payload.length + 4 <= FRAME_BYTES_MAX[kind])
      assert.ok(payload.length > 1, 'a frame that carries nothing')
      const number = payload.readUInt8(0)
      received.set(number, [...(received.get(number) ?? []), payload.subarray(1)])
    }
    for (const name of ['pack', 'progress', 'error'] as const) {
      const sent = texts.flatMap(([one, content]) => (one === name ? content : []))
      assert.ok(Buffer.concat(received.get(BANDS[name]) ?? []).equals(Buffer.concat(sent)))
    }
  },
)

const word = fc.stringMatching(/^[a-z][a-z0-9-]{0,12}$/)
const value = fc.option(fc.stringMatching(/^[!-<>-~]{1,12}$/), { nil: '' })
const capabilities = fc.uniqueArray(fc.tuple(word, value), { maxLength: 30, selector: ([name]) => name })
const print = ([name, given]: readonly [string, string]): string => (given === '' ? name : `${name}=${given}`)

prop([capabilities, fc.array(fc.nat(3), { minLength: 32, maxLength: 32 })])(
  'capabilities are read as they were written, whatever space is between them',
  (written, spaces) => {
    const line = written.map((one, at) => ' '.repeat(1 + (spaces[at] ?? 0)) + print(one)).join('')
    assert.deepEqual(Array.from(parseCapabilities(line)), written)
  },
)

prop([fc.array(fc.tuple(fc.constantFrom('a', 'b', 'c'), value), { maxLength: 8 })])(
  'of several capabilities of one name the first counts',
  (written) => {
    const line = written.map(print).join(' ')
    assert.deepEqual(new Map(parseCapabilities(line)), new Map(written.toReversed()))
  },
)

prop([fc.integer({ min: 90, max: 110 })])('capabilities are refused in words where there are too many', (count) => {
  const line = Array.from({ length: count }, (_, at) => `c${at}`).join(' ')
  if (count <= 100) assert.equal(parseCapabilities(line).size, count)
  else assert.throws(() => parseCapabilities(line), ProtocolError)
})

prop([
  fc.array(fc.oneof(word, fc.constantFrom('version=0', 'version=1', 'version=2', 'version=3', '')), { maxLength: 6 }),
])('the highest version that is known and asked for is spoken', (keys) => {
  const asked = keys.map((key) => /^version=([12])$/.exec(key)?.[1] ?? '0')
  assert.equal(parseGitProtocol(keys.join(':')), asked.sort().at(-1) ?? '0')
})

/** Also as long as a line lets a client name one. */
const longName = fc
  .integer({ min: 65_300, max: PKT_PAYLOAD_BYTES_MAX })
  .map((length) => `refs/${'a'.repeat(length - 5)}`)

prop([fc.oneof(longName, fc.string({ unit: 'grapheme', maxLength: 60 }))])(
  'an error is told in one line, as much of it as fits, whatever a client named',
  (name) => {
    const [line, ...others] = decodeWhole(encodeErr(`upload-pack: unknown ref ${name}`))
    const whole = Buffer.from(`ERR upload-pack: unknown ref ${name}\n`)
    assert.deepEqual(others, [])
    assert.deepEqual(line, { type: 'data', payload: whole.subarray(0, PKT_PAYLOAD_BYTES_MAX) })
  },
)

prop([longName])('a refused ref is named in the report by as much as fits in its line', (ref) => {
  const [, line, end] = decodeWhole(encodeReport(undefined, [{ ref, refused: 'too long' }], 'none'))
  const whole = Buffer.from(`ng ${ref} too long\n`)
  assert.deepEqual(
    [line, end],
    [{ type: 'data', payload: whole.subarray(0, PKT_PAYLOAD_BYTES_MAX) }, { type: 'flush' }],
  )
})

const report = fc.array(
  fc.tuple(fc.stringMatching(/^refs\/heads\/[a-zé]{1,200}$/), fc.option(fc.string({ unit: 'binary' }))),
  {
    maxLength: 20,
  },
)
prop([report, fc.constantFrom<'side-band' | 'side-band-64k' | 'none'>('side-band', 'side-band-64k', 'none'), cuts])(
  'a report names every ref once and in order, in lines of its own, whatever the reasons say',
  async (refs, kind, sizes) => {
    const rows = refs.map(([ref, reason]) => ({ ref, refused: reason ?? undefined }))
    const stream = encodeReport(undefined, rows, kind)
    const outer = await payloadsOf(chunksOf(stream, sizes))
    const inner = kind === 'none' ? outer : await payloadsOf([Buffer.concat(outer.map((one) => one.subarray(1)))])
    const [unpack, ...lines] = inner.map(String)
    assert.equal(unpack, 'unpack ok\n')
    assert.equal(lines.pop(), '', 'it ends with a flush')
    assert.deepEqual(
      lines.map((line) => /^(ok|ng) (\S+)(?: [^\p{Cc}]*)?\n$/u.exec(line)?.slice(1)),
      rows.map(({ ref, refused }) => [refused === undefined ? 'ok' : 'ng', ref]),
    )
    assert.equal(framingOf(new Map([[kind, '']])), kind)
  },
)

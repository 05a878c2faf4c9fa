import assert from 'node:assert/strict'
import { fc } from '@fast-check/vitest'
import {
  type Announcement,
  decodeAnnouncement,
  decodeAnswer,
  decodeRequest,
  encodeMessage,
  type Exchange,
  FAILURES,
  HEADS_PER_ANSWER_MAX,
  type Message,
  MESSAGE_BYTES_MAX,
  MessageError,
  NAMES_PER_REQUEST_MAX,
  REQUEST_BYTES_MAX,
} from '../src/p2p/wire/messages.ts'
import { encodeCbor } from '../src/validation/cbor.ts'
import { record } from './arbitraries.ts'
import { prop } from './prop.ts'

const bytesOf = (length: number, minLength = length) =>
  fc.uint8Array({ minLength, maxLength: length }).map((array): Uint8Array => Buffer.from(array))
const id = fc.uuid()
const name = fc.stringMatching(/^[a-z0-9][a-z0-9-]{0,40}[a-z0-9]$/)
const sequence = fc.maxSafeNat()
const traceparent = fc.option(fc.string({ maxLength: 100 }))
const text = fc.string({ unit: 'grapheme', maxLength: 60 })
const head = record({
  repository: id,
  owner: name,
  name,
  description: text,
  head: text.map((rest) => `refs/heads/${rest}`),
  sequence,
  hash: bytesOf(32),
})
const v = fc.constant(1 as const)
const of = <const T>(type: T) => fc.constant(type)

const requests = {
  status: record({
    v,
    id,
    traceparent,
    type: of('status'),
    names: fc.option(fc.array(fc.string({ maxLength: 210 }), { maxLength: 5 })),
    after: fc.option(fc.string({ maxLength: 210 })),
  }),
  log: record({ v, id, traceparent, type: of('log'), repository: id, after: sequence }),
  pack: record({
    v,
    id,
    traceparent,
    type: of('pack'),
    repository: id,
    wants: fc.array(bytesOf(20), { minLength: 1, maxLength: 4 }),
    haves: fc.array(bytesOf(20), { maxLength: 4 }),
    offset: sequence,
    checksum: fc.option(bytesOf(20)),
  }),
}
const answers = {
  status: record({
    v,
    id,
    type: of('status'),
    url: fc.option(fc.webUrl().filter((url) => url.length <= 300)),
    heads: fc.array(head, { maxLength: 4 }),
    next: fc.option(fc.string({ maxLength: 210 })),
  }),
  log: record({
    v,
    id,
    type: of('log'),
    entries: fc.array(fc.tuple(bytesOf(60, 0), bytesOf(64)), { maxLength: 4 }),
  }),
  pack: record({
    v,
    id,
    type: of('pack'),
    bytes: fc.integer({ min: 32, max: 2 ** 52 }),
    objects: fc.nat(),
    offset: sequence,
    checksum: bytesOf(20),
  }),
}
/** What any request may be answered instead. */
const others = fc.oneof<fc.Arbitrary<Message>[]>(
  record({ v, id, type: of('wait') }),
  record({ v, id, type: of('error'), code: fc.constantFrom(...FAILURES), message: text }),
)
const announcement: fc.Arbitrary<Announcement> = record({
  v,
  id,
  type: of('announce'),
  repository: id,
  owner: name,
  name,
  sequence,
  hash: bytesOf(32),
})

type Case = readonly [message: Message, decode: (bytes: Uint8Array) => Message, bytesMax: number]
const exchanges = ['status', 'log', 'pack'] as const
const asRequest = (exchange: Exchange) => (bytes: Uint8Array) => decodeRequest(exchange, bytes)
const asAnswer = (exchange: Exchange) => (bytes: Uint8Array) => decodeAnswer(exchange, bytes)
const message: fc.Arbitrary<Case> = fc.oneof(
  ...exchanges.map((one) =>
    (requests[one] as fc.Arbitrary<Message>).map((made): Case => [made, asRequest(one), REQUEST_BYTES_MAX[one]]),
  ),
  ...exchanges.map((one) =>
    fc.oneof({ weight: 2, arbitrary: answers[one] as fc.Arbitrary<Message> }, others).map((made): Case => {
      return [made, asAnswer(one), MESSAGE_BYTES_MAX[one]]
    }),
  ),
  announcement.map((made): Case => [made, decodeAnnouncement, MESSAGE_BYTES_MAX.announce]),
)

prop([message])('a message is read as it was written', ([written, decode]) => {
  const read = decode(encodeMessage(written))
  assert.deepEqual(Buffer.from(encodeMessage(read)), Buffer.from(encodeMessage(written)))
  // Texts that are no Unicode cannot be written.
  // A clone holds bytes in one way, as arrays of them.
  if (JSON.stringify(written).isWellFormed()) assert.deepEqual(structuredClone(read), structuredClone(written))
})

prop([message, fc.nat(), fc.integer({ min: 1, max: 255 })])(
  'a message with one other byte is refused, or means something else',
  ([written, decode], place, flip) => {
    const bytes = Buffer.from(encodeMessage(written))
    const other = Buffer.from(bytes)
    const at = place % other.length
    other.writeUInt8(other.readUInt8(at) ^ flip, at)
    for (const changed of [other, bytes.subarray(0, at), Buffer.concat([bytes, Buffer.of(flip)])]) {
      let read: Message | undefined
      try {
        read = decode(changed)
      } catch (error) {
        assert.ok(error instanceof MessageError, String(error))
        continue
      }
      assert.ok(Buffer.from(encodeMessage(read)).equals(changed), 'a second spelling of a message')
      assert.notDeepEqual(read, decode(bytes))
    }
  },
)

type Fields = Readonly<Record<string, unknown>>
type Code = MessageError['detail']['code']

/** What may be wrong with a message as a whole; undefined: this one cannot be wrong so. */
const MISTAKES: Readonly<Record<string, (fields: Fields, bytesMax: number, draw: number) => unknown>> = {
  'of another version': (fields, _, draw) => ({ ...fields, v: draw === 1 ? 0 : draw }),
  'of another version, which has other fields': (_, _max, draw) => ({ v: draw + 2, kind: 'new' }),
  'without a field': (fields, _, draw) => {
    const names = Object.keys(fields)
    const gone = names[draw % names.length]
    return Object.fromEntries(Object.entries(fields).filter(([one]) => one !== gone))
  },
  'with a field more': (fields) => ({ ...fields, more: 1 }),
  'of another kind': (fields) => ({ ...fields, type: 'other' }),
  'with an id that is none': (fields) => ({ ...fields, id: 'x' }),
  'without what it wants': (fields) => ('wants' in fields ? { ...fields, wants: [] } : undefined),
  'with too many names': (fields) =>
    'names' in fields ? { ...fields, names: Array.from({ length: NAMES_PER_REQUEST_MAX + 1 }, () => '') } : undefined,
  'with too many heads': ({ heads, ...fields }) => {
    const [one] = Array.isArray(heads) ? (heads as readonly unknown[]) : []
    return one && { ...fields, heads: Array.from({ length: HEADS_PER_ANSWER_MAX + 1 }, () => one) }
  },
  'longer than it may be': (_, bytesMax) => Buffer.alloc(bytesMax + 1),
  'as long as it may be, of nothing': (_, bytesMax) => Buffer.alloc(bytesMax),
}
const CODES: Readonly<Record<string, Code>> = {
  'of another version': 'unsupported_version',
  'of another version, which has other fields': 'unsupported_version',
  'longer than it may be': 'oversize',
}

prop([message, fc.constantFrom(...Object.keys(MISTAKES)), fc.nat(100)])(
  'a message that is wrong is refused, and counted for what is wrong with it',
  ([written, decode, bytesMax], mistake, draw) => {
    const wrong = MISTAKES[mistake]?.(written as unknown as Fields, bytesMax, draw)
    if (wrong === undefined) return void decode(encodeMessage(written))
    const bytes = wrong instanceof Buffer ? wrong : encodeCbor(wrong)
    // A version is only known where it is said.
    const code = CODES[mistake] ?? 'malformed'
    assert.throws(
      () => decode(bytes),
      (error) => error instanceof MessageError && error.detail.code === code,
      `${mistake}: not refused as ${code}`,
    )
  },
)

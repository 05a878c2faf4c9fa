import assert from 'node:assert/strict'
import { createPrivateKey, createPublicKey } from 'node:crypto'
import { fc } from '@fast-check/vitest'
import {
  type Announcement,
  decodeAnnouncement,
  decodeAnswer,
  decodeRequest,
  encodeMessage,
  type Exchange,
  type Message,
  MessageError,
} from '../src/p2p/wire/messages.ts'
import {
  decodeEntry,
  encodeEntry,
  hashEntry,
  type LogEntry,
  LogError,
  NO_HASH,
  type SignedEntry,
  signerOf,
  verifierOf,
  verifyChain,
} from '../src/storage/repositories/ref-log.ts'
import { oidHex, record } from './arbitraries.ts'
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

type Case = readonly [message: Message, decode: (bytes: Uint8Array) => Message]
const exchanges = ['status', 'log', 'pack'] as const
const asRequest = (exchange: Exchange) => (bytes: Uint8Array) => decodeRequest(exchange, bytes)
const asAnswer = (exchange: Exchange) => (bytes: Uint8Array) => decodeAnswer(exchange, bytes)
const message: fc.Arbitrary<Case> = fc.oneof(
  ...exchanges.map((one) => (requests[one] as fc.Arbitrary<Message>).map((made): Case => [made, asRequest(one)])),
  ...exchanges.map((one) => (answers[one] as fc.Arbitrary<Message>).map((made): Case => [made, asAnswer(one)])),
  announcement.map((made): Case => [made, decodeAnnouncement]),
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

const change = record({
  ref: fc.stringMatching(/^refs\/heads\/[a-zé]{1,20}$/),
  oldOid: fc.option(oidHex, { nil: undefined }),
  newOid: fc.option(oidHex, { nil: undefined }),
})
const step = record({
  timeMs: fc.maxSafeNat(),
  head: fc.option(fc.constant('refs/heads/main'), { nil: undefined }),
  changes: fc.array(change, { maxLength: 3 }),
})
const REPOSITORY = '01930000-0000-7000-8000-000000000001'
const SEED = Buffer.alloc(32, 7)
const START = { sequence: 0, hash: NO_HASH }
const rules = { repository: REPOSITORY, isSigned: verifierOf(publicKeyOf(SEED)) }

function publicKeyOf(seed: Buffer): Buffer {
  const der = Buffer.concat([Buffer.from('302e020100300506032b657004220420', 'hex'), seed])
  const key = createPublicKey(createPrivateKey({ key: der, format: 'der', type: 'pkcs8' }))
  return key.export({ format: 'der', type: 'spki' }).subarray(-32)
}

/** A log as its home writes it. */
function logOf(steps: readonly Omit<LogEntry, 'repository' | 'sequence' | 'previous'>[]): SignedEntry[] {
  const signer = signerOf(SEED)
  let previous: Buffer = NO_HASH
  return steps.map((one, at) => {
    const bytes = encodeEntry({ ...one, repository: REPOSITORY, sequence: at + 1, previous })
    previous = hashEntry(bytes)
    return { bytes, signature: signer.sign(bytes) }
  })
}

prop([step, fc.nat(1_000)])('an entry of the log is read as it was written', (one, at) => {
  const entry = { ...one, repository: REPOSITORY, sequence: at + 1, previous: Buffer.alloc(32, at) }
  assert.deepEqual(decodeEntry(encodeEntry(entry)), entry)
})

const log = fc.array(step, { minLength: 1, maxLength: 6 })

prop([log, fc.nat(6)])('a log is the same read at once or in two parts', (steps, place) => {
  const entries = logOf(steps)
  const whole = verifyChain(entries, START, rules)
  const first = verifyChain(entries.slice(0, place), START, rules)
  const end = first.at(-1) ?? START
  assert.deepEqual([...first, ...verifyChain(entries.slice(place), end, rules)], whole)
})

/** Ways to change a log without the key; `other` is another history that the home signed. */
const TAMPERINGS: Readonly<
  Record<string, (entries: SignedEntry[], at: number, byte: number, other: SignedEntry[]) => SignedEntry[]>
> = {
  'a byte of an entry': (entries, at, byte) =>
    entries.with(at, { ...entryAt(entries, at), bytes: flipped(entryAt(entries, at).bytes, byte) }),
  'a byte of a signature': (entries, at, byte) =>
    entries.with(at, { ...entryAt(entries, at), signature: flipped(entryAt(entries, at).signature, byte) }),
  'an entry less': (entries, at) => entries.toSpliced(at, 1),
  'an entry twice': (entries, at) => entries.toSpliced(at, 0, entryAt(entries, at)),
  'another order': (entries, at) =>
    entries.toSpliced(at, 1).toSpliced(at === 0 ? entries.length : at - 1, 0, entryAt(entries, at)),
  'an entry of another history': (entries, at, _byte, other) => entries.with(at, entryAt(other, at)),
}

function entryAt(entries: readonly SignedEntry[], at: number): SignedEntry {
  const entry = entries[at]
  assert.ok(entry)
  return entry
}

function flipped(bytes: Uint8Array, place: number): Buffer {
  const other = Buffer.from(bytes)
  other.writeUInt8(other.readUInt8(place % other.length) ^ (1 << (place % 8)), place % other.length)
  return other
}

prop([fc.array(step, { minLength: 2, maxLength: 6 }), fc.constantFrom(...Object.keys(TAMPERINGS)), fc.nat(), fc.nat()])(
  'a log that somebody changed is refused, or is the beginning of the true one',
  (steps, how, place, byte) => {
    const entries = logOf(steps)
    const other = logOf(steps.map((one) => ({ ...one, timeMs: one.timeMs === 0 ? 1 : one.timeMs - 1 })))
    const tampered = TAMPERINGS[how]?.([...entries], place % entries.length, byte, other) ?? []
    let read
    try {
      read = verifyChain(tampered, START, rules)
    } catch (error) {
      assert.ok(error instanceof LogError, String(error))
      return
    }
    assert.deepEqual(read, verifyChain(entries, START, rules).slice(0, read.length))
    assert.ok(how === 'an entry less', how)
  },
)

import assert from 'node:assert/strict'
import { ZodError } from 'zod'
import { decodeAnnouncement, decodeAnswer, decodeRequest, encodeMessage } from '../../src/p2p/wire/messages.ts'
import { type Message, MessageError } from '../../src/p2p/wire/messages.ts'
import { decodeEntry, encodeEntry, LogError, verifyChain } from '../../src/storage/repositories/ref-log.ts'
import { CborError } from '../../src/validation/cbor.ts'
import { Cursor } from '../grammar/cursor.ts'
import { editMessage, MESSAGE_NAMES, type MessageName } from '../grammar/messages.ts'
import { withinBudget } from '../oracles/allocation-meter.ts'
import { unlessRefused } from '../oracles/expected.ts'
import { MESSAGES } from '../grammar/messages.ts'
import type { FuzzTarget } from '../target.ts'

export const target = {
  reads: 'messages between nodes, and entries of the log of refs',
  drives: {
    'src/p2p/wire/messages.ts': ['decodeRequest', 'decodeAnswer', 'decodeAnnouncement', 'encodeMessage', 'decode'],
    'src/validation/cbor.ts': ['decodeCbor', 'encodeCbor', 'next'],
    'src/storage/repositories/ref-log.ts': ['decodeEntry', 'encodeEntry', 'verifyChain'],
  },
  inputBytesMax: 2_048,
  // Heads of CBOR: maps, arrays, texts and bytes of declared lengths, numbers that are no integers.
  words: [
    '\xa0',
    '\xa5',
    '\x80',
    '\x9a\xff\xff\xff\xff',
    '\x9b\0\0\0\x01',
    '\xbb\0\0\0\x01',
    '\x5a\xff\xff',
    '\x7a\x7f',
    '\xf6',
    '\xf7',
    '\xfb\x7f\xf0',
    '\xc2\x41',
    '\x9f',
    '\xff',
    '\x1b\0\x1f',
    '\x3b',
    'dtype',
    'av\x01',
  ],
  makesObjects: true,
  goalPerS: 1_000,
  planted: {
    'two-spellings': {
      why: 'an entry that can be spelled in two ways has two hashes, and a chain of them two ends',
      file: 'src/validation/cbor.ts',
      from: 'if (!Buffer.from(encode(value)).equals(bytes)) {',
      to: 'if (encode(value).length === 0) {',
    },
  },
  seeds: () => Object.fromEntries(MESSAGE_NAMES.flatMap(seedsOf)),
} satisfies FuzzTarget

/** Decoding may not ask for much more than it was given, whatever the bytes declare. */
const budgetOf = (bytes: Uint8Array): number => 65_536 + 16 * bytes.length

/** By the names of messages; a failure may answer any request. */
const DECODERS: Readonly<Record<Exclude<MessageName, 'log entry'>, (bytes: Uint8Array) => Message>> = {
  'status request': (bytes) => decodeRequest('status', bytes),
  'log request': (bytes) => decodeRequest('log', bytes),
  'pack request': (bytes) => decodeRequest('pack', bytes),
  'status answer': (bytes) => decodeAnswer('status', bytes),
  'log answer': (bytes) => decodeAnswer('log', bytes),
  'pack answer': (bytes) => decodeAnswer('pack', bytes),
  failure: (bytes) => decodeAnswer('log', bytes),
  announcement: decodeAnnouncement,
}

const OTHERS = MESSAGE_NAMES.filter((name) => name !== 'log entry' && name !== 'failure')

/**
 * The first byte says whether the rest is a message or edits of a right one (bit 0), which one (bits 1 to 4), and as
 * what it is read besides (the others).
 *
 * Oracle: refused with the decoder's own error, within a budget of memory, or the same bytes when written again, and
 * taken as no other message (but for failures, which answer any request); an entry of the log has its place in a chain,
 * and no other.
 */
export function fuzz(data: Buffer): void {
  const input = new Cursor(data)
  const mode = input.byte()
  const name = MESSAGE_NAMES[((mode >> 1) & 15) % MESSAGE_NAMES.length] ?? 'log entry'
  const bytes = (mode & 1) === 0 ? input.rest() : editMessage(name, input)
  if (name === 'log entry') return fuzzEntry(bytes)
  const message = read(bytes, name)
  if (message === undefined || message.type === 'error') return
  const other = OTHERS.filter((one) => one !== name)[mode >> 5]
  // As an answer to a log request is how a failure is read here.
  if (other === undefined || (name === 'failure' && other === 'log answer')) return
  assert(read(bytes, other) === undefined, 'a message of two kinds')
}

function read(bytes: Uint8Array, name: keyof typeof DECODERS): Message | undefined {
  const message = unlessRefused([MessageError], () => withinBudget(budgetOf(bytes), () => DECODERS[name](bytes)))
  if (message !== undefined) assert(Buffer.from(encodeMessage(message)).equals(bytes), 'a message has one spelling')
  return message
}

function fuzzEntry(bytes: Uint8Array): void {
  const entry = unlessRefused([LogError], () => withinBudget(budgetOf(bytes), () => readEntry(bytes)))
  if (entry === undefined) return
  assert(Buffer.from(encodeEntry(entry)).equals(bytes), 'an entry has one spelling')
  const signed = { bytes, signature: new Uint8Array(64) }
  const { repository, sequence, previous } = entry
  const rules = { repository, isSigned: () => true }
  const [verified] = verifyChain([signed], { sequence: sequence - 1, hash: previous }, rules)
  assert.equal(verified?.sequence, sequence)
  assert.throws(() => verifyChain([signed], { sequence, hash: previous }, rules), LogError)
  const other = Buffer.from(previous)
  other.writeUInt8(other.readUInt8(0) ^ 1)
  assert.throws(() => verifyChain([signed], { sequence: sequence - 1, hash: other }, rules), LogError)
}

/** What is wrapped must be a refusal itself, no mistake of the reader. */
function readEntry(bytes: Uint8Array): ReturnType<typeof decodeEntry> {
  try {
    return decodeEntry(bytes)
  } catch (error) {
    if (error instanceof LogError) assert(error.cause instanceof CborError || error.cause instanceof ZodError)
    throw error
  }
}

function seedsOf(name: MessageName, at: number): [string, Buffer][] {
  return [
    [name, Buffer.concat([Buffer.of(2 * at), MESSAGES[name]])],
    [`${name}, edited`, Buffer.concat([Buffer.of(2 * at + 1), Buffer.from('\x03\x02\x01\x07')])],
  ]
}

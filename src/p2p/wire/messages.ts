/**
 * What nodes say to each other (DESIGN §7): canonical CBOR, one schema a message, the version in each. Pure; the
 * protocol ids carry the version too, so that nodes of two versions can live side by side.
 */
import * as z from 'zod'
import { GutsError } from '../../errors.ts'
import { CborError, decodeCbor, encodeCbor } from '../../validation/cbor.ts'
import { description, isUuid, ownerName, repositoryName } from '../../validation/names.ts'

export const VERSION = 1
/** Of a request's bytes: anybody may send them, so they are no larger than the largest one of its schema. */
export const REQUEST_BYTES_MAX = {
  status: 256 * 1024,
  log: 1024,
  pack: 4 * 1024 * 1024,
} as const
/** Of an answer's bytes, by protocol. */
export const MESSAGE_BYTES_MAX = {
  status: 1024 * 1024,
  /** Entries are gathered up to a mebibyte, and one alone may be this large (ref-log.ts). */
  log: 10 * 1024 * 1024,
  /** Its bytes follow; what failed instead has its sentence here. */
  pack: 4_096,
  announce: 2_048,
} as const
export const HEADS_PER_ANSWER_MAX = 200
export const NAMES_PER_REQUEST_MAX = 1_000
/** Refs one pack may be asked for, and tips it may be based on. */
export const WANTS_MAX = 150_000
export const HAVES_MAX = 20_000

export type Exchange = 'status' | 'log' | 'pack'
type MessageKind = Exchange | 'announce'

/** A message that is refused; `code` is what it is counted under. */
export class MessageError extends GutsError<{
  readonly code: 'oversize' | 'malformed' | 'unsupported_version'
}> {}

const bytesOf = (length: number) =>
  z.custom<Uint8Array>((value) => value instanceof Uint8Array && value.length === length)
const oids = (max: number) => z.array(bytesOf(20)).max(max)
const repositoryId = z.string().refine(isUuid)
const sequence = z.int().min(0)
// zod takes spaces off a URL's ends: then a message would have more than one spelling.
const url = z
  .string()
  .max(300)
  .regex(/^\S*$/)
  .pipe(z.url({ protocol: /^https?$/ }))
const envelope = {
  v: z.literal(VERSION),
  /** Of the message; an answer has its request's. */
  id: z.string().refine(isUuid),
}
const traced = { ...envelope, traceparent: z.string().max(100).nullable() }

const head = z.strictObject({
  repository: repositoryId,
  owner: ownerName,
  name: repositoryName,
  description,
  head: z.string().startsWith('refs/heads/').max(1_024),
  /** Of the last entry in its log. */
  sequence,
  hash: bytesOf(32),
})
export type Head = z.output<typeof head>

export const requests = {
  status: z.strictObject({
    ...traced,
    type: z.literal('status'),
    /** `owner/name` of those asked for; null: all that this peer may see. */
    names: z.array(z.string().max(210)).max(NAMES_PER_REQUEST_MAX).nullable(),
    /** `next` of the answer before; null: from the beginning. */
    after: z.string().max(210).nullable(),
  }),
  log: z.strictObject({
    ...traced,
    type: z.literal('log'),
    repository: repositoryId,
    /** Entries with a larger number are asked for. */
    after: sequence,
  }),
  pack: z.strictObject({
    ...traced,
    type: z.literal('pack'),
    repository: repositoryId,
    wants: oids(WANTS_MAX).min(1),
    haves: oids(HAVES_MAX),
    /** To go on with a pack that broke off: how much of it is here, and of which. */
    offset: z.int().min(0),
    checksum: bytesOf(20).nullable(),
  }),
} as const
export type Request<E extends Exchange> = z.output<(typeof requests)[E]>

export const answers = {
  status: z.strictObject({
    ...envelope,
    type: z.literal('status'),
    /** Where people reach the node; null: it does not say. */
    url: url.nullable(),
    heads: z.array(head).max(HEADS_PER_ANSWER_MAX),
    /** null: these were the last ones */
    next: z.string().max(210).nullable(),
  }),
  log: z.strictObject({
    ...envelope,
    type: z.literal('log'),
    /** In order, each with its signature. */
    entries: z.array(z.tuple([z.custom<Uint8Array>((value) => value instanceof Uint8Array), bytesOf(64)])).max(100_000),
  }),
  /** Followed by the bytes of the pack from `offset` on. */
  pack: z.strictObject({
    ...envelope,
    type: z.literal('pack'),
    bytes: z.int().min(32),
    objects: z.int().min(0),
    /** 0 where it begins anew. */
    offset: z.int().min(0),
    /** The pack's trailer. */
    checksum: bytesOf(20),
  }),
} as const
export type Answer<E extends Exchange> = z.output<(typeof answers)[E]>

/** Why a request is not answered. */
export const FAILURES = ['not_found', 'busy', 'invalid', 'unsupported_version', 'failed'] as const
const failure = z.strictObject({
  ...envelope,
  type: z.literal('error'),
  code: z.enum(FAILURES),
  message: z.string().max(500),
})
export type Failure = z.output<typeof failure>

/** Before an answer that takes long to make: the asker is not forgotten. */
const waiting = z.strictObject({ ...envelope, type: z.literal('wait') })
export type Waiting = z.output<typeof waiting>

/** By gossip, signed by who publishes it: the home. */
const announcement = z.strictObject({
  ...envelope,
  type: z.literal('announce'),
  repository: repositoryId,
  owner: ownerName,
  name: repositoryName,
  sequence,
  hash: bytesOf(32),
})
export type Announcement = z.output<typeof announcement>

export type Message = Request<Exchange> | Answer<Exchange> | Waiting | Failure | Announcement

export function encodeMessage(message: Message): Uint8Array {
  return encodeCbor(message)
}

/** @throws MessageError */
export function decodeRequest<E extends Exchange>(exchange: E, bytes: Uint8Array): Request<E> {
  return decode(bytes, exchange, REQUEST_BYTES_MAX[exchange], requests[exchange]) as Request<E>
}

/** @throws MessageError */
export function decodeAnswer<E extends Exchange>(exchange: E, bytes: Uint8Array): Answer<E> | Waiting | Failure {
  return decode(bytes, exchange, MESSAGE_BYTES_MAX[exchange], z.union([answers[exchange], waiting, failure]))
}

/** @throws MessageError */
export function decodeAnnouncement(bytes: Uint8Array): Announcement {
  return decode(bytes, 'announce', MESSAGE_BYTES_MAX.announce, announcement)
}

const anyVersion = z.looseObject({ v: z.int() })

function decode<Schema extends z.ZodType>(
  bytes: Uint8Array,
  kind: MessageKind,
  bytesMax: number,
  schema: Schema,
): z.output<Schema> {
  let value: unknown
  try {
    value = decodeCbor(bytes, bytesMax)
  } catch (cause) {
    if (!(cause instanceof CborError)) throw cause
    const code = cause.detail.code === 'cbor_oversize' ? 'oversize' : 'malformed'
    throw new MessageError({ code }, cause.message, { cause })
  }
  const version = anyVersion.safeParse(value)
  if (version.success && version.data.v !== VERSION) {
    throw new MessageError({ code: 'unsupported_version' }, `This node speaks version ${VERSION} of the protocol`)
  }
  const parsed = schema.safeParse(value)
  if (parsed.success) return parsed.data
  // Not what the peer wrote: it is hostile, and the log is ours.
  const [issue] = parsed.error.issues
  const where = issue?.path.map(String).join('.') ?? ''
  throw new MessageError({ code: 'malformed' }, `A ${kind} message has no valid ${where === '' ? 'form' : where}`)
}

/**
 * Messages of replication from programs: a right one, in which values are replaced, left out or added before it is
 * encoded. So the fuzzer reaches the schemas behind the encoding.
 *
 * An edit is a byte for the place, one for the kind of value, one for its length, and so many bytes of content.
 */
import type { Answer, Announcement, Failure, Request } from '../../src/p2p/wire/messages.ts'
import { encodeEntry, type LogEntry } from '../../src/storage/repositories/ref-log.ts'
import { decodeCbor, encodeCbor } from '../../src/validation/cbor.ts'
import type { Cursor } from './cursor.ts'

const id = '01920000-0000-4000-8000-000000000001'
const repository = '01920000-0000-7000-8000-000000000002'
const oid = new Uint8Array(20).fill(0xab)
const hash = new Uint8Array(32).fill(0xcd)
const envelope = { v: 1, id } as const
const traced = { ...envelope, traceparent: '00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01' } as const
const head = { repository, owner: 'alice', name: 'site', description: 'é', head: 'refs/heads/main', sequence: 7, hash }

const entry: LogEntry = {
  repository,
  sequence: 3,
  timeMs: 1_700_000_000_000,
  previous: Buffer.from(hash),
  head: 'refs/heads/main',
  changes: [
    { ref: 'refs/heads/main', oldOid: undefined, newOid: 'ab'.repeat(20) },
    { ref: 'refs/tags/v1', oldOid: 'cd'.repeat(20), newOid: undefined },
  ],
}

/** One of each, encoded; an entry of the log goes inside an answer, and is read by itself. */
export const MESSAGES = {
  'status request': encodeCbor({
    ...traced,
    type: 'status',
    names: ['alice/site'],
    after: null,
  } satisfies Request<'status'>),
  'log request': encodeCbor({ ...traced, type: 'log', repository, after: 6 } satisfies Request<'log'>),
  'pack request': encodeCbor({
    ...traced,
    type: 'pack',
    repository,
    wants: [oid],
    haves: [oid, oid],
    offset: 0,
    checksum: null,
  } satisfies Request<'pack'>),
  'status answer': encodeCbor({
    ...envelope,
    type: 'status',
    url: 'https://node.example.org/',
    heads: [head],
    next: 'alice/site',
  } satisfies Answer<'status'>),
  'log answer': encodeCbor({
    ...envelope,
    type: 'log',
    entries: [[encodeEntry(entry), new Uint8Array(64)]],
  } satisfies Answer<'log'>),
  'pack answer': encodeCbor({
    ...envelope,
    type: 'pack',
    bytes: 32,
    objects: 1,
    offset: 0,
    checksum: oid,
  } satisfies Answer<'pack'>),
  failure: encodeCbor({ ...envelope, type: 'error', code: 'busy', message: 'Later' } satisfies Failure),
  announcement: encodeCbor({
    ...envelope,
    type: 'announce',
    repository,
    owner: 'alice',
    name: 'site',
    sequence: 7,
    hash,
  } satisfies Announcement),
  'log entry': encodeEntry(entry),
} as const satisfies Readonly<Record<string, Uint8Array>>

export type MessageName = keyof typeof MESSAGES
export const MESSAGE_NAMES = Object.keys(MESSAGES) as MessageName[]

type Holder = Record<string, unknown> | unknown[]

export function editMessage(name: MessageName, edits: Cursor): Uint8Array {
  const message = decodeCbor(MESSAGES[name], 2 ** 20) as Record<string, unknown>
  while (edits.left > 0) {
    const places = placesIn(message)
    const place = places[edits.byte() % Math.max(1, places.length)]
    const kind = edits.byte()
    const content = edits.take(edits.byte())
    if (place !== undefined) edit(place.holder, place.key, kind, content)
  }
  return encodeCbor(message)
}

interface Place {
  readonly holder: Holder
  readonly key: string | number
}

function placesIn(holder: Holder): Place[] {
  const keys = Array.isArray(holder) ? holder.keys() : Object.keys(holder)
  return Array.from(keys, (key: string | number) => {
    const value = (holder as Record<string | number, unknown>)[key]
    return [{ holder, key }, ...(isHolder(value) ? placesIn(value) : [])]
  }).flat()
}

function isHolder(value: unknown): value is Holder {
  return typeof value === 'object' && value !== null && !(value instanceof Uint8Array)
}

function edit(holder: Holder, key: string | number, kind: number, content: Buffer): void {
  const target = holder as Record<string | number, unknown>
  const before = target[key]
  const number = content.length === 0 ? 0 : content.readUIntBE(0, Math.min(6, content.length))
  const make: readonly (() => unknown)[] = [
    () => content.toString(),
    () => new Uint8Array(content),
    () => number,
    () => -number,
    () => number / 256 + 0.5,
    () => number % 2 === 0,
    () => null,
    () => (typeof before === 'string' ? before + content.toString() : content.toString('latin1')),
    // Of plain values only: else a few edits make a message of any size.
    () => (isHolder(before) ? [] : Array.from({ length: number % 64 }, () => before)),
    () => Array.from({ length: number % 12 }).reduce<unknown>((inner) => [inner], before),
    () => ({ [content.toString()]: before }),
  ]
  const choice = kind % (make.length + 2)
  if (choice === make.length) delete target[key]
  else if (choice > make.length) target[Array.isArray(holder) ? holder.length : content.toString()] = before
  else target[key] = make[choice]?.()
}

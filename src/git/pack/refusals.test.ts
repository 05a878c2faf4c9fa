/** What is refused of packs and of the files beside them, and what a pusher reads of it. */
import { createHash } from 'node:crypto'
import { deflateSync } from 'node:zlib'
import { describe, expect, it } from 'vitest'
import { blob, delta, ofsDelta, pack, refDelta, whole } from '../../../integration/support/pack-maker.ts'
import type { PackError } from './error.ts'
import { decodeEntryHeader, decodePackHeader } from './header.ts'
import { encodePackIndex, PackIndex } from './index-file.ts'
import { indexPack } from './indexer.ts'
import { inflateAt } from './inflate.ts'
import { InflateBudget, type PackLimits } from './limits.ts'
import { decodeMtimes, encodeMtimes } from './mtimes-file.ts'
import { PackWindow } from './source.ts'
import { SummedSource } from './summed-source.ts'
import { memory, NO_HOOKS } from './testing.ts'

interface Row {
  readonly name: string
  readonly run: () => unknown
  readonly detail: PackError['detail']
  readonly message: string
}

const LIMITS: PackLimits = { objectsMax: 9, objectBytesMax: 100, inflatedBytesMax: 1_000, deltaDepthMax: 2 }
const index = (bytes: Buffer, limits: Partial<PackLimits> = {}) =>
  indexPack(memory(bytes), { ...LIMITS, ...limits }, NO_HOOKS)

const [one, two] = [blob('one'), blob('two')]
const entryAt = (hex: string): unknown => decodeEntryHeader(Buffer.from(hex, 'hex'), 0, 99)
const header = (hex: string): unknown => decodePackHeader(Buffer.from(hex, 'hex'), 9)
const inflate = (bytes: Buffer, sizeBytes: number) =>
  inflateAt(new PackWindow(memory(bytes), bytes.length), 0, sizeBytes, 7)

const HEADERS: readonly Row[] = [
  {
    name: 'eleven bytes',
    run: () => header('5041434b00000002000000'),
    detail: { code: 'pack_truncated' },
    message: 'The pack ends inside its header',
  },
  {
    name: 'another signature',
    run: () => header('5041434a0000000200000000'),
    detail: { code: 'pack_signature_invalid' },
    message: 'The pack does not begin with PACK',
  },
  {
    name: 'another version',
    run: () => header('5041434b0000000300000000'),
    detail: { code: 'pack_version_unknown', version: 3 },
    message: 'Pack version 3; only version 2 is understood',
  },
  {
    name: 'more objects than the limit',
    run: () => header('5041434b000000020000000a'),
    detail: { code: 'pack_objects_over_limit', declaredObjects: 10, limitObjects: 9 },
    message: 'The pack declares 10 objects; the limit (max_pack_objects) is 9',
  },
  ...['', 'bf', '60', '6080', `70${'ab'.repeat(19)}`].map((hex) => ({
    name: `an entry that ends as "${hex}"`,
    run: () => entryAt(hex),
    detail: { code: 'pack_truncated' } as const,
    message: 'The pack ends inside an entry',
  })),
  ...['b0808080808080808000', 'b0ffffffffffffff7f', '60808080808080808000', '60ffffffffffffff7f'].map((hex) => ({
    name: `the number ${hex}`,
    run: () => entryAt(hex),
    detail: { code: 'entry_header_invalid', packOffset: 99 } as const,
    message: 'The entry at pack offset 99 has an impossible size',
  })),
  ...[0, 5].map((type) => ({
    name: `the type ${type}`,
    run: () => entryAt(`${type}0`),
    detail: { code: 'entry_type_invalid', type, packOffset: 99 } as const,
    message: `Unknown object type ${type} at pack offset 99`,
  })),
]

const entry = whole(one)
const damaged = Buffer.from(deflateSync('one'))
damaged[damaged.length - 1]! ^= 1
const LIMIT_BYTES = 'The pack inflates to more than the limit (max_inflated_size) of'

const PACKS: readonly Row[] = [
  {
    name: 'a pack with bytes behind its last entry',
    run: () => index(pack([entry, whole(two)], 1)),
    detail: { code: 'pack_trailing_bytes' },
    message: `The pack declares 1 objects, and ${whole(two).length} bytes follow the last of them`,
  },
  {
    name: 'a pack with fewer bytes than it needs',
    run: () => index(pack([entry], 2)),
    detail: { code: 'pack_truncated' },
    message: 'The pack ends too early',
  },
  {
    name: 'a pack of which the last entry is missing',
    run: () => index(pack([whole(blob('a long one, so that there is room for another entry'))], 2)),
    detail: { code: 'pack_truncated' },
    message: 'The pack ends too early',
  },
  {
    name: 'another checksum',
    run: () => index(Buffer.concat([pack([entry]).subarray(0, -1), Buffer.of(0)])),
    detail: { code: 'pack_checksum_mismatch' },
    message: 'The pack does not match its checksum',
  },
  {
    name: 'a base where no entry begins',
    run: () => index(pack([entry, ofsDelta(1, delta(3, 'x'))])),
    detail: { code: 'delta_base_offset_invalid', packOffset: 12 + entry.length },
    message: `The delta at pack offset ${12 + entry.length} names a base where no entry begins`,
  },
  {
    name: 'a base that is itself',
    run: () => index(pack([ofsDelta(0, delta(3, 'x'))])),
    detail: { code: 'delta_base_offset_invalid', packOffset: 12 },
    message: 'The delta at pack offset 12 names a base where no entry begins',
  },
  {
    name: 'deltas without a base',
    run: () => index(pack([refDelta(two.oid, delta(3, 'x')), refDelta(two.oid, delta(3, 'y')), entry])),
    detail: { code: 'delta_base_missing', oid: two.oid, missing: 2 },
    message: `2 deltas have no base here, among them object ${two.oid}`,
  },
  {
    name: 'a delta that is too deep',
    run: () =>
      index(pack([entry, refDelta(one.oid, delta(3, 'two')), refDelta(two.oid, delta(3, 'x'))]), { deltaDepthMax: 1 }),
    detail: {
      code: 'delta_too_deep',
      limitDepth: 1,
      packOffset: 12 + entry.length + refDelta(one.oid, delta(3, 'two')).length,
    },
    message: `The delta at pack offset ${12 + entry.length + refDelta(one.oid, delta(3, 'two')).length} is deeper than the limit (max_delta_depth) of 1`,
  },
  {
    name: 'an object over the limit',
    run: () => index(pack([whole(blob('x'.repeat(101)))])),
    detail: { code: 'object_over_limit', declaredBytes: 101, limitBytes: 100 },
    message: 'An object of 101 bytes; the limit (max_object_size) is 100 bytes',
  },
  {
    name: 'more bytes than the limit',
    run: () => index(pack([entry, whole(two)]), { inflatedBytesMax: 5 }),
    detail: { code: 'pack_inflated_over_limit', limitBytes: 5 },
    message: `${LIMIT_BYTES} 5 bytes`,
  },
  {
    name: 'a damaged stream',
    run: () => inflate(damaged, 3),
    detail: { code: 'entry_inflate_failed', packOffset: 7 },
    message: 'The compressed data at pack offset 7 is damaged',
  },
  {
    name: 'fewer bytes than declared',
    run: () => inflate(deflateSync('text'), 5),
    detail: { code: 'entry_size_mismatch', declaredBytes: 5, packOffset: 7 },
    message: 'The entry at pack offset 7 declares 5 bytes and holds another number',
  },
  {
    name: 'one object twice',
    run: () => encodePackIndex(index(pack([entry, refDelta(one.oid, delta(3, 'one'))])).entries, Buffer.alloc(20)),
    detail: { code: 'object_duplicate', oid: one.oid },
    message: `The pack holds object ${one.oid} twice`,
  },
  {
    name: 'a source that became shorter while it was read',
    run: () => new SummedSource(memory(Buffer.alloc(10))).sumUpTo(11),
    detail: { code: 'pack_truncated' },
    message: 'The pack ends too early',
  },
]

const indexInvalid = (name: string, reason: string, run: () => unknown): Row => ({
  name,
  run,
  detail: { code: 'index_invalid', reason },
  message: `A pack index is invalid: ${reason}`,
})
const mtimesInvalid = (name: string, reason: string, run: () => unknown): Row => ({
  name,
  run,
  detail: { code: 'mtimes_invalid', reason },
  message: `The times of a pack's objects are invalid: ${reason}`,
})

const goodIndex = (): Buffer => encodePackIndex(index(pack([entry, whole(two)])).entries, Buffer.alloc(20, 7)).bytes
function changed(bytes: Buffer, change: (bytes: Buffer) => void): Buffer {
  const other = Buffer.from(bytes)
  change(other)
  return other
}
const mark = { objects: 2, checksum: Buffer.alloc(20, 7) }
const goodTimes = (): Buffer => encodeMtimes(Uint32Array.of(5, 2 ** 32 - 1), mark.checksum)
/** With its own checksum as it belongs. */
const timesWith = (change: (bytes: Buffer) => void): Buffer => {
  const bytes = changed(goodTimes(), change)
  createHash('sha1')
    .update(bytes.subarray(0, -20))
    .digest()
    .copy(bytes, bytes.length - 20)
  return bytes
}

const FILES: readonly Row[] = [
  indexInvalid('no index', 'it is too short', () => new PackIndex(Buffer.alloc(0))),
  indexInvalid(
    'an index that is too short by a byte',
    'it is too short',
    () => new PackIndex(goodIndex().subarray(0, 1_071)),
  ),
  indexInvalid(
    'other first letters',
    'it is not of version 2',
    () => new PackIndex(changed(goodIndex(), (bytes) => (bytes[0] = 0))),
  ),
  indexInvalid(
    'another version',
    'it is not of version 2',
    () => new PackIndex(changed(goodIndex(), (bytes) => (bytes[7] = 3))),
  ),
  indexInvalid(
    'a fan-out that falls',
    'its fan-out falls',
    () => new PackIndex(changed(goodIndex(), (bytes) => bytes.writeUInt32BE(1, 8 + 1_020))),
  ),
  ...[1, 4, 7].map((more) =>
    indexInvalid(
      `${more} bytes too many`,
      'its length does not fit its fan-out',
      () => new PackIndex(Buffer.concat([goodIndex(), Buffer.alloc(more)])),
    ),
  ),
  indexInvalid(
    'an object too few',
    'its length does not fit its fan-out',
    () => new PackIndex(goodIndex().subarray(0, -28)),
  ),
  indexInvalid('a long offset that is not there', 'a long offset is missing', () =>
    new PackIndex(changed(goodIndex(), (bytes) => bytes.writeUInt32BE(2 ** 31, 8 + 1_024 + 2 * 24))).offsetOf(0),
  ),
  indexInvalid('the long offset behind the last', 'a long offset is missing', () =>
    new PackIndex(
      changed(Buffer.concat([goodIndex(), Buffer.alloc(8)]), (bytes) =>
        bytes.writeUInt32BE(2 ** 31 + 1, 8 + 1_024 + 2 * 24),
      ),
    ).offsetOf(0),
  ),
  mtimesInvalid('times of other length', 'its length does not fit its pack', () =>
    decodeMtimes(goodTimes(), { ...mark, objects: 3 }),
  ),
  ...[0, 4, 8].map((at) =>
    mtimesInvalid(`another byte at ${at} of the times`, 'it is not of version 1 and SHA-1', () =>
      decodeMtimes(
        timesWith((bytes) => (bytes[at] = 9)),
        mark,
      ),
    ),
  ),
  mtimesInvalid('times of another pack', 'it is of another pack', () =>
    decodeMtimes(goodTimes(), { ...mark, checksum: Buffer.alloc(20) }),
  ),
  mtimesInvalid('other times than the checksum is of', 'it does not match its checksum', () =>
    decodeMtimes(
      changed(goodTimes(), (bytes) => (bytes[12] = 1)),
      mark,
    ),
  ),
]

describe.each([
  { suite: 'headers', rows: HEADERS },
  { suite: 'packs', rows: PACKS },
  { suite: 'files beside packs', rows: FILES },
])('of $suite', ({ rows }) => {
  it.each(rows)('$name is refused', ({ run, detail, message }) => {
    expect(run).toThrow(expect.objectContaining({ name: 'PackError', detail, message }))
  })
})

it('a budget is for all objects together, and may be spent to the last byte', () => {
  const budget = new InflateBudget(LIMITS)
  for (let spent = 0; spent < 1_000; spent += 100) budget.spend(100)
  budget.spend(0)
  expect(() => budget.spend(1)).toThrow(`${LIMIT_BYTES} 1000 bytes`)
})

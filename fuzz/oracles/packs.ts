/** Reads a pack as a push does, in memory, and holds what comes out against itself. */
import assert from 'node:assert/strict'
import { createHash } from 'node:crypto'
import { crc32 } from 'node:zlib'
import { typeNameOf } from '../../src/git/object/type.ts'
import { encodePackIndex, PackIndex } from '../../src/git/pack/index-file.ts'
import { type IndexedPack, indexPack } from '../../src/git/pack/indexer.ts'
import { withinBudget } from './allocation-meter.ts'
import { drainTicks } from './drain-ticks.ts'

export const PACK_LIMITS = {
  objectsMax: 4_096,
  objectBytesMax: 65_536,
  inflatedBytesMax: 2 ** 20,
  deltaDepthMax: 20,
} as const

/** The tables it begins with, the buffer for the checksum, and what the limits allow it to inflate, some times over. */
const ALLOCATION_BYTES_MAX = 8 * 2 ** 20

export interface PackObject {
  /** 1–4 */
  readonly type: number
  readonly data: Buffer
}

export interface ReadPack {
  /** Name in hex → object. */
  readonly objects: ReadonlyMap<string, PackObject>
  readonly externalBases: readonly string[]
}

/**
 * @param outside what the repository has already, by name in hex
 * @throws PackError; AssertionError where the index does not say what the pack does
 */
export function readPack(pack: Buffer, outside: ReadonlyMap<string, PackObject> = new Map()): ReadPack {
  try {
    return withinBudget(ALLOCATION_BYTES_MAX, () => read(pack, outside))
  } finally {
    drainTicks()
  }
}

function read(pack: Buffer, outside: ReadonlyMap<string, PackObject>): ReadPack {
  const objects = new Map<string, PackObject>()
  const source = { bytes: pack.length, read: (target: Buffer, position: number) => pack.copy(target, 0, position) }
  let declared = 0
  const indexed = indexPack(source, PACK_LIMITS, {
    onDeclared: (count) => (declared = count),
    onObject(type, data, oids, oidAt) {
      const oid = nameOf({ type, data })
      assert.equal(oids.toString('hex', oidAt, oidAt + 20), oid)
      objects.set(oid, { type, data: Buffer.from(data) })
    },
    readBase: (oid) => outside.get(oid.toString('hex')),
    onProgress() {},
  })
  assert.equal(indexed.entries.count, declared)
  checkIndex(pack, indexed, objects)
  return { objects, externalBases: indexed.externalBases.map((oid) => oid.toString('hex')) }
}

/** Each object lies where the index says, and the bytes up to the next one have the checksum that it says. */
function checkIndex(pack: Buffer, { entries, entriesEnd }: IndexedPack, objects: ReadonlyMap<string, unknown>): void {
  const index = new PackIndex(encodePackIndex(entries, pack.subarray(-20)).bytes)
  assert.equal(index.count, entries.count)
  assert.equal(objects.size, entries.count)
  for (let entry = 0; entry < entries.count; entry++) {
    const [from = 0, to = entriesEnd] = entries.offsets.subarray(entry, Math.min(entry + 2, entries.count))
    const rank = index.rankOf(entries.oids, (entries.names[entry] ?? 0) * 20)
    assert(rank >= 0 && objects.has(index.oidAt(rank)))
    assert.equal(index.offsetOf(rank), from)
    assert.equal(entries.crcs[entry], crc32(pack.subarray(from, to)))
  }
}

export function nameOf({ type, data }: PackObject): string {
  return createHash('sha1')
    .update(`${typeNameOf(type)} ${data.length}\0`)
    .update(data)
    .digest('hex')
}

import { createHash } from 'node:crypto'

import { isFanout, SortedNames, writeFanout } from '../object/sorted-names.ts'
import { PackError } from './error.ts'

/**
 * Pack index version 2 (gitformat-pack, "Version 2 pack-*.idx files"): fan-out, names, CRCs, offsets, long offsets,
 * the pack's checksum, the index's own.
 */

const HEADER_BYTES = 8
const FANOUT_BYTES = 256 * 4
const OIDS_AT = HEADER_BYTES + FANOUT_BYTES
const MAGIC = 0xff744f63

export interface IndexedObjects {
  readonly count: number
  /** Names, 20 bytes each by their number. */
  readonly oids: Buffer
  /** By object, in pack order: the number of its name. */
  readonly names: Int32Array
  readonly crcs: Uint32Array
  readonly offsets: Float64Array
}

export interface EncodedIndex {
  readonly bytes: Buffer
  /** What git names a pack by: two packs of the same objects may lie differently, and have two names. */
  readonly packName: string
}

/** @throws PackError object_duplicate: one name twice in one pack, which `index-pack --strict` refuses as well */
export function encodePackIndex(objects: IndexedObjects, packChecksum: Buffer): EncodedIndex {
  const { count, oids, names, crcs, offsets } = objects
  const order = inOrderOfNames(oids, names, count)
  let longOffsets = 0
  for (let i = 0; i < count; i++) if ((offsets[i] as number) >= 2 ** 31) longOffsets++
  const bytes = Buffer.alloc(OIDS_AT + count * 28 + longOffsets * 8 + 40)
  bytes.writeUInt32BE(MAGIC, 0)
  bytes.writeUInt32BE(2, 4)
  const oidsAt = OIDS_AT
  const crcsAt = oidsAt + count * 20
  const offsetsAt = crcsAt + count * 4
  let longAt = offsetsAt + count * 4
  for (let rank = 0; rank < count; rank++) {
    const entry = order[rank] as number
    const oidAt = oidsAt + rank * 20
    const from = (names[entry] as number) * 20
    for (let i = 0; i < 20; i++) bytes[oidAt + i] = oids[from + i] as number
    if (rank > 0 && bytes.compare(bytes, oidAt - 20, oidAt, oidAt, oidAt + 20) === 0) {
      const oid = bytes.toString('hex', oidAt, oidAt + 20)
      throw new PackError({ code: 'object_duplicate', oid }, `The pack holds object ${oid} twice`)
    }
    bytes.writeUInt32BE(crcs[entry] as number, crcsAt + rank * 4)
    const offset = offsets[entry] as number
    if (offset < 2 ** 31) bytes.writeUInt32BE(offset, offsetsAt + rank * 4)
    else {
      bytes.writeUInt32BE(2 ** 31 + (longAt - offsetsAt - count * 4) / 8, offsetsAt + rank * 4)
      bytes.writeBigUInt64BE(BigInt(offset), longAt)
      longAt += 8
    }
  }
  writeFanout(bytes, HEADER_BYTES, bytes.subarray(OIDS_AT), count)
  packChecksum.copy(bytes, bytes.length - 40)
  createHash('sha1')
    .update(bytes.subarray(0, -20))
    .digest()
    .copy(bytes, bytes.length - 20)
  return { bytes, packName: packChecksum.toString('hex') }
}

/** Bytes of a name that say into which pile it comes first: of few names, piles of two would nearly all be empty. */
const pileBytesOf = (count: number): 1 | 2 => (count < 4_096 ? 1 : 2)

const PILE_MOVED_MAX = 64

/** @returns the entries, sorted into piles by the first bytes of their names, each pile then by the rest */
function inOrderOfNames(oids: Buffer, names: Int32Array, count: number): Uint32Array {
  const pileBytes = pileBytesOf(count)
  const piles = 256 ** pileBytes
  const pileOf = (entry: number): number => {
    const at = (names[entry] as number) * 20
    return pileBytes === 1 ? (oids[at] as number) : ((oids[at] as number) << 8) | (oids[at + 1] as number)
  }
  const ends = new Uint32Array(piles + 1)
  for (let entry = 0; entry < count; entry++) ends[pileOf(entry) + 1]! += 1
  for (let pile = 1; pile < ends.length; pile++) ends[pile]! += ends[pile - 1] as number
  const order = new Uint32Array(count)
  for (let entry = 0; entry < count; entry++) order[ends[pileOf(entry)]!++] = entry
  const compare = (a: number, b: number): number => {
    const [atA, atB] = [(names[a] as number) * 20, (names[b] as number) * 20]
    for (let i = pileBytes; i < 20; i++) {
      const difference = (oids[atA + i] as number) - (oids[atB + i] as number)
      if (difference !== 0) return difference
    }
    return 0
  }
  for (let pile = 0, start = 0; pile < piles; pile++) {
    const end = ends[pile] as number
    // Piles are small, and a call of sort costs more than moving a few numbers; whoever grinds names must not gain by it.
    if (end - start > PILE_MOVED_MAX) order.subarray(start, end).sort(compare)
    else moveInOrder(order, start, end, compare)
    start = end
  }
  return order
}

function moveInOrder(order: Uint32Array, start: number, end: number, compare: (a: number, b: number) => number): void {
  for (let at = start + 1; at < end; at++) {
    const entry = order[at] as number
    let place = at
    for (; place > start && compare(order[place - 1] as number, entry) > 0; place--)
      order[place] = order[place - 1] as number
    order[place] = entry
  }
}

/** Look-ups in one index, which stays in memory as it is on disk: 28 bytes an object. */
export class PackIndex {
  readonly count: number
  readonly #bytes: Buffer
  readonly #names: SortedNames
  readonly #offsetsAt: number

  /** @throws PackError index_invalid */
  constructor(bytes: Buffer) {
    if (bytes.length < OIDS_AT + 40) throw indexInvalid('it is too short')
    if (bytes.readUInt32BE(0) !== MAGIC || bytes.readUInt32BE(4) !== 2) throw indexInvalid('it is not of version 2')
    if (!isFanout(bytes, HEADER_BYTES)) throw indexInvalid('its fan-out falls')
    this.#bytes = bytes
    this.#names = new SortedNames(bytes, HEADER_BYTES, OIDS_AT)
    this.count = this.#names.count
    const rest = bytes.length - (OIDS_AT + this.count * 28 + 40)
    if (rest < 0 || rest % 8 !== 0) throw indexInvalid('its length does not fit its fan-out')
    this.#offsetsAt = OIDS_AT + this.count * 24
  }

  /** @returns the object's rank in the order of names, or -1 */
  rankOf(oid: Buffer, at = 0): number {
    return this.#names.rankOf(oid, at)
  }

  offsetOf(rank: number): number {
    const offset = this.#bytes.readUInt32BE(this.#offsetsAt + rank * 4)
    if (offset < 2 ** 31) return offset
    const longAt = this.#offsetsAt + this.count * 4 + (offset - 2 ** 31) * 8
    if (longAt + 8 > this.#bytes.length - 40) throw indexInvalid('a long offset is missing')
    return Number(this.#bytes.readBigUInt64BE(longAt))
  }

  /** Of the file. */
  get bytes(): number {
    return this.#bytes.length
  }

  /** Of the pack that this is the index of: the 20 bytes that end it. */
  get packChecksum(): Buffer {
    return this.#bytes.subarray(-40, -20)
  }

  /** Copies the name into `target` at `at`. */
  copyOid(rank: number, target: Buffer, at: number): void {
    this.#names.copy(rank, target, at)
  }

  oidAt(rank: number): string {
    return this.#names.hexAt(rank)
  }
}

function indexInvalid(reason: string): PackError {
  return new PackError({ code: 'index_invalid', reason }, `A pack index is invalid: ${reason}`)
}

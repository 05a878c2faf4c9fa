import { createHash } from 'node:crypto'
import { BitSet } from './bit-set.ts'
import { bitmapInvalid } from './error.ts'
import { decodeEwah, encodeEwah, ewahEnd } from './ewah.ts'

/**
 * Reachability bitmaps of one pack, version 1 (gitformat-bitmap): for some of its commits, all objects that they reach,
 * themselves included. A bit's number is the object's place in the pack.
 */

const MAGIC = 'BITM'
const VERSION = 1
const HEADER_BYTES = 32
const CHECKSUM_BYTES = 20
const ENTRY_HEADER_BYTES = 6
/** Everything that a commit with a bitmap reaches is in the pack: git reads no others. */
const FULL_DAG = 1
/** How far back another commit's bits may lie of which an entry holds the difference (MAX_XOR_OFFSET in pack-bitmap.c). */
const BACK_MAX = 160
/** Ours: what finding one entry's bits may cost, in entries. */
const CHAIN_MAX = 16
/** No commit is so near that this would be its number. */
const NONE = -1

export interface PackMark {
  readonly objects: number
  /** The 20 bytes that end the pack. */
  readonly checksum: Buffer
}

interface Entry {
  /** Of its compressed bits. */
  readonly at: number
  /** The entry that its bits are the difference to, or -1. */
  readonly base: number
}

/** The sets of positions that each type has, in the order of the file. */
export interface TypeSets {
  readonly commits: BitSet
  readonly trees: BitSet
  readonly blobs: BitSet
  readonly tags: BitSet
}

export class BitmapFile {
  readonly #bytes: Buffer
  readonly #objects: number
  readonly #typesAt: readonly number[]
  readonly #entries: readonly Entry[]
  /** By the commit's rank in the pack's index. */
  readonly #byRank: ReadonlyMap<number, number>
  #types: TypeSets | undefined

  /** @throws BitmapError: it is damaged, or another pack's */
  constructor(bytes: Buffer, pack: PackMark) {
    if (bytes.length < HEADER_BYTES + CHECKSUM_BYTES) throw bitmapInvalid('it is too short')
    if (bytes.toString('latin1', 0, 4) !== MAGIC || bytes.readUInt16BE(4) !== VERSION) {
      throw bitmapInvalid('it is not of version 1')
    }
    if ((bytes.readUInt16BE(6) & FULL_DAG) === 0) throw bitmapInvalid('its commits may reach what it does not know')
    if (bytes.compare(pack.checksum, 0, CHECKSUM_BYTES, 12, 12 + CHECKSUM_BYTES) !== 0) {
      throw bitmapInvalid('it is of another pack')
    }
    const end = bytes.length - CHECKSUM_BYTES
    if (!checksumOf(bytes.subarray(0, end)).equals(bytes.subarray(end))) {
      throw bitmapInvalid('it does not match its checksum')
    }
    this.#bytes = bytes
    this.#objects = pack.objects
    let at = HEADER_BYTES
    const typesAt: number[] = []
    for (let type = 0; type < 4; type++) {
      typesAt.push(at)
      at = ewahEnd(bytes, at, end)
    }
    this.#typesAt = typesAt
    const count = bytes.readUInt32BE(8)
    const entries: Entry[] = []
    const byRank = new Map<number, number>()
    for (let entry = 0; entry < count; entry++) {
      if (at + ENTRY_HEADER_BYTES > end) throw bitmapInvalid('it has fewer commits than it says')
      const rank = bytes.readUInt32BE(at)
      const back = bytes[at + 4] as number
      if (rank >= pack.objects) throw bitmapInvalid('a commit is not in the pack')
      if (back > entry || back > BACK_MAX) throw bitmapInvalid('a commit is the difference to none')
      byRank.set(rank, entry)
      entries.push({ at: at + ENTRY_HEADER_BYTES, base: back === 0 ? NONE : entry - back })
      at = ewahEnd(bytes, at + ENTRY_HEADER_BYTES, end)
    }
    this.#entries = entries
    this.#byRank = byRank
  }

  /** How many commits have bits. */
  get commits(): number {
    return this.#byRank.size
  }

  /** @throws BitmapError */
  get types(): TypeSets {
    const [commits, trees, blobs, tags] = this.#typesAt as [number, number, number, number]
    const read = (at: number): BitSet => decodeEwah(this.#bytes, at, this.#objects)
    return (this.#types ??= { commits: read(commits), trees: read(trees), blobs: read(blobs), tags: read(tags) })
  }

  /**
   * @param rank the commit's, in the pack's index
   * @returns the positions of all that it reaches, the caller's to change; undefined where it has no bits
   * @throws BitmapError
   */
  reachedFrom(rank: number): BitSet | undefined {
    const found = this.#byRank.get(rank)
    if (found === undefined) return undefined
    return unfold(this.#entries, found, ({ at }) => decodeEwah(this.#bytes, at, this.#objects))
  }
}

/** An entry holds the bits themselves, or their difference to those of another one, and so on. */
function unfold<T extends { readonly base: number }>(
  entries: readonly T[],
  from: number,
  decode: (entry: T) => BitSet,
): BitSet {
  let entry = entries[from] as T
  const bits = decode(entry)
  while (entry.base !== NONE) {
    entry = entries[entry.base] as T
    bits.flipAll(decode(entry))
  }
  return bits
}

/** Puts a bitmap file together, commit by commit, so that few bit sets are in memory at a time. */
export class BitmapWriter {
  readonly #pack: PackMark
  readonly #types: readonly Buffer[]
  readonly #entries: { readonly rank: number; readonly coded: Buffer; readonly base: number }[] = []
  readonly #byRank = new Map<number, number>()
  #last: { readonly bits: BitSet; readonly chain: number } | undefined

  constructor(pack: PackMark, types: TypeSets) {
    this.#pack = pack
    this.#types = [types.commits, types.trees, types.blobs, types.tags].map((bits) => encodeEwah(bits))
  }

  /** @returns what was added for the commit, the caller's to change */
  reachedFrom(rank: number): BitSet | undefined {
    const found = this.#byRank.get(rank)
    if (found === undefined) return undefined
    return unfold(this.#entries, found, ({ coded }) => decodeEwah(coded, 0, this.#pack.objects))
  }

  /** @param reached is the writer's from now on */
  add(rank: number, reached: BitSet): void {
    let coded = encodeEwah(reached)
    let chain = 0
    const last = this.#last
    if (last !== undefined && last.chain < CHAIN_MAX) {
      const difference = reached.copy()
      difference.flipAll(last.bits)
      const smaller = encodeEwah(difference)
      if (smaller.length < coded.length) {
        coded = smaller
        chain = last.chain + 1
      }
    }
    this.#byRank.set(rank, this.#entries.length)
    const base = chain > 0 ? this.#entries.length - 1 : NONE
    // A copy: what was encoded is a part of something larger.
    this.#entries.push({ rank, coded: Buffer.from(coded), base })
    this.#last = { bits: reached, chain }
  }

  finish(): Buffer {
    const header = Buffer.alloc(HEADER_BYTES)
    header.write(MAGIC, 'latin1')
    header.writeUInt16BE(VERSION, 4)
    header.writeUInt16BE(FULL_DAG, 6)
    header.writeUInt32BE(this.#entries.length, 8)
    this.#pack.checksum.copy(header, 12)
    const parts = this.#entries.flatMap(({ rank, coded, base }) => {
      const entryHeader = Buffer.alloc(ENTRY_HEADER_BYTES)
      entryHeader.writeUInt32BE(rank, 0)
      entryHeader[4] = base === NONE ? 0 : 1
      return [entryHeader, coded]
    })
    const content = Buffer.concat([header, ...this.#types, ...parts])
    return Buffer.concat([content, checksumOf(content)])
  }
}

function checksumOf(bytes: Buffer): Buffer {
  return createHash('sha1').update(bytes).digest()
}

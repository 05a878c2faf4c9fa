import { closeSync, fstatSync, openSync, readFileSync, readSync } from 'node:fs'
import { constants, inflateSync } from 'node:zlib'

import { applyDelta, decodeDeltaSizes } from '../../git/delta.ts'
import { deflate } from '../../git/pack/deflate.ts'
import { PackError } from '../../git/pack/error.ts'
import {
  decodeEntryHeader,
  type EntryHeader,
  ENTRY_HEADER_BYTES_MAX,
  ENTRY_TYPE,
  PACK_HEADER_BYTES,
  PACK_TRAILER_BYTES,
} from '../../git/pack/header.ts'
import { PackIndex } from '../../git/pack/index-file.ts'
import { inflateAt } from '../../git/pack/inflate.ts'
import { PackWindows } from '../../git/pack/pack-windows.ts'
import type { ByteSource, PackWindow } from '../../git/pack/source.ts'
import type { ObjectCache, WholeEntry } from './object-cache.ts'
import { PackBases } from './pack-bases.ts'
import { PackOrder } from './pack-order.ts'

export interface StoredObject {
  /** 1 commit, 2 tree, 3 blob, 4 tag */
  readonly type: number
  readonly data: Buffer
}

/** A file that is opened when something is read of it. */
export class FileSource implements ByteSource {
  readonly #path: string
  #bytes = 0
  /** -1: closed */
  #descriptor = -1

  constructor(path: string) {
    this.#path = path
  }

  get bytes(): number {
    this.open()
    return this.#bytes
  }

  get isOpen(): boolean {
    return this.#descriptor >= 0
  }

  /** @returns whether it was closed: what lies there now may be another file than before */
  open(): boolean {
    if (this.#descriptor >= 0) return false
    const descriptor = openSync(this.#path, 'r')
    try {
      this.#bytes = fstatSync(descriptor).size
    } catch (error) {
      closeSync(descriptor)
      throw error
    }
    this.#descriptor = descriptor
    return true
  }

  read(target: Buffer, position: number): number {
    this.open()
    return readSync(this.#descriptor, target, 0, target.length, position)
  }

  close(): void {
    if (this.#descriptor >= 0) closeSync(this.#descriptor)
    this.#descriptor = -1
  }
}

/** The pack's checksum, which ends it. */
export function readTrailer(pack: ByteSource): Buffer {
  const trailer = Buffer.alloc(PACK_TRAILER_BYTES)
  pack.read(trailer, pack.bytes - PACK_TRAILER_BYTES)
  return trailer
}

/** Objects that are read one after another mostly lie near each other, but not within megabytes. */
const RANDOM_ACCESS_BYTES = 32 * 1024

/** Deltas are verified when a pack comes in; this only ends a loop in a pack that was damaged since. */
const CHAIN_LENGTH_MAX = 65_536

/** A delta says the size of what it makes in its first bytes; so few compressed ones always hold them. */
const DELTA_HEAD_BYTES = 128

let packsOpened = 0

/**
 * One stored pack with its index, read synchronously: for worker threads, and for small reads elsewhere. Of the pack itself
 * nothing is open before something is read of it: most of a repository's packs are only asked what they hold.
 *
 * Whatever reads of it throws ENOENT where it was closed and is gone, and PackError index_invalid where it is another file.
 */
export class PackFile {
  readonly name: string
  readonly path: string
  readonly index: PackIndex
  readonly #file: FileSource
  readonly #cache: ObjectCache
  #windows: PackWindows | undefined
  /** Among all that share a cache: another copy of the pack may be damaged where this one is not. */
  readonly #number = packsOpened++

  /** What lies there is not what its index is of: whoever looks for packs reads both anew. */
  isAnother = false

  #order: PackOrder | undefined
  #bases: PackBases | undefined

  /** @param indexBytes of a pack whose index is not on disk yet */
  constructor(packPath: string, name: string, cache: ObjectCache, indexBytes?: Buffer) {
    this.name = name
    this.path = packPath
    this.index = new PackIndex(indexBytes ?? readFileSync(packPath.replace(/\.pack$/, '.idx')))
    this.#file = new FileSource(packPath)
    this.#cache = cache
  }

  /** What is known of it stays known, and it is opened again as it was at first. */
  close(): void {
    this.#file.close()
    this.#windows = undefined
  }

  /** For who needs it later, whatever becomes of its name until then. */
  open(): void {
    if (!this.#file.open()) return
    try {
      this.#assertTogether()
    } catch (error) {
      this.isAnother = true
      this.close()
      throw error
    }
  }

  get isOpen(): boolean {
    return this.#file.isOpen
  }

  get source(): FileSource {
    this.open()
    return this.#file
  }

  get #view(): PackWindows {
    this.open()
    return (this.#windows ??= new PackWindows(this.#file, this.#file.bytes - PACK_TRAILER_BYTES, RANDOM_ACCESS_BYTES))
  }

  /** An index says where in its own pack an object lies, and what lies there in another one is anything. */
  #assertTogether(): void {
    if (this.#file.bytes < PACK_TRAILER_BYTES || !this.index.packChecksum.equals(readTrailer(this.#file))) {
      throw new PackError({ code: 'index_invalid', reason: 'another pack' }, `${this.name} does not match its index`)
    }
  }

  /** In which order the objects lie. */
  get order(): PackOrder {
    return (this.#order ??= new PackOrder(this.index, this.source.bytes - PACK_TRAILER_BYTES))
  }

  /** What the objects are deltas of. */
  get bases(): PackBases {
    return (this.#bases ??= new PackBases(this.order, (offset) => this.entryAt(offset)))
  }

  entryAt(offset: number): EntryAt {
    const head = this.#view.view(offset, ENTRY_HEADER_BYTES_MAX)
    const header = decodeEntryHeader(head, 0, offset)
    if (header.type === ENTRY_TYPE.ofsDelta) {
      const baseOffset = offset - header.baseDistance
      if (baseOffset < PACK_HEADER_BYTES || baseOffset === offset) {
        throw new PackError({ code: 'delta_base_offset_invalid', packOffset: offset }, 'A stored delta has no base')
      }
      return toEntry(header, baseOffset, false)
    }
    if (header.type !== ENTRY_TYPE.refDelta) return toEntry(header, -1, false)
    const rank = this.index.rankOf(Buffer.from(head.subarray(header.baseOidAt, header.baseOidAt + 20)))
    if (rank < 0)
      throw new PackError({ code: 'delta_base_missing', oid: null, missing: 1 }, 'A stored delta has no base')
    return toEntry(header, this.index.offsetOf(rank), true)
  }

  readObject(oid: Buffer): StoredObject | undefined {
    const rank = this.index.rankOf(oid)
    return rank < 0 ? undefined : this.readAt(this.index.offsetOf(rank))
  }

  /** Raw bytes of the pack, valid until the next call; fewer than asked for only at its end. */
  read(position: number, bytes: number): Buffer {
    return this.#view.view(position, bytes).subarray(0, bytes)
  }

  /** As `read`, for many small reads: each view of a buffer is an object. */
  windowAt(position: number, bytes: number): PackWindow {
    return this.#view.windowAt(position, bytes)
  }

  /** What is going to be read next, in one piece. */
  load(position: number, bytes: number): void {
    this.#view.load(position, bytes)
  }

  /** The object's type, without inflating anything. */
  typeAt(offset: number): number {
    for (let at = offset, depth = 0; depth < CHAIN_LENGTH_MAX; depth++) {
      const entry = this.entryAt(at)
      if (entry.baseOffset < 0) return entry.type
      at = entry.baseOffset
    }
    throw new PackError(
      { code: 'delta_too_deep', limitDepth: CHAIN_LENGTH_MAX, packOffset: offset },
      'A stored delta never ends',
    )
  }

  /** The object's bytes, told by its entry or by the beginning of its delta. */
  sizeAt(offset: number): number {
    const { baseOffset, headerBytes, sizeBytes } = this.entryAt(offset)
    if (baseOffset < 0) return sizeBytes
    const head = this.read(offset + headerBytes, DELTA_HEAD_BYTES)
    return decodeDeltaSizes(inflateSync(head, { finishFlush: constants.Z_SYNC_FLUSH })).resultBytes
  }

  /** The object as an entry holds it that is no delta. */
  readWholeAt(offset: number): WholeEntry {
    const known = this.#cache.getWhole(this.#number, offset)
    if (known !== undefined) return known
    const { type, data } = this.readAt(offset)
    const whole = { type, sizeBytes: data.length, deflated: Buffer.from(deflate(data)) }
    this.#cache.setWhole(this.#number, offset, whole)
    return whole
  }

  readAt(offset: number): StoredObject {
    const chain: { at: number; sizeBytes: number; dataAt: number }[] = []
    let object: StoredObject | undefined
    for (let at = offset; ;) {
      object = this.#cache.get(this.#number, at)
      if (object !== undefined) break
      const entry = this.entryAt(at)
      const dataAt = at + entry.headerBytes
      if (entry.baseOffset < 0) {
        object = { type: entry.type, data: inflateAt(this.#view, dataAt, entry.sizeBytes, at).data }
        this.#cache.set(this.#number, at, object)
        break
      }
      if (chain.length >= CHAIN_LENGTH_MAX) {
        throw new PackError(
          { code: 'delta_too_deep', limitDepth: CHAIN_LENGTH_MAX, packOffset: offset },
          'A stored delta never ends',
        )
      }
      chain.push({ at, sizeBytes: entry.sizeBytes, dataAt })
      at = entry.baseOffset
    }
    for (let link = chain.pop(); link !== undefined; link = chain.pop()) {
      const delta = inflateAt(this.#view, link.dataAt, link.sizeBytes, link.at).data
      object = { type: object.type, data: applyDelta(object.data, delta, Number.MAX_SAFE_INTEGER) }
      this.#cache.set(this.#number, link.at, object)
    }
    return object
  }
}

export interface EntryAt {
  readonly type: number
  readonly sizeBytes: number
  readonly headerBytes: number
  /** Where the base's entry begins in the same pack; -1 for a whole object. */
  readonly baseOffset: number
  /** By its name, and not by its distance. */
  readonly isBaseNamed: boolean
}

function toEntry({ type, sizeBytes, headerBytes }: EntryHeader, baseOffset: number, isBaseNamed: boolean): EntryAt {
  return { type, sizeBytes, headerBytes, baseOffset, isBaseNamed }
}

import { createHash } from 'node:crypto'
import { crc32 } from 'node:zlib'

import { EntryTable } from './entry-table.ts'
import { PackError } from './error.ts'
import { decodeEntryHeader, decodePackHeader, ENTRY_HEADER_BYTES_MAX, ENTRY_TYPE, PACK_HEADER_BYTES, PACK_TRAILER_BYTES } from './header.ts'
import { inflateAt } from './inflate.ts'
import { resolveDeltas } from './resolve-deltas.ts'
import type { ByteSource } from './source.ts'
import { PackWindow } from './source.ts'

/** Each is checked before what it bounds is spent (DESIGN §5, Budgets). */
export interface PackLimits {
  readonly objectsMax: number
  /** Inflated bytes of one object. */
  readonly objectBytesMax: number
  /** Inflated bytes of all entries and of all objects that deltas make. */
  readonly inflatedBytesMax: number
  readonly deltaDepthMax: number
}

export interface IndexerHooks {
  /** Each object of the pack once, with its bytes. `oid` lies at `oidAt` in a shared buffer, valid during the call. */
  onObject(type: number, data: Buffer, oids: Buffer, oidAt: number): void
  /** A base outside the pack, for a thin pack. */
  readBase(oid: Buffer): { readonly type: number; readonly data: Buffer } | undefined
  /** Entries done so far, for progress; called seldom. */
  onProgress(phase: 'receiving' | 'resolving', done: number, total: number): void
}

export interface IndexedPack {
  readonly entries: EntryTable
  /** Bases taken from outside, to be appended so that the pack stands alone; in this order. */
  readonly externalBases: readonly Buffer[]
  /** Where the entries end: appended bases begin here, the checksum follows. */
  readonly entriesEnd: number
}

const PROGRESS_EVERY = 4096

/**
 * Reads a whole pack once, checks its checksum, names every object, resolves every delta, in memory bounded by the
 * number of objects and one chain of deltas. Runs in a worker thread.
 *
 * @throws PackError whatever is wrong with the pack
 */
export function indexPack(source: ByteSource, limits: PackLimits, hooks: IndexerHooks): IndexedPack {
  const header = readExactly(source, 0, PACK_HEADER_BYTES)
  const declared = decodePackHeader(header, limits.objectsMax)
  if (source.bytes < PACK_HEADER_BYTES + PACK_TRAILER_BYTES) throw truncated()
  const budget = new InflateBudget(limits)
  const window = new PackWindow(source, source.bytes - PACK_TRAILER_BYTES)
  const entries = new EntryTable()
  const refDeltas = new Map<string, number[]>()
  let position = PACK_HEADER_BYTES
  for (let number = 0; number < declared; number++) {
    position = scanEntry(window, position, entries, refDeltas, budget, hooks)
    if (number % PROGRESS_EVERY === 0) hooks.onProgress('receiving', number, declared)
  }
  if (position !== window.end) {
    throw new PackError(
      { code: 'pack_trailing_bytes' },
      `The pack declares ${declared} objects, and ${window.end - position} bytes follow the last of them`,
    )
  }
  checkChecksum(source)
  const externalBases = resolveDeltas({ window, entries, refDeltas, limits, budget, hooks })
  return { entries, externalBases, entriesEnd: window.end }
}

/** Counts what was inflated against the limit for the whole pack. */
export class InflateBudget {
  readonly #limits: PackLimits
  #spent = 0

  constructor(limits: PackLimits) {
    this.#limits = limits
  }

  /** Called before the bytes are made. */
  spend(bytes: number): void {
    if (bytes > this.#limits.objectBytesMax) {
      throw new PackError(
        { code: 'object_over_limit', declaredBytes: bytes, limitBytes: this.#limits.objectBytesMax },
        `An object of ${bytes} bytes; the limit (max_object_size) is ${this.#limits.objectBytesMax} bytes`,
      )
    }
    this.#spent += bytes
    if (this.#spent > this.#limits.inflatedBytesMax) {
      throw new PackError(
        { code: 'pack_inflated_over_limit', limitBytes: this.#limits.inflatedBytesMax },
        `The pack inflates to more than the limit (max_inflated_size) of ${this.#limits.inflatedBytesMax} bytes`,
      )
    }
  }
}

function scanEntry(
  window: PackWindow,
  position: number,
  entries: EntryTable,
  refDeltas: Map<string, number[]>,
  budget: InflateBudget,
  hooks: IndexerHooks,
): number {
  if (position >= window.end) throw truncated()
  const head = window.view(position, ENTRY_HEADER_BYTES_MAX)
  const { type, sizeBytes, headerBytes, baseDistance, baseOidAt } = decodeEntryHeader(head, 0, position)
  const baseOid = type === ENTRY_TYPE.refDelta ? head.toString('hex', baseOidAt, baseOidAt + 20) : undefined
  let base = -1
  if (type === ENTRY_TYPE.ofsDelta) {
    base = baseDistance > 0 ? entries.entryAt(position - baseDistance) : -1
    if (base < 0) {
      throw new PackError(
        { code: 'delta_base_offset_invalid', packOffset: position },
        `The delta at pack offset ${position} names a base where no entry begins`,
      )
    }
  }
  budget.spend(sizeBytes)
  const { data, consumedBytes } = inflateAt(window, position + headerBytes, sizeBytes, position)
  const next = position + headerBytes + consumedBytes
  const entry = entries.add(position, type, headerBytes, sizeBytes)
  entries.crcs[entry] = crc32(window.view(position, next - position).subarray(0, next - position))
  if (base >= 0) entries.addChild(base, entry)
  else if (baseOid !== undefined) {
    const waiting = refDeltas.get(baseOid)
    if (waiting === undefined) refDeltas.set(baseOid, [entry])
    else waiting.push(entry)
  } else nameObject(entries, entry, type, data, hooks)
  return next
}

const TYPE_NAMES = ['', 'commit', 'tree', 'blob', 'tag'] as const

/** Computes an object's name, records it and hands the object on. */
export function nameObject(entries: EntryTable, entry: number, type: number, data: Buffer, hooks: IndexerHooks): void {
  const oid = createHash('sha1').update(`${TYPE_NAMES[type]} ${data.length}\0`).update(data).digest()
  oid.copy(entries.oids, entry * 20)
  entries.types[entry] = type
  entries.byOid.set(oid, 0, entry)
  hooks.onObject(type, data, entries.oids, entry * 20)
}

function checkChecksum(source: ByteSource): void {
  const hash = createHash('sha1')
  const end = source.bytes - PACK_TRAILER_BYTES
  const buffer = Buffer.allocUnsafe(1024 * 1024)
  for (let position = 0; position < end; ) {
    const count = source.read(buffer.subarray(0, Math.min(buffer.length, end - position)), position)
    if (count === 0) throw truncated()
    hash.update(buffer.subarray(0, count))
    position += count
  }
  if (!hash.digest().equals(readExactly(source, end, PACK_TRAILER_BYTES))) {
    throw new PackError({ code: 'pack_checksum_mismatch' }, 'The pack does not match its checksum')
  }
}

function readExactly(source: ByteSource, position: number, bytes: number): Buffer {
  const buffer = Buffer.alloc(bytes)
  if (source.read(buffer, position) !== bytes) throw truncated()
  return buffer
}

function truncated(): PackError {
  return new PackError({ code: 'pack_truncated' }, 'The pack ends too early')
}

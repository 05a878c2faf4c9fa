import { createHash } from 'node:crypto'
import { crc32 } from 'node:zlib'

import { EntryTable } from './entry-table.ts'
import { PackError } from './error.ts'
import {
  decodeEntryHeader,
  decodePackHeader,
  ENTRY_HEADER_BYTES_MAX,
  ENTRY_TYPE,
  PACK_HEADER_BYTES,
  PACK_TRAILER_BYTES,
} from './header.ts'
import { inflateAt } from './inflate.ts'
import { InflateBudget, type PackLimits } from './limits.ts'
import { type IndexerHooks, nameObject } from './name-object.ts'
import { resolveDeltas } from './resolve-deltas.ts'
import type { ByteSource } from './source.ts'
import { PackWindow } from './source.ts'
import { WaitingDeltas } from './waiting-deltas.ts'

export interface IndexedPack {
  readonly entries: EntryTable
  /** Bases taken from outside, to be appended so that the pack stands alone; in this order. */
  readonly externalBases: readonly Buffer[]
  /** Where the entries end: appended bases begin here, the checksum follows. */
  readonly entriesEnd: number
}

const PROGRESS_EVERY = 4096
/** Type and size, and a zlib stream of nothing. */
const ENTRY_BYTES_MIN = 1 + 8

/**
 * Reads a whole pack once, checks its checksum, names every object, resolves every delta, in memory bounded by the
 * number of objects and one chain of deltas. Runs in a worker thread.
 *
 * @throws PackError whatever is wrong with the pack
 */
export function indexPack(source: ByteSource, limits: PackLimits, hooks: IndexerHooks): IndexedPack {
  const header = readExactly(source, 0, PACK_HEADER_BYTES)
  const declared = decodePackHeader(header, limits.objectsMax)
  const entryBytes = source.bytes - PACK_HEADER_BYTES - PACK_TRAILER_BYTES
  if (entryBytes < declared * ENTRY_BYTES_MIN) throw truncated()
  hooks.onDeclared(declared)
  const budget = new InflateBudget(limits)
  const window = new PackWindow(source, source.bytes - PACK_TRAILER_BYTES)
  const entries = new EntryTable()
  const refDeltas = new WaitingDeltas(entries)
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

function scanEntry(
  window: PackWindow,
  position: number,
  entries: EntryTable,
  refDeltas: WaitingDeltas,
  budget: InflateBudget,
  hooks: IndexerHooks,
): number {
  if (position >= window.end) throw truncated()
  const head = window.view(position, ENTRY_HEADER_BYTES_MAX)
  const { type, sizeBytes, headerBytes, baseDistance, baseOidAt } = decodeEntryHeader(head, 0, position)
  const baseOid = type === ENTRY_TYPE.refDelta ? Buffer.from(head.subarray(baseOidAt, baseOidAt + 20)) : undefined
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
  else if (baseOid !== undefined) refDeltas.add(baseOid, 0, entry)
  else nameObject(entries, entry, type, data, hooks)
  return next
}

function checkChecksum(source: ByteSource): void {
  const hash = createHash('sha1')
  const end = source.bytes - PACK_TRAILER_BYTES
  const buffer = Buffer.allocUnsafe(Math.min(1024 * 1024, end))
  for (let position = 0; position < end;) {
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

import { EntryTable } from './entry-table.ts'
import { PackError } from './error.ts'
import { decodePackHeader, PACK_HEADER_BYTES, PACK_TRAILER_BYTES } from './header.ts'
import { InflateBudget, type PackLimits } from './limits.ts'
import type { IndexerHooks } from './name-object.ts'
import { resolveDeltas } from './resolve-deltas.ts'
import { PackScan } from './scan.ts'
import { type ByteSource, PackWindow, truncated } from './source.ts'
import { SummedSource } from './summed-source.ts'
import { WaitingDeltas } from './waiting-deltas.ts'

export interface IndexedPack {
  readonly entries: EntryTable
  /** Bases taken from outside, to be appended so that the pack stands alone; in this order. */
  readonly externalBases: readonly Buffer[]
  /** Where the entries end: appended bases begin here, the checksum follows. */
  readonly entriesEnd: number
}

const PROGRESS_EVERY = 4096
/** Entries may take long that are short: after so many it is asked whether the rest is still wanted. */
const ASK_EVERY = 64
/** Type and size, and a zlib stream of nothing. */
const ENTRY_BYTES_MIN = 1 + 8

/**
 * Reads a whole pack once, also while it is still coming, checks its checksum, names every object, resolves every delta,
 * in memory bounded by the number of objects and one chain of deltas. Runs in a worker thread.
 *
 * @throws PackError whatever is wrong with the pack
 */
export function indexPack(source: ByteSource, limits: PackLimits, hooks: IndexerHooks): IndexedPack {
  const summed = new SummedSource(source)
  const header = readExactly(summed, 0, PACK_HEADER_BYTES)
  const declared = decodePackHeader(header, limits.objectsMax)
  if (source.bytes - PACK_TRAILER_BYTES - PACK_HEADER_BYTES < declared * ENTRY_BYTES_MIN) throw truncated()
  const entries = new EntryTable(declared)
  hooks.onDeclared(declared, entries)
  const budget = new InflateBudget(limits)
  const refDeltas = new WaitingDeltas(entries)
  const scan = new PackScan({
    objects: declared,
    window: new PackWindow(summed),
    entries,
    refDeltas,
    limits,
    budget,
    hooks,
  })
  let position = PACK_HEADER_BYTES
  for (let number = 0; number < declared; number++) {
    if (number > 0 && number % PROGRESS_EVERY === 0) hooks.onProgress('receiving', entries.named, declared)
    if (number % ASK_EVERY === 0) source.reach?.(position)
    position = scan.entryAt(position)
  }
  source.reach?.(Number.POSITIVE_INFINITY)
  const entriesEnd = source.bytes - PACK_TRAILER_BYTES
  if (position !== entriesEnd) {
    throw new PackError(
      { code: 'pack_trailing_bytes' },
      `The pack declares ${declared} objects, and ${entriesEnd - position} bytes follow the last of them`,
    )
  }
  if (!summed.sumUpTo(entriesEnd).equals(readExactly(source, entriesEnd, PACK_TRAILER_BYTES))) {
    throw new PackError({ code: 'pack_checksum_mismatch' }, 'The pack does not match its checksum')
  }
  const externalBases = resolveDeltas({ source, entriesEnd, entries, refDeltas, limits, budget, hooks })
  return { entries, externalBases, entriesEnd }
}

function readExactly(source: ByteSource, position: number, bytes: number): Buffer {
  const buffer = Buffer.alloc(bytes)
  source.reach?.(position + bytes)
  if (source.read(buffer, position) !== bytes) throw truncated()
  return buffer
}

import { crc32 } from 'node:zlib'
import { applyDelta, decodeDeltaSizes } from '../delta.ts'
import type { EntryTable } from './entry-table.ts'
import { PackError } from './error.ts'
import { decodeEntryHeader, ENTRY_HEADER_BYTES_MAX, ENTRY_TYPE } from './header.ts'
import { inflatePieces } from './inflate-pieces.ts'
import { inflateAt } from './inflate.ts'
import { deltaTooDeep, type InflateBudget, type PackLimits } from './limits.ts'
import { hashOf, type IndexerHooks, nameObject } from './name-object.ts'
import { RecentObjects } from './recent-objects.ts'
import { type PackWindow, truncated } from './source.ts'
import type { WaitingDeltas } from './waiting-deltas.ts'

/** Deltas of up to so many bytes are inflated in one place, one after the other. */
const DELTA_BYTES_MAX = 2 ** 18

/** Objects of up to so many bytes, too. */
const LARGE_BYTES_MAX = 4 * 1024 * 1024

/** From here on a blob is not held. */
const LARGE_BLOB_BYTES = 512 * 1024

export interface ScanParts {
  /** That the pack declares. */
  readonly objects: number
  readonly window: PackWindow
  readonly entries: EntryTable
  readonly refDeltas: WaitingDeltas
  readonly limits: PackLimits
  readonly budget: InflateBudget
  readonly hooks: IndexerHooks
}

/**
 * Takes the entries of a pack one after the other. A delta whose base came by a moment ago is applied at once, which is
 * nearly every one in a pack that git made; the others are left for `resolveDeltas`.
 */
export class PackScan {
  readonly #parts: ScanParts
  readonly #recent: RecentObjects
  /** Got with the first delta. */
  #delta: Buffer | undefined
  /** For objects that are too large to be remembered, one after the other. */
  #large: Buffer = Buffer.alloc(0)
  readonly #baseOid = Buffer.alloc(20)

  constructor(parts: ScanParts) {
    this.#parts = parts
    this.#recent = new RecentObjects(parts.window.end, parts.objects)
  }

  /** @returns where the next entry begins */
  entryAt(position: number): number {
    const { window, entries, refDeltas, budget, hooks } = this.#parts
    if (position >= window.end) throw truncated()
    const head = window.view(position, ENTRY_HEADER_BYTES_MAX)
    const { type, sizeBytes, headerBytes, baseDistance, baseOidAt } = decodeEntryHeader(head, 0, position)
    const base = type === ENTRY_TYPE.ofsDelta ? this.#baseAt(position, baseDistance) : -1
    if (type === ENTRY_TYPE.refDelta) head.copy(this.#baseOid, 0, baseOidAt, baseOidAt + 20)
    budget.spend(sizeBytes)
    const entry = entries.add(position, type, headerBytes, sizeBytes)
    if (type === ENTRY_TYPE.blob && sizeBytes >= LARGE_BLOB_BYTES && hooks.onLargeBlob !== undefined) {
      return this.#takeLargeBlob(entry, crc32(head.subarray(0, headerBytes)))
    }
    const { data, consumedBytes } = inflateAt(
      window,
      position + headerBytes,
      sizeBytes,
      position,
      this.#roomFor(entry, type, sizeBytes),
    )
    const next = position + headerBytes + consumedBytes
    entries.crcs[entry] = crc32(window.view(position, next - position).subarray(0, next - position))
    if (type < ENTRY_TYPE.ofsDelta) nameObject(entries, entry, type, data, hooks)
    else if (type === ENTRY_TYPE.ofsDelta) this.#takeDelta(entry, base, data)
    else {
      const known = entries.find(this.#baseOid)
      if (known >= 0) this.#takeDelta(entry, known, data)
      else refDeltas.add(this.#baseOid, 0, entry)
    }
    return next
  }

  /** Nobody applies a delta to it here, and whoever does that later inflates it for himself. @returns as `entryAt` */
  #takeLargeBlob(entry: number, headerCrc: number): number {
    const { window, entries, hooks } = this.#parts
    const offset = entries.offsets[entry] as number
    const size = entries.sizes[entry] as number
    const at = offset + (entries.headerBytes[entry] as number)
    const pieces = (visit: (piece: Buffer) => void, crc = 0) => inflatePieces(window, at, size, offset, visit, crc)
    const hash = hashOf(ENTRY_TYPE.blob, size)
    const { consumedBytes, crc } = pieces((piece) => hash.update(piece), headerCrc)
    entries.crcs[entry] = crc
    const name = entries.name(entry, ENTRY_TYPE.blob, hash.digest())
    hooks.onLargeBlob?.(size, entries.oids, name * 20, pieces)
    return at + consumedBytes
  }

  #baseAt(position: number, distance: number): number {
    const base = distance > 0 ? this.#parts.entries.entryAt(position - distance) : -1
    if (base >= 0) return base
    throw new PackError(
      { code: 'delta_base_offset_invalid', packOffset: position },
      `The delta at pack offset ${position} names a base where no entry begins`,
    )
  }

  #roomFor(entry: number, type: number, bytes: number): Buffer | undefined {
    if (type >= ENTRY_TYPE.ofsDelta) {
      return bytes > DELTA_BYTES_MAX ? undefined : (this.#delta ??= Buffer.allocUnsafeSlow(DELTA_BYTES_MAX + 1))
    }
    if (this.#recent.takes(bytes)) return this.#recent.add(entry, bytes)
    if (bytes > LARGE_BYTES_MAX) return undefined
    if (bytes >= this.#large.length) this.#large = Buffer.allocUnsafeSlow(bytes + 1)
    return this.#large
  }

  /** @param base an entry before this one, whose object may not be known yet */
  #takeDelta(entry: number, base: number, delta: Buffer): void {
    const { entries, limits, budget, hooks } = this.#parts
    entries.addChild(base, entry)
    const type = entries.types[base] as number
    if (type === 0) return
    const { resultBytes } = decodeDeltaSizes(delta)
    if (!this.#recent.takes(resultBytes) || !this.#recent.has(base, resultBytes)) return
    const depth = (entries.depths[base] as number) + 1
    if (depth > limits.deltaDepthMax) throw deltaTooDeep(limits, entries.offsets[entry] as number)
    entries.depths[entry] = depth
    budget.spend(resultBytes)
    const room = this.#recent.add(entry, resultBytes)
    nameObject(entries, entry, type, applyDelta(this.#recent.get(base), delta, limits.objectBytesMax, room), hooks)
  }
}

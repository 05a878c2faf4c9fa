import { createHash } from 'node:crypto'
import { deflateSync } from 'node:zlib'

import type { Selection } from '../git/object-graph/select.ts'
import { encodeBaseDistance, encodeEntryHeader, encodePackHeader, ENTRY_TYPE } from '../git/pack/header.ts'
import { PackError } from '../git/pack/error.ts'
import { OidMap } from '../git/pack/oid-map.ts'
import type { ObjectStore } from '../storage/objects/object-store.ts'
import type { EntryAt, PackFile } from '../storage/objects/pack-file.ts'

export interface PackFeatures {
  /** The receiver completes deltas whose base it has (thin-pack). */
  readonly thinPack: boolean
  /** The receiver understands a base named by distance (ofs-delta). */
  readonly ofsDelta: boolean
}

const CHUNK_BYTES = 256 * 1024

/**
 * Deltas in a row, as git makes them (git-config, pack.depth). Packs of many pushes lean on each other: without a limit
 * the newest version of a file would be as many deltas away as it has versions.
 */
export const DELTA_DEPTH_MAX = 50

/**
 * Writes a pack of the selected objects, piece by piece, reusing the compressed entries of stored packs as they are:
 * only a delta whose base the receiver will not have is made whole again.
 *
 * @param emit takes each piece, which is its to keep
 */
export async function buildPack(
  store: ObjectStore,
  selection: Selection,
  features: PackFeatures,
  emit: (chunk: Buffer) => Promise<void>,
): Promise<void> {
  await new PackBuilder(store, selection, features, emit).run()
}

class PackBuilder {
  readonly #store: ObjectStore
  readonly #selection: Selection
  readonly #features: PackFeatures
  readonly #places: Places
  readonly #output: HashedOutput
  /** Where each object begins in the new pack; 0: nowhere yet. */
  readonly #written: Float64Array
  readonly #depths: Uint8Array

  constructor(
    store: ObjectStore,
    selection: Selection,
    features: PackFeatures,
    emit: (chunk: Buffer) => Promise<void>,
  ) {
    this.#store = store
    this.#selection = selection
    this.#features = features
    this.#places = locateAll(store, selection)
    this.#output = new HashedOutput(emit)
    this.#written = new Float64Array(selection.count)
    this.#depths = new Uint8Array(selection.count)
  }

  async run(): Promise<void> {
    const { count } = this.#selection
    const written = this.#written
    await this.#output.write(encodePackHeader(count))
    const isBegun = new Uint8Array(count)
    for (const first of this.#places.order) {
      // Bases before what leans on them, wherever they lie; of deltas that lean on each other, one is made whole.
      const open = [first]
      for (let place = open.at(-1); place !== undefined; place = open.at(-1)) {
        isBegun[place] = 1
        const stored = written[place] === 0 ? this.#storedAt(place) : undefined
        if (stored !== undefined && stored.base >= 0 && isBegun[stored.base] === 0) {
          open.push(stored.base)
          continue
        }
        open.pop()
        if (written[place] !== 0) continue
        written[place] = this.#output.bytes
        if (stored === undefined) await writeWhole(this.#output, this.#store, this.#selection.oids, place * 20)
        else await this.#writeStored(place, stored)
      }
    }
    await this.#output.finish()
  }

  /** @returns undefined for a loose object */
  #storedAt(place: number): Stored | undefined {
    const pack = this.#store.packs[this.#places.packs[place] as number]
    if (pack === undefined) return undefined
    const offset = this.#places.offsets[place] as number
    const entry = pack.entryAt(offset)
    const dataAt = offset + entry.headerBytes
    const stored = { pack, entry, dataAt, dataBytes: pack.placeOf(offset).end - dataAt }
    if (entry.baseOffset < 0) return { ...stored, base: -1, baseOid: undefined }
    const baseOid = Buffer.alloc(20)
    pack.index.copyOid(pack.placeOf(entry.baseOffset).rank, baseOid, 0)
    return { ...stored, base: this.#places.byOid.get(baseOid), baseOid }
  }

  async #writeStored(place: number, { pack, entry, dataAt, dataBytes, base, baseOid }: Stored): Promise<void> {
    const output = this.#output
    if (baseOid === undefined) {
      await output.write(encodeEntryHeader(entry.type, entry.sizeBytes))
      return copyBytes(output, pack, dataAt, dataBytes)
    }
    const isKnown = base < 0 && this.#features.thinPack && this.#selection.isKnown(baseOid, 0)
    const baseAt = this.#written[base] ?? 0
    const depth = (this.#depths[base] ?? 0) + 1
    // Only towards a base that comes earlier, so that no two deltas lean on each other, or is there.
    if ((!isKnown && baseAt === 0) || depth > DELTA_DEPTH_MAX) {
      return writeWhole(output, this.#store, this.#selection.oids, place * 20)
    }
    this.#depths[place] = depth
    if (!isKnown && this.#features.ofsDelta) {
      await output.write(encodeEntryHeader(ENTRY_TYPE.ofsDelta, entry.sizeBytes))
      await output.write(encodeBaseDistance((this.#written[place] as number) - baseAt))
    } else {
      await output.write(encodeEntryHeader(ENTRY_TYPE.refDelta, entry.sizeBytes))
      await output.write(baseOid)
    }
    return copyBytes(output, pack, dataAt, dataBytes)
  }
}

/** An object as it lies in a pack. */
interface Stored {
  readonly pack: PackFile
  readonly entry: EntryAt
  readonly dataAt: number
  readonly dataBytes: number
  /** What it is a delta of. */
  readonly baseOid: Buffer | undefined
  /** The number of that among the selected objects; -1: it is none of them, or this is no delta. */
  readonly base: number
}

interface Places {
  /** Object numbers in the order of writing: by pack, then by offset, so that reading is sequential. */
  readonly order: Uint32Array
  /** Pack number of each object; one beyond the packs for a loose object. */
  readonly packs: Uint16Array | Uint32Array
  readonly offsets: Float64Array
  readonly byOid: OidMap
}

function locateAll(store: ObjectStore, { oids, count }: Selection): Places {
  const packs = new Uint32Array(count)
  const offsets = new Float64Array(count)
  const byOid = new OidMap(count)
  for (let i = 0; i < count; i++) {
    const found = store.locate(oids, i * 20)
    packs[i] = found?.packNumber ?? store.packs.length
    offsets[i] = found?.offset ?? 0
    byOid.set(oids, i * 20, i)
  }
  const order = Uint32Array.from(packs.keys()).sort(
    (a, b) => (packs[a] as number) - (packs[b] as number) || (offsets[a] as number) - (offsets[b] as number),
  )
  return { order, packs, offsets, byOid }
}

async function writeWhole(output: HashedOutput, store: ObjectStore, oids: Buffer, at: number): Promise<void> {
  const { type, data } = store.mustRead(oids, at)
  await output.write(encodeEntryHeader(type, data.length))
  await output.write(deflateSync(data))
}

async function copyBytes(output: HashedOutput, pack: PackFile, position: number, bytes: number): Promise<void> {
  for (let done = 0; done < bytes;) {
    const piece = pack.read(position + done, Math.min(CHUNK_BYTES, bytes - done))
    // Its index promised more: a loop that waits for it would never end.
    if (piece.length === 0) throw new PackError({ code: 'pack_truncated' }, `${pack.name} ends too early`)
    await output.write(piece)
    done += piece.length
  }
}

/** Gathers small writes into large pieces, and hashes what goes by for the pack's trailer. */
class HashedOutput {
  bytes = 0
  readonly #emit: (chunk: Buffer) => Promise<void>
  readonly #hash = createHash('sha1')
  #chunk = Buffer.allocUnsafeSlow(CHUNK_BYTES)
  #filled = 0

  constructor(emit: (chunk: Buffer) => Promise<void>) {
    this.#emit = emit
  }

  /** Copies `bytes`; resolves at once unless a piece had to be handed on. */
  write(bytes: Buffer): Promise<void> | undefined {
    this.bytes += bytes.length
    if (bytes.length <= CHUNK_BYTES - this.#filled) {
      bytes.copy(this.#chunk, this.#filled)
      this.#filled += bytes.length
      return undefined
    }
    return this.#writeLarge(bytes)
  }

  async finish(): Promise<void> {
    this.#hash.update(this.#chunk.subarray(0, this.#filled))
    const trailer = this.#hash.digest()
    await this.#emit(Buffer.concat([this.#chunk.subarray(0, this.#filled), trailer]))
  }

  async #writeLarge(bytes: Buffer): Promise<void> {
    for (let done = 0; done < bytes.length;) {
      const count = bytes.copy(this.#chunk, this.#filled, done)
      done += count
      this.#filled += count
      if (this.#filled < CHUNK_BYTES) continue
      this.#hash.update(this.#chunk)
      await this.#emit(this.#chunk)
      this.#chunk = Buffer.allocUnsafeSlow(CHUNK_BYTES)
      this.#filled = 0
    }
  }
}

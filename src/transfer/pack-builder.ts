import { createHash } from 'node:crypto'
import { deflateSync } from 'node:zlib'

import type { Selection } from '../git/object-graph/select.ts'
import { encodeBaseDistance, encodeEntryHeader, encodePackHeader, ENTRY_TYPE } from '../git/pack/header.ts'
import { PackError } from '../git/pack/error.ts'
import { OidMap } from '../git/pack/oid-map.ts'
import type { ObjectStore } from '../storage/objects/object-store.ts'
import type { PackFile } from '../storage/objects/pack-file.ts'

export interface PackFeatures {
  /** The receiver completes deltas whose base it has (thin-pack). */
  readonly thinPack: boolean
  /** The receiver understands a base named by distance (ofs-delta). */
  readonly ofsDelta: boolean
}

const CHUNK_BYTES = 256 * 1024

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
  const places = locateAll(store, selection)
  const output = new HashedOutput(emit)
  await output.write(encodePackHeader(selection.count))
  const written = new Float64Array(selection.count)
  for (const place of places.order) {
    written[place] = output.bytes
    const packNumber = places.packs[place] as number
    const pack = store.packs[packNumber]
    if (pack === undefined) await writeWhole(output, store, selection.oids, place * 20)
    else await writeEntry(output, pack, place, packNumber)
  }
  await output.finish()

  async function writeEntry(out: HashedOutput, pack: PackFile, place: number, packNumber: number): Promise<void> {
    const offset = places.offsets[place] as number
    const entry = pack.entryAt(offset)
    const dataAt = offset + entry.headerBytes
    const dataBytes = pack.placeOf(offset).end - dataAt
    if (entry.baseOffset < 0) {
      await out.write(encodeEntryHeader(entry.type, entry.sizeBytes))
      return copyBytes(out, pack, dataAt, dataBytes)
    }
    const baseOid = Buffer.alloc(20)
    pack.index.copyOid(pack.placeOf(entry.baseOffset).rank, baseOid, 0)
    const base = places.byOid.get(baseOid)
    const baseComesFirst = base >= 0 && places.packs[base] === packNumber && (places.offsets[base] as number) < offset
    if (features.ofsDelta && baseComesFirst) {
      await out.write(encodeEntryHeader(ENTRY_TYPE.ofsDelta, entry.sizeBytes))
      await out.write(encodeBaseDistance((written[place] as number) - (written[base] as number)))
      return copyBytes(out, pack, dataAt, dataBytes)
    }
    // By name: only towards a base that is sent from the same pack (so that no two deltas lean on each other), or is there.
    if (baseComesFirst || (base < 0 && features.thinPack && selection.isKnown(baseOid, 0))) {
      await out.write(encodeEntryHeader(ENTRY_TYPE.refDelta, entry.sizeBytes))
      await out.write(baseOid)
      return copyBytes(out, pack, dataAt, dataBytes)
    }
    return writeWhole(out, store, selection.oids, place * 20)
  }
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

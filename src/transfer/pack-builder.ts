import { deflateSync } from 'node:zlib'

import {
  encodeBaseDistance,
  encodeEntryHeader,
  encodePackHeader,
  ENTRY_TYPE,
  PACK_HEADER_BYTES,
} from '../git/pack/header.ts'
import { PackError } from '../git/pack/error.ts'
import type { ObjectStore } from '../storage/objects/object-store.ts'
import type { EntryAt, PackFile } from '../storage/objects/pack-file.ts'
import { type ChosenObjects } from './chosen-objects.ts'
import { CHUNK_BYTES, HashedOutput } from './hashed-output.ts'
import { PackPart } from './pack-part.ts'

export interface PackFeatures {
  /** The receiver completes deltas whose base it has (thin-pack). */
  readonly thinPack: boolean
  /** The receiver understands a base named by distance (ofs-delta). */
  readonly ofsDelta: boolean
}

/**
 * Deltas in a row, as git makes them (git-config, pack.depth). Packs of many pushes lean on each other: without a limit
 * the newest version of a file would be as many deltas away as it has versions.
 */
export const DELTA_DEPTH_MAX = 50

/**
 * Writes a pack of the chosen objects, piece by piece, reusing the compressed entries of stored packs as they are: only
 * a delta whose base the receiver will not have is made whole again.
 *
 * @param emit takes each piece, which is its to keep
 */
export async function buildPack(
  store: ObjectStore,
  chosen: ChosenObjects,
  features: PackFeatures,
  emit: (chunk: Buffer) => Promise<void>,
): Promise<void> {
  await new PackBuilder(store, chosen, features, emit).run()
}

/** An object that is taken from a pack. */
interface Place {
  readonly part: PackPart
  readonly position: number
}

class PackBuilder {
  readonly #store: ObjectStore
  readonly #chosen: ChosenObjects
  readonly #features: PackFeatures
  readonly #output: HashedOutput
  readonly #parts: readonly PackPart[]

  constructor(
    store: ObjectStore,
    chosen: ChosenObjects,
    features: PackFeatures,
    emit: (chunk: Buffer) => Promise<void>,
  ) {
    this.#store = store
    this.#chosen = chosen
    this.#features = features
    this.#output = new HashedOutput(emit)
    this.#parts = chosen.packs.map((part) => new PackPart(part))
  }

  async run(): Promise<void> {
    await this.#output.write(encodePackHeader(this.#chosen.count))
    // Every base lies in its own pack, as far from its deltas as before: nothing of these has to be looked at.
    const whole = this.#parts.filter(({ isWhole }) => isWhole && this.#features.ofsDelta)
    for (const part of whole) await this.#copyWhole(part)
    for (const part of this.#parts) {
      if (whole.includes(part)) continue
      await this.#writePart(part)
    }
    for (const oid of this.#chosen.loose) await this.#writeInFull(oid)
    await this.#output.finish()
  }

  async #copyWhole(part: PackPart): Promise<void> {
    const { pack } = part.chosen
    part.copiedTo(this.#output.bytes)
    await this.#copyBytes(pack, PACK_HEADER_BYTES, pack.order.end - PACK_HEADER_BYTES)
  }

  async #writePart(part: PackPart): Promise<void> {
    const { pack, positions } = part.chosen
    for (let at = positions.next(0); at >= 0; at = positions.next(at)) {
      const end = this.#features.ofsDelta ? part.takeRun(at, this.#output.bytes, DELTA_DEPTH_MAX) : at
      if (end === at) await this.#writeWithBases({ part, position: at++ })
      else {
        const start = pack.order.offsetAt(at)
        await this.#copyBytes(pack, start, pack.order.endAt(end - 1) - start)
        at = end
      }
    }
  }

  /** Bases before what leans on them, wherever they lie; of deltas that lean on each other, one is made whole. */
  async #writeWithBases(first: Place): Promise<void> {
    const open = [first]
    for (let place = open.at(-1); place !== undefined; place = open.at(-1)) {
      const { part, position } = place
      const isWritten = part.begin(position)
      const stored = isWritten ? undefined : this.#storedAt(place)
      const base = stored?.base
      if (base !== undefined && !base.part.isBegun(base.position)) {
        open.push(base)
        continue
      }
      open.pop()
      if (stored !== undefined) await this.#writeStored(place, stored)
    }
  }

  #storedAt({ part, position }: Place): Stored {
    const { pack } = part.chosen
    const { order } = pack
    const offset = order.offsetAt(position)
    const entry = pack.entryAt(offset)
    const dataAt = offset + entry.headerBytes
    const stored = { entry, dataAt, dataBytes: order.endAt(position) - dataAt }
    if (entry.baseOffset < 0) return { ...stored, base: undefined, baseOid: undefined }
    const basePosition = order.positionAt(entry.baseOffset)
    const baseOid = Buffer.alloc(20)
    pack.index.copyOid(order.rankAt(basePosition), baseOid, 0)
    const isHere = part.chosen.positions.has(basePosition)
    return { ...stored, base: isHere ? { part, position: basePosition } : this.#placeOf(baseOid), baseOid }
  }

  #placeOf(oid: Buffer): Place | undefined {
    for (const part of this.#parts) {
      const { pack, positions } = part.chosen
      const rank = pack.index.rankOf(oid)
      const position = rank < 0 ? -1 : pack.order.positionOf(rank)
      if (position >= 0 && positions.has(position)) return { part, position }
    }
    return undefined
  }

  async #writeStored({ part, position }: Place, { entry, dataAt, dataBytes, base, baseOid }: Stored): Promise<void> {
    const output = this.#output
    const at = output.bytes
    const { pack } = part.chosen
    if (baseOid === undefined) {
      await output.write(encodeEntryHeader(entry.type, entry.sizeBytes))
      await this.#copyBytes(pack, dataAt, dataBytes)
      return part.written(position, at, 0)
    }
    const isKnown = base === undefined && this.#features.thinPack && this.#chosen.isKnown(baseOid)
    const baseAt = base?.part.writtenAt(base.position) ?? 0
    const depth = (base?.part.depthOf(base.position, DELTA_DEPTH_MAX) ?? 0) + 1
    // Only towards a base that comes earlier, so that no two deltas lean on each other, or is there.
    if ((!isKnown && baseAt === 0) || depth > DELTA_DEPTH_MAX) {
      const oid = Buffer.alloc(20)
      pack.index.copyOid(pack.order.rankAt(position), oid, 0)
      await this.#writeInFull(oid)
      return part.written(position, at, 0)
    }
    if (!isKnown && this.#features.ofsDelta) {
      await output.write(encodeEntryHeader(ENTRY_TYPE.ofsDelta, entry.sizeBytes))
      await output.write(encodeBaseDistance(at - baseAt))
    } else {
      await output.write(encodeEntryHeader(ENTRY_TYPE.refDelta, entry.sizeBytes))
      await output.write(baseOid)
    }
    await this.#copyBytes(pack, dataAt, dataBytes)
    part.written(position, at, depth)
  }

  async #writeInFull(oid: Buffer): Promise<void> {
    const { type, data } = this.#store.mustRead(oid)
    await this.#output.write(encodeEntryHeader(type, data.length))
    await this.#output.write(deflateSync(data))
  }

  async #copyBytes(pack: PackFile, position: number, bytes: number): Promise<void> {
    for (let done = 0; done < bytes;) {
      const piece = pack.read(position + done, Math.min(CHUNK_BYTES, bytes - done))
      // Its index promised more: a loop that waits for it would never end.
      if (piece.length === 0) throw new PackError({ code: 'pack_truncated' }, `${pack.name} ends too early`)
      await this.#output.write(piece)
      done += piece.length
    }
  }
}

/** An object as it lies in a pack. */
interface Stored {
  readonly entry: EntryAt
  readonly dataAt: number
  readonly dataBytes: number
  /** What it is a delta of. */
  readonly baseOid: Buffer | undefined
  /** Where that is taken from, if it is sent. */
  readonly base: Place | undefined
}

import { PackError } from '../git/pack/error.ts'
import {
  encodePackHeader,
  ENTRY_HEADER_BYTES_MAX,
  ENTRY_TYPE,
  PACK_HEADER_BYTES,
  writeBaseDistance,
  writeEntryHeader,
} from '../git/pack/header.ts'
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
 * @param emit resolves when the bytes are out of the piece, which is then used again
 */
export async function buildPack(
  store: ObjectStore,
  chosen: ChosenObjects,
  features: PackFeatures,
  emit: (chunk: Buffer) => Promise<void>,
): Promise<void> {
  await new PackBuilder(store, chosen, features, emit).run()
}

/** Reading them with the rest takes less time than a system call more, and what goes with it in JavaScript. */
const GAP_BYTES_MAX = 12 * 1024

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
  readonly #oid = Buffer.alloc(20)
  readonly #head = Buffer.alloc(ENTRY_HEADER_BYTES_MAX)

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
    this.#output.write(encodePackHeader(this.#chosen.count))
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
    await this.#copy(pack, PACK_HEADER_BYTES, pack.order.end)
  }

  /** Nothing is awaited that is done: most objects are written within a microsecond. */
  async #writePart(part: PackPart): Promise<void> {
    const { pack, positions } = part.chosen
    const { order } = pack
    for (let at = positions.next(0), loadedTo = 0; at >= 0; at = positions.next(at)) {
      if (order.offsetAt(at) >= loadedTo) loadedTo = load(part, at)
      const end = this.#features.ofsDelta ? part.takeRun(at, this.#output.bytes, DELTA_DEPTH_MAX) : at
      const writing =
        end > at
          ? this.#copy(pack, order.offsetAt(at), order.endAt(end - 1))
          : this.#writeWithBases({ part, position: at })
      if (writing !== undefined) await writing
      at = Math.max(end, at + 1)
    }
  }

  #writeWithBases(place: Place): Writing {
    if (place.part.begin(place.position)) return undefined
    const stored = this.#storedAt(place)
    const { base } = stored
    const isNext = base === undefined || base.part.isBegun(base.position)
    return isNext ? this.#writeStored(place, stored) : this.#writeBasesFirst(place)
  }

  /** Bases before what leans on them, wherever they lie; of deltas that lean on each other, one is made whole. */
  async #writeBasesFirst(first: Place): Promise<void> {
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
    const { pack, positions } = part.chosen
    const { order } = pack
    const entry = pack.entryAt(order.offsetAt(position))
    if (entry.baseOffset < 0) return { entry, basePosition: -1, base: undefined }
    const known = pack.bases.of(position)
    const basePosition = known >= 0 ? known : order.positionAt(entry.baseOffset)
    if (positions.has(basePosition)) return { entry, basePosition, base: { part, position: basePosition } }
    const base = this.#parts.length > 1 ? this.#placeOf(this.#oidAt(pack, basePosition)) : undefined
    return { entry, basePosition, base }
  }

  /** @returns the object's name, until the next call */
  #oidAt({ index, order }: PackFile, position: number): Buffer {
    index.copyOid(order.rankAt(position), this.#oid, 0)
    return this.#oid
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

  #writeStored({ part, position }: Place, { entry, basePosition, base }: Stored): Writing {
    const { pack } = part.chosen
    const { order } = pack
    const at = this.#output.bytes
    const dataAt = order.offsetAt(position) + entry.headerBytes
    if (entry.baseOffset < 0) {
      this.#writeHead(entry.type, entry.sizeBytes)
      part.written(position, at, 0)
      return this.#copy(pack, dataAt, order.endAt(position))
    }
    const { thinPack, ofsDelta } = this.#features
    const baseAt = base?.part.writtenAt(base.position) ?? 0
    const depth = (base?.part.depthOf(base.position, DELTA_DEPTH_MAX) ?? 0) + 1
    const isKnown = base === undefined && thinPack && this.#chosen.isKnown(this.#oidAt(pack, basePosition))
    // Only towards a base that comes earlier, so that no two deltas lean on each other, or is there.
    if ((!isKnown && baseAt === 0) || depth > DELTA_DEPTH_MAX) {
      part.written(position, at, 0)
      return this.#writeInFull(this.#oidAt(pack, position))
    }
    if (!isKnown && ofsDelta) {
      this.#writeHead(ENTRY_TYPE.ofsDelta, entry.sizeBytes)
      this.#output.write(this.#head, 0, writeBaseDistance(this.#head, 0, at - baseAt))
    } else {
      this.#writeHead(ENTRY_TYPE.refDelta, entry.sizeBytes)
      this.#output.write(this.#oidAt(pack, basePosition))
    }
    part.written(position, at, depth)
    return this.#copy(pack, dataAt, order.endAt(position))
  }

  #writeInFull(oid: Buffer): Writing {
    const { type, sizeBytes, deflated } = this.#store.mustReadWhole(oid)
    this.#writeHead(type, sizeBytes)
    if (deflated.length > CHUNK_BYTES) return this.#writeMuch(deflated)
    this.#output.write(deflated)
    return this.#output.isOver ? this.#output.drain() : undefined
  }

  async #writeMuch(bytes: Buffer): Promise<void> {
    for (let at = 0; at < bytes.length; at += CHUNK_BYTES) {
      this.#output.write(bytes, at, Math.min(bytes.length, at + CHUNK_BYTES))
      await this.#output.drain()
    }
  }

  #writeHead(type: number, sizeBytes: number): void {
    this.#output.write(this.#head, 0, writeEntryHeader(this.#head, 0, type, sizeBytes))
  }

  /** @param to behind the last byte */
  #copy(pack: PackFile, from: number, to: number): Writing {
    if (to - from > CHUNK_BYTES) return this.#copyMuch(pack, from, to)
    this.#copyPiece(pack, from, to)
    return this.#output.isOver ? this.#output.drain() : undefined
  }

  async #copyMuch(pack: PackFile, from: number, to: number): Promise<void> {
    for (let at = from; at < to; at += CHUNK_BYTES) {
      this.#copyPiece(pack, at, Math.min(to, at + CHUNK_BYTES))
      await this.#output.drain()
    }
  }

  #copyPiece(pack: PackFile, from: number, to: number): void {
    for (let at = from; at < to;) {
      const window = pack.windowAt(at, to - at)
      const end = Math.min(to, window.loadedTo)
      // Its index promised more: a loop that waits for it would never end.
      if (end <= at) throw new PackError({ code: 'pack_truncated' }, `${pack.name} ends too early`)
      this.#output.write(window.bytes, at - window.start, end - window.start)
      at = end
    }
  }
}

/**
 * Reads what is taken of a pack from a position on: in one piece as long as it lies close together, and no more of what
 * lies apart. @returns where the piece ends
 */
function load({ chosen: { pack, positions } }: PackPart, position: number): number {
  const { order } = pack
  const start = order.offsetAt(position)
  let end = Math.min(order.endAt(position), start + CHUNK_BYTES)
  for (let next = positions.next(position + 1); next >= 0; next = positions.next(next + 1)) {
    if (order.offsetAt(next) - end > GAP_BYTES_MAX || order.endAt(next) - start > CHUNK_BYTES) break
    end = order.endAt(next)
  }
  pack.load(start, end - start)
  return end
}

/** undefined: it is done. */
type Writing = Promise<void> | undefined

/** An object as it lies in a pack. */
interface Stored {
  readonly entry: EntryAt
  /** What it is a delta of, in the same pack; -1: it is whole. */
  readonly basePosition: number
  /** Where that is taken from, if it is sent. */
  readonly base: Place | undefined
}

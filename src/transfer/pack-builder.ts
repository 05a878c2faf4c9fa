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
import type { PackFile } from '../storage/objects/pack-file.ts'
import type { ChosenFromPack, ChosenObjects } from './chosen-objects.ts'
import { CHUNK_BYTES, HashedOutput } from './hashed-output.ts'

export interface PackFeatures {
  /** The receiver completes deltas whose base it has (thin-pack). */
  readonly thinPack: boolean
  /** The receiver understands a base named by distance (ofs-delta). */
  readonly ofsDelta: boolean
}

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
  const output = new HashedOutput(emit)
  await output.write(encodePackHeader(chosen.count))
  for (const part of chosen.packs) {
    // Every base lies in its own pack, as far from its deltas as before.
    if (features.ofsDelta && part.count === part.pack.index.count) await copyWhole(output, part.pack)
    else await copyEntries({ output, store, chosen, features }, part)
  }
  for (const oid of chosen.loose) await writeWhole(output, store, oid)
  await output.finish()
}

interface Building {
  readonly output: HashedOutput
  readonly store: ObjectStore
  readonly chosen: ChosenObjects
  readonly features: PackFeatures
}

async function copyEntries(building: Building, { pack, positions }: ChosenFromPack): Promise<void> {
  const { output, store, chosen, features } = building
  const { order } = pack
  /** Where each position was written. */
  const written = new Float64Array(order.count)
  const oid = Buffer.alloc(20)
  for (let position = positions.next(0); position >= 0; position = positions.next(position + 1)) {
    written[position] = output.bytes
    const offset = order.offsetAt(position)
    const entry = pack.entryAt(offset)
    const dataAt = offset + entry.headerBytes
    const dataBytes = order.endAt(position) - dataAt
    if (entry.baseOffset < 0) {
      await output.write(encodeEntryHeader(entry.type, entry.sizeBytes))
      await copyBytes(output, pack, dataAt, dataBytes)
      continue
    }
    const base = order.positionAt(entry.baseOffset)
    const isSent = positions.has(base)
    const comesFirst = isSent && base < position
    if (features.ofsDelta && comesFirst) {
      await output.write(encodeEntryHeader(ENTRY_TYPE.ofsDelta, entry.sizeBytes))
      await output.write(encodeBaseDistance((written[position] as number) - (written[base] as number)))
      await copyBytes(output, pack, dataAt, dataBytes)
      continue
    }
    pack.index.copyOid(order.rankAt(base), oid, 0)
    // By name: only towards a base that comes first (so that no two deltas lean on each other), or that is there.
    if (comesFirst || (!isSent && features.thinPack && chosen.isKnown(oid))) {
      await output.write(encodeEntryHeader(ENTRY_TYPE.refDelta, entry.sizeBytes))
      await output.write(oid)
      await copyBytes(output, pack, dataAt, dataBytes)
      continue
    }
    pack.index.copyOid(order.rankAt(position), oid, 0)
    await writeWhole(output, store, oid)
  }
}

async function writeWhole(output: HashedOutput, store: ObjectStore, oid: Buffer): Promise<void> {
  const { type, data } = store.mustRead(oid)
  await output.write(encodeEntryHeader(type, data.length))
  await output.write(deflateSync(data))
}

function copyWhole(output: HashedOutput, pack: PackFile): Promise<void> {
  return copyBytes(output, pack, PACK_HEADER_BYTES, pack.order.end - PACK_HEADER_BYTES)
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

import { createHash } from 'node:crypto'
import { crc32 } from 'node:zlib'
import { deflate } from '../../git/pack/deflate.ts'
import type { EntryTable } from '../../git/pack/entry-table.ts'
import { encodeEntryHeader, encodePackHeader, PACK_HEADER_BYTES } from '../../git/pack/header.ts'
import type { ObjectStore } from '../../storage/objects/object-store.ts'
import type { ByteSource } from '../../git/pack/source.ts'
import type { RemoteFile } from './remote-file.ts'

const CHUNK_BYTES = 1024 * 1024

export interface CompletedPack {
  readonly packBytes: number
  readonly checksum: Buffer
}

/**
 * Appends the bases that a thin pack took from here, so that the pack stands alone, as `index-pack --fix-thin` does;
 * the objects are added to `entries`.
 *
 * @param entriesEnd where the pack's own entries end
 */
export async function completeThinPack(
  source: ByteSource,
  file: RemoteFile,
  store: ObjectStore,
  entries: EntryTable,
  externalBases: readonly Buffer[],
  entriesEnd: number,
): Promise<CompletedPack> {
  const hash = createHash('sha1')
  const header = encodePackHeader(entries.count + externalBases.length)
  hash.update(header)
  hashRange(source, PACK_HEADER_BYTES, entriesEnd, hash)
  // Only now: what was read above must be what was received.
  await file.write(header, 0)
  let position = entriesEnd
  for (const oid of externalBases) {
    const { type, data } = store.mustRead(oid)
    const head = encodeEntryHeader(type, data.length)
    const entry = Buffer.concat([head, deflate(data)])
    const number = entries.add(position, type, head.length, data.length)
    entries.name(number, type, oid)
    entries.crcs[number] = crc32(entry)
    hash.update(entry)
    const at = position
    position += entry.length
    await file.write(entry, at)
  }
  const checksum = hash.digest()
  await file.write(Buffer.from(checksum), position)
  await file.flush()
  return { packBytes: position + checksum.length, checksum }
}

function hashRange(source: ByteSource, from: number, to: number, hash: { update(bytes: Buffer): unknown }): void {
  const buffer = Buffer.allocUnsafe(CHUNK_BYTES)
  for (let position = from; position < to;) {
    const count = source.read(buffer.subarray(0, Math.min(buffer.length, to - position)), position)
    // indexPack read these very bytes a moment ago.
    if (count === 0) throw new Error('A pack became shorter while it was read')
    hash.update(buffer.subarray(0, count))
    position += count
  }
}

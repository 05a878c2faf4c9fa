import { createHash } from 'node:crypto'

import { PackError } from './error.ts'

/**
 * When each object of a pack was last needed, as far as known (gitformat-pack, "pack-*.mtimes files"): a header, a time
 * for each object in the order of names, the pack's checksum, the file's own. git takes a pack that has one for a "cruft
 * pack", where it keeps what nothing reaches.
 */

const MAGIC = 0x4d544d45 // MTME
const VERSION = 1
/** SHA-1 */
const HASH_ID = 1
const HEADER_BYTES = 12
const CHECKSUM_BYTES = 20

interface PackMark {
  readonly objects: number
  /** The 20 bytes that end the pack. */
  readonly checksum: Buffer
}

/** @param timesS since 1970, in the order of names */
export function encodeMtimes(timesS: Uint32Array, packChecksum: Buffer): Buffer {
  const bytes = Buffer.alloc(HEADER_BYTES + timesS.length * 4 + 2 * CHECKSUM_BYTES)
  bytes.writeUInt32BE(MAGIC, 0)
  bytes.writeUInt32BE(VERSION, 4)
  bytes.writeUInt32BE(HASH_ID, 8)
  for (const [rank, timeS] of timesS.entries()) bytes.writeUInt32BE(timeS, HEADER_BYTES + rank * 4)
  packChecksum.copy(bytes, bytes.length - 2 * CHECKSUM_BYTES)
  checksumOf(bytes).copy(bytes, bytes.length - CHECKSUM_BYTES)
  return bytes
}

/**
 * @returns seconds since 1970, in the order of names
 * @throws PackError mtimes_invalid: it is damaged, or another pack's
 */
export function decodeMtimes(bytes: Buffer, { objects, checksum }: PackMark): Uint32Array {
  if (bytes.length !== HEADER_BYTES + objects * 4 + 2 * CHECKSUM_BYTES)
    throw invalid('its length does not fit its pack')
  if (bytes.readUInt32BE(0) !== MAGIC || bytes.readUInt32BE(4) !== VERSION || bytes.readUInt32BE(8) !== HASH_ID) {
    throw invalid('it is not of version 1 and SHA-1')
  }
  if (!bytes.subarray(-2 * CHECKSUM_BYTES, -CHECKSUM_BYTES).equals(checksum)) throw invalid('it is of another pack')
  if (!bytes.subarray(-CHECKSUM_BYTES).equals(checksumOf(bytes))) throw invalid('it does not match its checksum')
  return Uint32Array.from({ length: objects }, (_, rank) => bytes.readUInt32BE(HEADER_BYTES + rank * 4))
}

function checksumOf(bytes: Buffer): Buffer {
  return createHash('sha1').update(bytes.subarray(0, -CHECKSUM_BYTES)).digest()
}

function invalid(reason: string): PackError {
  return new PackError({ code: 'mtimes_invalid', reason }, `The times of a pack's objects are invalid: ${reason}`)
}

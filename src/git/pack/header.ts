import { PackError } from './error.ts'

/**
 * Pack header and entry headers (git's gitformat-pack: "pack-*.pack files have the following format").
 * Every function takes the bytes it may look at and never looks further.
 */

export const PACK_HEADER_BYTES = 12
export const PACK_TRAILER_BYTES = 20

export const ENTRY_TYPE = { commit: 1, tree: 2, blob: 3, tag: 4, ofsDelta: 6, refDelta: 7 } as const

/** Type and size take at most 4 + 7 × 7 bits: sizes up to 2^53 fit; an ofs-delta adds 8, a ref-delta 20. */
export const ENTRY_HEADER_BYTES_MAX = 8 + 20
const SIZE_BYTES_MAX = 8
const OFFSET_BYTES_MAX = 8

export interface EntryHeader {
  /** 1–4 for whole objects, 6 for a delta by offset, 7 for a delta by name. */
  readonly type: number
  /** Inflated bytes that follow: of the object, or of the delta. */
  readonly sizeBytes: number
  /** Header bytes: the zlib stream begins after them. */
  readonly headerBytes: number
  /** ofs-delta: the base begins this many bytes before this entry. */
  readonly baseDistance: number
  /** ref-delta: where the 20 bytes of the base's name begin, relative to the entry. */
  readonly baseOidAt: number
}

/** @returns the number of objects declared, which nothing but a comparison may trust. */
export function decodePackHeader(bytes: Uint8Array, objectsMax: number): number {
  if (bytes.length < PACK_HEADER_BYTES)
    throw new PackError({ code: 'pack_truncated' }, 'The pack ends inside its header')
  const view = new DataView(bytes.buffer, bytes.byteOffset, PACK_HEADER_BYTES)
  if (view.getUint32(0) !== 0x5041434b) {
    throw new PackError({ code: 'pack_signature_invalid' }, 'The pack does not begin with PACK')
  }
  const version = view.getUint32(4)
  if (version !== 2) {
    throw new PackError(
      { code: 'pack_version_unknown', version },
      `Pack version ${version}; only version 2 is understood`,
    )
  }
  const declaredObjects = view.getUint32(8)
  if (declaredObjects > objectsMax) {
    throw new PackError(
      { code: 'pack_objects_over_limit', declaredObjects, limitObjects: objectsMax },
      `The pack declares ${declaredObjects} objects; the limit (max_pack_objects) is ${objectsMax}`,
    )
  }
  return declaredObjects
}

export function encodePackHeader(objects: number): Buffer {
  const header = Buffer.from('PACK\0\0\0\x02\0\0\0\0', 'latin1')
  header.writeUInt32BE(objects, 8)
  return header
}

/**
 * @param at where the entry begins in `bytes`
 * @param packOffset where it begins in the pack, for the error
 */
export function decodeEntryHeader(bytes: Uint8Array, at: number, packOffset: number): EntryHeader {
  let position = at
  let byte = byteAt(bytes, position++)
  const type = (byte >> 4) & 7
  let sizeBytes = byte & 15
  let scale = 16
  while ((byte & 0x80) !== 0) {
    if (position - at >= SIZE_BYTES_MAX) throw headerInvalid(packOffset)
    byte = byteAt(bytes, position++)
    sizeBytes += (byte & 0x7f) * scale
    scale *= 128
  }
  if (!Number.isSafeInteger(sizeBytes)) throw headerInvalid(packOffset)
  let baseDistance = 0
  let baseOidAt = 0
  if (type === ENTRY_TYPE.ofsDelta) {
    const start = position
    byte = byteAt(bytes, position++)
    baseDistance = byte & 0x7f
    while ((byte & 0x80) !== 0) {
      if (position - start >= OFFSET_BYTES_MAX) throw headerInvalid(packOffset)
      byte = byteAt(bytes, position++)
      // Each continuation adds one, so that no distance has two encodings.
      baseDistance = (baseDistance + 1) * 128 + (byte & 0x7f)
    }
    if (!Number.isSafeInteger(baseDistance)) throw headerInvalid(packOffset)
  } else if (type === ENTRY_TYPE.refDelta) {
    baseOidAt = position - at
    position += 20
    if (position > bytes.length) throw new PackError({ code: 'pack_truncated' }, 'The pack ends inside an entry')
  } else if (type === 0 || type === 5) {
    throw new PackError(
      { code: 'entry_type_invalid', type, packOffset },
      `Unknown object type ${type} at pack offset ${packOffset}`,
    )
  }
  return { type, sizeBytes, headerBytes: position - at, baseDistance, baseOidAt }
}

/** Type and size as an entry begins with them; a delta's base follows, written by the caller. @returns the place behind */
export function writeEntryHeader(target: Buffer, at: number, type: number, sizeBytes: number): number {
  let end = at
  let rest = Math.floor(sizeBytes / 16)
  let byte = (type << 4) | (sizeBytes % 16)
  while (rest > 0) {
    target[end++] = byte | 0x80
    byte = rest % 128
    rest = Math.floor(rest / 128)
  }
  target[end++] = byte
  return end
}

/** The distance to an ofs-delta's base. @returns the place behind */
export function writeBaseDistance(target: Buffer, at: number, distance: number): number {
  let more = 0
  for (let rest = Math.floor(distance / 128); rest > 0; rest = Math.floor((rest - 1) / 128)) more++
  let rest = distance
  for (let place = at + more; place >= at; place--) {
    target[place] = place === at + more ? rest % 128 : 0x80 | (rest % 128)
    rest = Math.floor(rest / 128) - 1
  }
  return at + more + 1
}

/** As `writeEntryHeader`, by itself. */
export function encodeEntryHeader(type: number, sizeBytes: number): Buffer {
  const bytes = Buffer.alloc(ENTRY_HEADER_BYTES_MAX)
  return bytes.subarray(0, writeEntryHeader(bytes, 0, type, sizeBytes))
}

/** As `writeBaseDistance`, by itself. */
export function encodeBaseDistance(distance: number): Buffer {
  const bytes = Buffer.alloc(ENTRY_HEADER_BYTES_MAX)
  return bytes.subarray(0, writeBaseDistance(bytes, 0, distance))
}

function byteAt(bytes: Uint8Array, position: number): number {
  const byte = bytes[position]
  if (byte === undefined) throw new PackError({ code: 'pack_truncated' }, 'The pack ends inside an entry')
  return byte
}

function headerInvalid(packOffset: number): PackError {
  return new PackError(
    { code: 'entry_header_invalid', packOffset },
    `The entry at pack offset ${packOffset} has an impossible size`,
  )
}

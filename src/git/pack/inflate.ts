import { inflateSync } from 'node:zlib'

import { errorCodeOf } from '../../errors.ts'
import { PackError } from './error.ts'
import { inflateInto } from './inflate-stream.ts'
import type { PackWindow } from './source.ts'

/** Deflate shrinks by 1032 to one at the very best (zlib, "Maximum Compression Factor"). */
const EXPANSION_MAX = 1032
/** Up to here the result is allocated at once, above it grows as bytes arrive. */
export const SINGLE_CHUNK_BYTES_MAX = 16 * 1024 * 1024
const CHUNK_BYTES = 1024 * 1024
/** A stream may be made of empty blocks for ever, and would have to be held whole: longer than this it makes no sense. */
const streamBytesMax = (sizeBytes: number): number => 2 * sizeBytes + 1024 * 1024

export interface Inflated {
  readonly data: Buffer
  /** Compressed bytes read. */
  readonly consumedBytes: number
}

/**
 * Inflates the zlib stream at `position`, which must make exactly `sizeBytes`.
 *
 * @param sizeBytes as the entry declares it, already within the object limit
 * @param packOffset of the entry, for the error
 * @param room where the bytes are put, one byte more than they are; else they get memory of their own
 * @throws PackError entry_inflate_failed, entry_size_mismatch
 */
export function inflateAt(
  window: PackWindow,
  position: number,
  sizeBytes: number,
  packOffset: number,
  room?: Buffer,
): Inflated {
  const available = Math.min(window.end - position, streamBytesMax(sizeBytes))
  if (sizeBytes > available * EXPANSION_MAX) throw sizeMismatch(sizeBytes, packOffset)
  // What zlib's own deflate needs at most; streams of other makers may be longer, then the view grows.
  let viewBytes = Math.min(available, sizeBytes + (sizeBytes >> 9) + 64)
  for (;;) {
    const view = window.view(position, viewBytes)
    if (sizeBytes < SINGLE_CHUNK_BYTES_MAX) {
      const output = room ?? Buffer.allocUnsafe(sizeBytes + 1)
      const consumedBytes = inflateInto(view, output, sizeBytes)
      if (consumedBytes >= 0) return { data: output.subarray(0, sizeBytes), consumedBytes }
    }
    // What is wrong with it, if anything is, zlib says here.
    try {
      const { buffer, engine } = inflateSync(view, {
        info: true,
        maxOutputLength: sizeBytes + 1,
        chunkSize: sizeBytes < SINGLE_CHUNK_BYTES_MAX ? Math.max(64, sizeBytes + 1) : CHUNK_BYTES,
      }) as unknown as { buffer: Buffer; engine: { bytesWritten: number } }
      if (buffer.length !== sizeBytes) throw sizeMismatch(sizeBytes, packOffset)
      return { data: buffer, consumedBytes: engine.bytesWritten }
    } catch (error) {
      const code = errorCodeOf(error)
      if (code === 'Z_BUF_ERROR' && view.length < available) {
        viewBytes = Math.min(available, Math.max(view.length, viewBytes) * 4)
        continue
      }
      if (code === 'ERR_BUFFER_TOO_LARGE') throw sizeMismatch(sizeBytes, packOffset)
      if (code?.startsWith('Z_')) {
        throw new PackError(
          { code: 'entry_inflate_failed', packOffset },
          `The compressed data at pack offset ${packOffset} is damaged`,
          { cause: error },
        )
      }
      throw error
    }
  }
}

function sizeMismatch(declaredBytes: number, packOffset: number): PackError {
  return new PackError(
    { code: 'entry_size_mismatch', declaredBytes, packOffset },
    `The entry at pack offset ${packOffset} declares ${declaredBytes} bytes and holds another number`,
  )
}

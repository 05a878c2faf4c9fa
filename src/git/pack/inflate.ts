import { inflateSync } from 'node:zlib'

import { errorCodeOf } from '../../errors.ts'
import { inflateFailed, sizeMismatch, streamBytesMax } from './inflate-errors.ts'
import { inflatePieces } from './inflate-pieces.ts'
import { inflateInto } from './inflate-stream.ts'
import type { PackView } from './source.ts'

/** Deflate shrinks by 1032 to one at the very best (zlib, "Maximum Compression Factor"). */
const EXPANSION_MAX = 1032
/** Of what is larger, the compressed bytes are never held whole beside the others. */
const WHOLE_BYTES_MAX = 16 * 1024 * 1024

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
  window: PackView,
  position: number,
  sizeBytes: number,
  packOffset: number,
  room?: Buffer,
): Inflated {
  // Where more is to come, it is known only after a look how much that is.
  const available = (): number => Math.min(window.end - position, streamBytesMax(sizeBytes))
  if (sizeBytes > available() * EXPANSION_MAX) throw sizeMismatch(sizeBytes, packOffset)
  if (sizeBytes >= WHOLE_BYTES_MAX) return inflateLarge(window, position, sizeBytes, packOffset)
  // What zlib's own deflate needs at most; streams of other makers may be longer, then the view grows.
  let viewBytes = Math.min(available(), sizeBytes + (sizeBytes >> 9) + 64)
  for (;;) {
    const view = window.view(position, viewBytes)
    const output = room ?? Buffer.allocUnsafe(sizeBytes + 1)
    const consumedBytes = inflateInto(view, output, sizeBytes)
    if (consumedBytes >= 0) return { data: output.subarray(0, sizeBytes), consumedBytes }
    // What is wrong with it, if anything is, zlib says here.
    try {
      const { buffer, engine } = inflateSync(view, {
        info: true,
        maxOutputLength: sizeBytes + 1,
        chunkSize: Math.max(64, sizeBytes + 1),
      }) as unknown as { buffer: Buffer; engine: { bytesWritten: number } }
      if (buffer.length !== sizeBytes) throw sizeMismatch(sizeBytes, packOffset)
      return { data: buffer, consumedBytes: engine.bytesWritten }
    } catch (error) {
      const code = errorCodeOf(error)
      // A view that is short of what was asked for is all that is left of a source that became shorter.
      if (code === 'Z_BUF_ERROR' && view.length >= viewBytes && view.length < available()) {
        viewBytes = Math.min(available(), Math.max(view.length, viewBytes) * 4)
        continue
      }
      if (code === 'ERR_BUFFER_TOO_LARGE') throw sizeMismatch(sizeBytes, packOffset)
      throw code?.startsWith('Z_') ? inflateFailed(packOffset, error) : error
    }
  }
}

/** Of memory that was only asked for the system gives nothing until it is written to, so a size that lies costs nothing. */
function inflateLarge(window: PackView, position: number, sizeBytes: number, packOffset: number): Inflated {
  const data = Buffer.allocUnsafeSlow(sizeBytes)
  let filled = 0
  const { consumedBytes } = inflatePieces(window, position, sizeBytes, packOffset, (piece) => {
    data.set(piece, filled)
    filled += piece.length
  })
  return { data, consumedBytes }
}

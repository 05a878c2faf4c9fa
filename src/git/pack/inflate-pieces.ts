import { crc32 } from 'node:zlib'

import { inflateFailed, sizeMismatch, streamBytesMax } from './inflate-errors.ts'
import { pieceStream } from './inflate-stream.ts'
import type { PackView } from './source.ts'

const PIECE_BYTES = 256 * 1024
/** Looked at in one step, where there is so much. */
const INPUT_BYTES = 64 * 1024

/** One after the other, so that all of them together need one. */
let room: Buffer | undefined

export interface InflatedPieces {
  /** Compressed bytes read. */
  readonly consumedBytes: number
  /** Of the compressed bytes, continuing the one that was given. */
  readonly crc: number
}

/**
 * Inflates the zlib stream at `position`, which must make exactly `sizeBytes`, and never holds more than a piece of it.
 *
 * @param packOffset of the entry, for the error
 * @param visit each piece, valid during the call, in which nothing else may be inflated in pieces
 * @param crc of what comes before the stream
 * @throws PackError entry_inflate_failed, entry_size_mismatch; what `visit` throws
 */
export function inflatePieces(
  window: PackView,
  position: number,
  sizeBytes: number,
  packOffset: number,
  visit: (piece: Buffer) => void,
  crc = 0,
): InflatedPieces {
  const stream = pieceStream()
  const output = (room ??= Buffer.allocUnsafeSlow(PIECE_BYTES))
  stream.begin()
  let readBytes = 0
  let madeBytes = 0
  for (;;) {
    const input = window.view(position + readBytes, INPUT_BYTES)
    const step = stream.step(input, output, input.length === 0)
    if (step.failed) throw inflateFailed(packOffset)
    crc = crc32(input.subarray(0, step.readBytes), crc)
    readBytes += step.readBytes
    madeBytes += step.madeBytes
    if (madeBytes > sizeBytes || (step.ended && madeBytes < sizeBytes)) throw sizeMismatch(sizeBytes, packOffset)
    if (step.madeBytes > 0) visit(output.subarray(0, step.madeBytes))
    if (step.ended) return { consumedBytes: readBytes, crc }
    if (readBytes > streamBytesMax(sizeBytes)) throw inflateFailed(packOffset)
  }
}

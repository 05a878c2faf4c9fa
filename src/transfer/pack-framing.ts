/** The pieces in which a pack goes over the wire, and the frames in them (gitprotocol-pack, "Packfile Data"). */
import { BANDS, FRAME_BYTES_MAX, FRAME_HEADER_BYTES, type Framing } from '../git/protocol/side-band.ts'
import { type PackReader, readPack } from './pack-reader.ts'

/** Small enough to stay in a processor's cache from the read to the send. */
export const PIECE_BYTES = 512 * 1024
/** More frames than this and a system call reads fewer bytes than it was asked for (IOV_MAX). */
const FRAMES_PER_PIECE_MAX = 1_000

/** How much of the pack a piece holds at most, in how large frames; undefined: bare bytes. */
interface Layout {
  readonly payloadBytesMax: number
  readonly framesMax: number
}

function layoutOf(framing: Framing): Layout | undefined {
  if (framing === 'none') return undefined
  const payloadBytesMax = FRAME_BYTES_MAX[framing] - FRAME_HEADER_BYTES
  const framesMax = Math.min(FRAMES_PER_PIECE_MAX, Math.floor(PIECE_BYTES / FRAME_BYTES_MAX[framing]))
  return { payloadBytesMax, framesMax }
}

/** Bytes on the wire of a pack of `bytes` bytes. */
export function framedBytes(bytes: number, framing: Framing): number {
  const layout = layoutOf(framing)
  return layout === undefined ? bytes : bytes + Math.ceil(bytes / layout.payloadBytesMax) * FRAME_HEADER_BYTES
}

/** Bytes of the pack in each piece but the last one. */
export function pieceBytesOf(framing: Framing): number {
  const layout = layoutOf(framing)
  return layout === undefined ? PIECE_BYTES : layout.framesMax * layout.payloadBytesMax
}

export interface Piece {
  /** Of the buffer, frames included. */
  readonly filledBytes: number
  /** Of the pack. */
  readonly bytes: number
}

/**
 * Reads the piece of a pack that begins at `position`. Room for the frames' headers is left in the buffer that the file
 * is read into, so that no byte is copied in JavaScript.
 *
 * @param buffer has room for PIECE_BYTES, or for what is left of the pack with its frames
 * @param bytes of the pack
 */
export async function readPiece(
  reader: PackReader,
  buffer: Buffer,
  position: number,
  bytes: number,
  framing: Framing,
): Promise<Piece> {
  const layout = layoutOf(framing)
  const payloadBytes = Math.min(pieceBytesOf(framing), bytes - position)
  if (layout === undefined) {
    await readPack(reader, [buffer.subarray(0, payloadBytes)], payloadBytes, position)
    return { filledBytes: payloadBytes, bytes: payloadBytes }
  }
  const payloads: Buffer[] = []
  let at = 0
  for (let left = payloadBytes; left > 0;) {
    const length = Math.min(layout.payloadBytesMax, left)
    buffer.write((length + FRAME_HEADER_BYTES).toString(16).padStart(4, '0'), at, 'latin1')
    buffer[at + 4] = BANDS.pack
    payloads.push(buffer.subarray(at + FRAME_HEADER_BYTES, at + FRAME_HEADER_BYTES + length))
    at += FRAME_HEADER_BYTES + length
    left -= length
  }
  await readPack(reader, payloads, payloadBytes, position)
  return { filledBytes: at, bytes: payloadBytes }
}

import type { FileHandle } from 'node:fs/promises'
import { BANDS, FRAME_BYTES_MAX, FRAME_HEADER_BYTES, type Framing } from '../git/protocol/side-band.ts'

/**
 * Stored pack bytes as they go to the client. The frames' headers are left room for in the buffer that the file is
 * read into, so that no byte is copied in JavaScript on its way from the file to the socket; and two buffers take turns,
 * one being read into while the other one is being sent, so that no memory has to be got for each piece anew.
 */

/** Small enough to stay in a processor's cache from the read to the send. */
const PIECE_BYTES = 512 * 1024
/** More pieces than this and a system call reads fewer bytes than it was asked for (IOV_MAX). */
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

/**
 * @param send resolves when the bytes are out of the buffer, which is then used again
 */
export async function sendPack(
  file: FileHandle,
  bytes: number,
  framing: Framing,
  send: (piece: Buffer) => Promise<void>,
): Promise<void> {
  const layout = layoutOf(framing)
  const sizeMax = Math.min(PIECE_BYTES, framedBytes(bytes, framing))
  let [filling, sending] = [Buffer.allocUnsafeSlow(sizeMax), Buffer.allocUnsafeSlow(sizeMax)]
  let underWay: Promise<void> = Promise.resolve()
  try {
    for (let position = 0; position < bytes;) {
      const piece =
        layout === undefined
          ? await fillBare(file, filling, position, bytes)
          : await fillFramed(file, filling, position, bytes, layout)
      await underWay
      underWay = send(piece.filled)
      // It is awaited in a moment; should it fail before that, nobody else has to hear of it.
      underWay.catch(() => {})
      position += piece.payloadBytes
      ;[filling, sending] = [sending, filling]
    }
  } finally {
    // Whoever waits for us may close the file: nothing of ours is under way then.
    await underWay
  }
}

interface Piece {
  readonly filled: Buffer
  /** Bytes of the pack in it. */
  readonly payloadBytes: number
}

async function fillFramed(
  file: FileHandle,
  buffer: Buffer,
  position: number,
  bytes: number,
  { payloadBytesMax, framesMax }: Layout,
): Promise<Piece> {
  const payloads: Buffer[] = []
  const payloadBytes = Math.min(framesMax * payloadBytesMax, bytes - position)
  let at = 0
  for (let left = payloadBytes; left > 0;) {
    const length = Math.min(payloadBytesMax, left)
    buffer.write((length + FRAME_HEADER_BYTES).toString(16).padStart(4, '0'), at, 'latin1')
    buffer[at + 4] = BANDS.pack
    payloads.push(buffer.subarray(at + FRAME_HEADER_BYTES, at + FRAME_HEADER_BYTES + length))
    at += FRAME_HEADER_BYTES + length
    left -= length
  }
  await readInto(file, payloads, payloadBytes, position)
  return { filled: buffer.subarray(0, at), payloadBytes }
}

async function fillBare(file: FileHandle, buffer: Buffer, position: number, bytes: number): Promise<Piece> {
  const filled = buffer.subarray(0, Math.min(buffer.length, bytes - position))
  await readInto(file, [filled], filled.length, position)
  return { filled, payloadBytes: filled.length }
}

async function readInto(file: FileHandle, buffers: readonly Buffer[], bytes: number, position: number): Promise<void> {
  const { bytesRead } = await file.readv(buffers, position)
  // A local file gives what is asked for, unless it became shorter: then nothing sensible can be sent.
  if (bytesRead !== bytes) throw new Error(`A pack ended after ${position + bytesRead} bytes`)
}

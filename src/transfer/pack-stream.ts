import { BufferPool } from './buffer-pool.ts'
import { BANDS, FRAME_BYTES_MAX, FRAME_HEADER_BYTES, type Framing } from '../git/protocol/side-band.ts'
import { type PackReader, readPack } from './pack-reader.ts'

/**
 * Stored pack bytes as they go to the client. The frames' headers are left room for in the buffer that the file is
 * read into, so that no byte of a file is copied in JavaScript on its way to the socket; and two buffers take turns,
 * one being read into while the other one is being sent, so that no memory has to be got for each piece anew.
 */

/** Small enough to stay in a processor's cache from the read to the send. */
const PIECE_BYTES = 512 * 1024
/** Two for each of as many clients as keep a machine busy. */
const IDLE_BUFFERS_MAX = 16
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

/** Room beside a piece for what goes before and behind the pack: small packs go out at once. */
const AROUND_BYTES_MAX = 4_096
const pool = new BufferPool(PIECE_BYTES + AROUND_BYTES_MAX, IDLE_BUFFERS_MAX)

export interface PackFrame {
  readonly framing: Framing
  /** Goes before it, as it is. */
  readonly head: Buffer
  /** Goes behind it. */
  readonly tail: Buffer
}

/**
 * @param send resolves when the bytes are out of the buffer, which is then used again
 */
export async function sendPack(
  reader: PackReader,
  bytes: number,
  { framing, head, tail }: PackFrame,
  send: (piece: Buffer) => Promise<void>,
): Promise<void> {
  const layout = layoutOf(framing)
  const fits = head.length + tail.length <= AROUND_BYTES_MAX
  if (!fits) await send(head)
  let [filling, sending] = [pool.take(), pool.take()]
  let underWay: Promise<void> = Promise.resolve()
  try {
    for (let position = 0; position < bytes;) {
      const at = fits && position === 0 ? head.copy(filling) : 0
      const payload =
        layout === undefined
          ? await fillBare(reader, filling.subarray(at), position, bytes)
          : await fillFramed(reader, filling.subarray(at), position, bytes, layout)
      position += payload.bytes
      const end = at + payload.filledBytes
      const piece = filling.subarray(0, fits && position === bytes ? end + tail.copy(filling, end) : end)
      await underWay
      underWay = send(piece)
      // It is awaited in a moment; should it fail before that, nobody else has to hear of it.
      underWay.catch(() => {})
      ;[filling, sending] = [sending, filling]
    }
  } finally {
    // Whoever waits for us may close the file: nothing of ours is under way then.
    await underWay
  }
  if (!fits) await send(tail)
  // Only now: of what failed, a socket may still hold a part.
  pool.give(filling)
  pool.give(sending)
}

interface Payload {
  /** Of the buffer, frames included. */
  readonly filledBytes: number
  /** Of the pack. */
  readonly bytes: number
}

async function fillFramed(
  reader: PackReader,
  buffer: Buffer,
  position: number,
  bytes: number,
  { payloadBytesMax, framesMax }: Layout,
): Promise<Payload> {
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
  await readPack(reader, payloads, payloadBytes, position)
  return { filledBytes: at, bytes: payloadBytes }
}

async function fillBare(reader: PackReader, buffer: Buffer, position: number, bytes: number): Promise<Payload> {
  const filled = buffer.subarray(0, Math.min(PIECE_BYTES, bytes - position))
  await readPack(reader, [filled], filled.length, position)
  return { filledBytes: filled.length, bytes: filled.length }
}

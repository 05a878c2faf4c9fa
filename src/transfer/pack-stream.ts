import type { Framing } from '../git/protocol/side-band.ts'
import { BufferPool } from './buffer-pool.ts'
import type { HotPack } from './hot-packs.ts'
import { PIECE_BYTES, pieceBytesOf, readPiece } from './pack-framing.ts'
import type { PackReader } from './pack-reader.ts'

/**
 * Stored pack bytes as they go to the client: from memory, or from a file by two buffers that take turns, one being read
 * into while the other one is being sent, so that no memory has to be got for each piece anew.
 */

/** Two for each of as many clients as keep a machine busy. */
const IDLE_BUFFERS_MAX = 16
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
 * How many bytes of a pack can be read: as many as asked for, or more; fewer only where that is all of it.
 *
 * @throws why there will be no more
 */
export type Extent = (bytesWanted: number) => Promise<number> | number

/**
 * @param send resolves when the bytes are out of the buffer, which is then used again
 */
export async function sendPack(
  reader: PackReader,
  extent: Extent,
  { framing, head, tail }: PackFrame,
  send: (piece: Buffer) => Promise<void>,
): Promise<void> {
  const fits = head.length + tail.length <= AROUND_BYTES_MAX
  if (!fits) await send(head)
  let [filling, sending] = [pool.take(), pool.take()]
  let underWay: Promise<void> = Promise.resolve()
  try {
    const pieceBytes = pieceBytesOf(framing)
    for (let [position, isLast] = [0, false]; !isLast;) {
      // One more than the piece holds: so it is known whether it is the last one.
      const bytes = await extent(position + pieceBytes + 1)
      const at = fits && position === 0 ? head.copy(filling) : 0
      const read = await readPiece(reader, filling.subarray(at), position, bytes, framing)
      position += read.bytes
      isLast = position === bytes
      const end = at + read.filledBytes
      const piece = filling.subarray(0, fits && isLast ? end + tail.copy(filling, end) : end)
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

/**
 * As `sendPack`, in frames of HOT_FRAMING, and with the flush packet that ends them.
 *
 * @param reader undefined where the pack is complete
 * @param head goes before it, as it is
 */
export async function sendHotPack(
  pack: HotPack,
  reader: PackReader | undefined,
  head: Buffer,
  send: (...pieces: readonly Buffer[]) => Promise<void>,
): Promise<void> {
  if (pack.isComplete) {
    // What the kernel has no room for waits in libuv: pieces that wait for each other took a quarter more time.
    await send(head, ...pack.all())
    return
  }
  let next = pack.piece(0, reader)
  try {
    for (let number = 0; number < pack.pieces; number++) {
      const piece = await next
      if (number + 1 < pack.pieces) next = pack.piece(number + 1, reader)
      // It is awaited in a moment; should it fail before that, nobody else has to hear of it.
      next.catch(() => {})
      await send(...(number === 0 ? [head] : []), piece)
    }
  } finally {
    // Whoever waits for us may close the file: nothing of ours is under way then.
    await next.catch(() => {})
  }
}

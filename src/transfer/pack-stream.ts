import type { FileHandle } from 'node:fs/promises'

/**
 * Stored pack bytes as they go to the client. The frames' headers are left room for in the buffer that the file is
 * read into, so that no byte is copied in JavaScript on its way from the file to the socket.
 */

/** pkt-line length and band: `fff0` and 1, for a frame as long as frames may be (gitprotocol-common). */
const FRAME_HEADER_BYTES = 5
const LARGE_PAYLOAD_BYTES = 65_520 - FRAME_HEADER_BYTES
/** Without -64k a frame holds at most 1000 bytes, its length included (gitprotocol-capabilities, side-band). */
const SMALL_PAYLOAD_BYTES = 1_000 - FRAME_HEADER_BYTES
const READ_BYTES = 1024 * 1024

export type Framing = 'side-band-64k' | 'side-band' | 'none'

/** @yields buffers ready for the socket, which are the receiver's to keep */
export async function* packFrames(file: FileHandle, bytes: number, framing: Framing): AsyncGenerator<Buffer> {
  if (framing === 'none') yield* rawPieces(file, bytes)
  else yield* framedPieces(file, bytes, framing === 'side-band' ? SMALL_PAYLOAD_BYTES : LARGE_PAYLOAD_BYTES)
}

async function* framedPieces(file: FileHandle, bytes: number, payloadBytesMax: number): AsyncGenerator<Buffer> {
  const framesPerRead = Math.floor(READ_BYTES / (payloadBytesMax + FRAME_HEADER_BYTES))
  for (let position = 0; position < bytes;) {
    const payloads: Buffer[] = []
    const payloadBytes = Math.min(framesPerRead * payloadBytesMax, bytes - position)
    const frames = Math.ceil(payloadBytes / payloadBytesMax)
    const buffer = Buffer.allocUnsafeSlow(payloadBytes + frames * FRAME_HEADER_BYTES)
    for (let at = 0, left = payloadBytes; left > 0;) {
      const length = Math.min(payloadBytesMax, left)
      buffer.write((length + FRAME_HEADER_BYTES).toString(16).padStart(4, '0'), at, 'latin1')
      buffer[at + 4] = 1
      payloads.push(buffer.subarray(at + FRAME_HEADER_BYTES, at + FRAME_HEADER_BYTES + length))
      at += FRAME_HEADER_BYTES + length
      left -= length
    }
    await readInto(file, payloads, payloadBytes, position)
    position += payloadBytes
    yield buffer
  }
}

async function* rawPieces(file: FileHandle, bytes: number): AsyncGenerator<Buffer> {
  for (let position = 0; position < bytes;) {
    const buffer = Buffer.allocUnsafeSlow(Math.min(READ_BYTES, bytes - position))
    await readInto(file, [buffer], buffer.length, position)
    position += buffer.length
    yield buffer
  }
}

async function readInto(file: FileHandle, buffers: readonly Buffer[], bytes: number, position: number): Promise<void> {
  const { bytesRead } = await file.readv(buffers, position)
  // A local file gives what is asked for, unless it became shorter: then nothing sensible can be sent.
  if (bytesRead !== bytes) throw new Error(`A pack ended after ${position + bytesRead} bytes`)
}

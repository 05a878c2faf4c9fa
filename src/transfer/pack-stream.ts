import type { FileHandle } from 'node:fs/promises'
import { BANDS, FRAME_BYTES_MAX, FRAME_HEADER_BYTES, type Framing } from '../git/protocol/side-band.ts'

/**
 * Stored pack bytes as they go to the client. The frames' headers are left room for in the buffer that the file is
 * read into, so that no byte is copied in JavaScript on its way from the file to the socket.
 */

const READ_BYTES = 1024 * 1024
/** More pieces than this and a system call reads fewer bytes than it was asked for (IOV_MAX). */
const FRAMES_PER_READ_MAX = 1_000

/** @yields buffers ready for the socket, which are the receiver's to keep */
export async function* packFrames(file: FileHandle, bytes: number, framing: Framing): AsyncGenerator<Buffer> {
  if (framing === 'none') yield* rawPieces(file, bytes)
  else yield* framedPieces(file, bytes, FRAME_BYTES_MAX[framing] - FRAME_HEADER_BYTES)
}

async function* framedPieces(file: FileHandle, bytes: number, payloadBytesMax: number): AsyncGenerator<Buffer> {
  const framesPerRead = Math.min(FRAMES_PER_READ_MAX, Math.floor(READ_BYTES / (payloadBytesMax + FRAME_HEADER_BYTES)))
  for (let position = 0; position < bytes;) {
    const payloads: Buffer[] = []
    const payloadBytes = Math.min(framesPerRead * payloadBytesMax, bytes - position)
    const frames = Math.ceil(payloadBytes / payloadBytesMax)
    const buffer = Buffer.allocUnsafeSlow(payloadBytes + frames * FRAME_HEADER_BYTES)
    for (let at = 0, left = payloadBytes; left > 0;) {
      const length = Math.min(payloadBytesMax, left)
      buffer.write((length + FRAME_HEADER_BYTES).toString(16).padStart(4, '0'), at, 'latin1')
      buffer[at + 4] = BANDS.pack
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

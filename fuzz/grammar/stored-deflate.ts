/** zlib streams (RFC 1950) whose bytes can be read: in stored blocks, which are also quicker to make. */
import { deflateSync } from 'node:zlib'

const BLOCK_BYTES_MAX = 65_535

export function deflate(content: Buffer, isDeflated: boolean): Buffer {
  if (isDeflated) return deflateSync(content)
  const parts: Buffer[] = [Buffer.from([0x78, 0x01])]
  for (let at = 0; at === 0 || at < content.length; at += BLOCK_BYTES_MAX) {
    const block = content.subarray(at, at + BLOCK_BYTES_MAX)
    const head = Buffer.alloc(5)
    head.writeUInt8(at + BLOCK_BYTES_MAX >= content.length ? 1 : 0)
    head.writeUInt16LE(block.length, 1)
    head.writeUInt16LE(~block.length & 0xffff, 3)
    parts.push(head, block)
  }
  const checksum = Buffer.alloc(4)
  checksum.writeUInt32BE(adler32(content))
  return Buffer.concat([...parts, checksum])
}

function adler32(bytes: Buffer): number {
  let a = 1
  let b = 0
  for (const byte of bytes) {
    a = (a + byte) % 65_521
    b = (b + a) % 65_521
  }
  return ((b << 16) | a) >>> 0
}

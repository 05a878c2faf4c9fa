/**
 * The framing of everything that git says on the wire (gitprotocol-common, "pkt-line Format"): four hexadecimal digits
 * of length, themselves included, then the payload.
 */
import assert from 'node:assert/strict'
import { ProtocolError } from './protocol/error.ts'

const LENGTH_BYTES = 4
/** A whole line; git calls it LARGE_PACKET_MAX. */
export const PKT_LINE_BYTES_MAX = 65_520
export const PKT_PAYLOAD_BYTES_MAX = PKT_LINE_BYTES_MAX - LENGTH_BYTES

export type PktLine =
  | { readonly type: 'data'; readonly payload: Buffer }
  /** `0000`, `0001`, `0002` */
  | { readonly type: 'flush' | 'delim' | 'response-end' }

export type PktStep =
  | { readonly complete: true; readonly line: PktLine; readonly consumedBytes: number }
  /** Bytes that the line takes in all, as far as is known. */
  | { readonly complete: false; readonly neededBytes: number }

export const FLUSH = Buffer.from('0000')
export const DELIM = Buffer.from('0001')

const SPECIAL = ['flush', 'delim', 'response-end'] as const

/**
 * The line at the start of `bytes`; its payload is a view of them.
 *
 * @throws ProtocolError pkt_length_invalid
 */
export function decodePktLine(bytes: Buffer): PktStep {
  if (bytes.length < LENGTH_BYTES) return { complete: false, neededBytes: LENGTH_BYTES }
  const length = hex4(bytes)
  const special = SPECIAL[length]
  if (special !== undefined) return { complete: true, line: { type: special }, consumedBytes: LENGTH_BYTES }
  // "0003" could not even hold its own length; "0004" is legal and empty (gitprotocol-common).
  if (length < LENGTH_BYTES || length > PKT_LINE_BYTES_MAX) throw lengthInvalid(bytes)
  if (bytes.length < length) return { complete: false, neededBytes: length }
  return {
    complete: true,
    line: { type: 'data', payload: bytes.subarray(LENGTH_BYTES, length) },
    consumedBytes: length,
  }
}

export function encodePktLine(payload: string | Uint8Array): Buffer {
  const bytes = typeof payload === 'string' ? Buffer.from(payload) : payload
  assert(bytes.length <= PKT_PAYLOAD_BYTES_MAX, 'callers split before they frame')
  const line = Buffer.allocUnsafe(LENGTH_BYTES + bytes.length)
  line.write((LENGTH_BYTES + bytes.length).toString(16).padStart(4, '0'), 0, 'latin1')
  line.set(bytes, LENGTH_BYTES)
  return line
}

/** One line of a text that names what a client said, which may have filled a line by itself: as much as fits. */
export function encodeCutLine(text: string): Buffer {
  return encodePktLine(Buffer.from(text).subarray(0, PKT_PAYLOAD_BYTES_MAX))
}

function hex4(bytes: Buffer): number {
  let value = 0
  for (let at = 0; at < LENGTH_BYTES; at++) {
    const byte = bytes[at] as number
    const digit =
      byte >= 0x30 && byte <= 0x39
        ? byte - 0x30
        : (byte | 0x20) >= 0x61 && (byte | 0x20) <= 0x66
          ? (byte | 0x20) - 0x57
          : -1
    if (digit < 0) throw lengthInvalid(bytes)
    value = value * 16 + digit
  }
  return value
}

function lengthInvalid(bytes: Buffer): ProtocolError {
  const length = bytes.toString('latin1', 0, LENGTH_BYTES)
  return new ProtocolError({ code: 'pkt_length_invalid', length }, 'A line does not begin with a valid length')
}

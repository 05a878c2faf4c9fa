/** Several streams in one (gitprotocol-pack, "Packfile Data"; gitprotocol-capabilities, "side-band"). */
import assert from 'node:assert/strict'
import { decodePktLine, encodePktLine, PKT_LINE_BYTES_MAX } from '../pkt-line.ts'

export const BANDS = { pack: 1, progress: 2, error: 3 } as const
export type Band = keyof typeof BANDS

/** How answers are framed, as the client asked. */
export type Framing = 'side-band-64k' | 'side-band' | 'none'

/** A whole line: `side-band` is older and keeps to a thousand bytes. */
export const FRAME_BYTES_MAX = { 'side-band-64k': PKT_LINE_BYTES_MAX, 'side-band': 1_000 } as const
/** Length and band before each payload. */
export const FRAME_HEADER_BYTES = 5

export function encodeBand(band: Band, payload: Uint8Array): Buffer {
  return encodePktLine(Buffer.concat([Buffer.of(BANDS[band]), payload]))
}

/** Text of any length in as many frames as it takes. */
export function encodeBandText(band: Band, text: string | Uint8Array, framing: Exclude<Framing, 'none'>): Buffer {
  const bytes = typeof text === 'string' ? Buffer.from(text) : text
  const payloadBytesMax = FRAME_BYTES_MAX[framing] - FRAME_HEADER_BYTES
  const frames: Buffer[] = []
  for (let at = 0; at < bytes.length; at += payloadBytesMax) {
    frames.push(encodeBand(band, bytes.subarray(at, at + payloadBytesMax)))
  }
  return Buffer.concat(frames)
}

/**
 * Lines of our own, each in the band of the pack; what ends a section stays as it is (gitprotocol-v2, "sideband-all").
 */
export function encodeLinesInBand(lines: Buffer): Buffer {
  const framed: Buffer[] = []
  for (let at = 0; at < lines.length;) {
    const step = decodePktLine(lines.subarray(at))
    assert(step.complete, 'the lines are whole')
    const end = at + step.consumedBytes
    framed.push(step.line.type === 'data' ? encodeBand('pack', step.line.payload) : lines.subarray(at, end))
    at = end
  }
  return Buffer.concat(framed)
}

export function framingOf(capabilities: { has(name: string): boolean }): Framing {
  if (capabilities.has('side-band-64k')) return 'side-band-64k'
  return capabilities.has('side-band') ? 'side-band' : 'none'
}

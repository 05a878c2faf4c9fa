/** Runs in k6: git's lines and bands (gitprotocol-common, gitprotocol-pack), as a client needs them. */
import crypto from 'k6/crypto'
import encoding from 'k6/encoding'
import { plan } from './client.ts'

export const NO_OID = '0'.repeat(40)
export const AUTHORIZATION = `Basic ${encoding.b64encode(`${plan.username}:${plan.token}`)}`

const LENGTH_BYTES = 4
/** Which lines carry nothing, by their length: flush, delimiter, end of the answer. */
const SPECIAL_LENGTHS = [0, 1, 2]

/** One data line. */
export function pkt(line: string): Uint8Array {
  return latin1(hex4(line.length + LENGTH_BYTES) + line)
}

export const FLUSH = latin1('0000')
export const DELIMITER = latin1('0001')

export function concat(parts: readonly Uint8Array[]): Uint8Array<ArrayBuffer> {
  const whole = new Uint8Array(parts.reduce((bytes, part) => bytes + part.length, 0))
  let at = 0
  for (const part of parts) {
    whole.set(part, at)
    at += part.length
  }
  return whole
}

/** Payloads of all data lines. @throws RangeError where the bytes are not lines to their end */
export function lines(bytes: Uint8Array): Uint8Array[] {
  const found: Uint8Array[] = []
  for (let at = 0; at < bytes.length;) {
    const digits = text(bytes.subarray(at, at + LENGTH_BYTES))
    const length = /^[0-9a-f]{4}$/.test(digits) ? Number(`0x${digits}`) : Number.NaN
    if (SPECIAL_LENGTHS.includes(length)) {
      at += LENGTH_BYTES
      continue
    }
    if (!(length >= LENGTH_BYTES) || at + length > bytes.length) throw new RangeError(`No line at ${at}: ${digits}`)
    found.push(bytes.subarray(at + LENGTH_BYTES, at + length))
    at += length
  }
  return found
}

/** What came on band 1. @throws RangeError with what came on band 3 */
export function firstBand(payloads: readonly Uint8Array[]): Uint8Array<ArrayBuffer> {
  const failure = payloads.find((payload) => payload[0] === 3)
  if (failure !== undefined) throw new RangeError(`The node says: ${text(failure.subarray(1))}`)
  return concat(payloads.filter((payload) => payload[0] === 1).map((payload) => payload.subarray(1)))
}

/** Whether these are the bytes of one whole pack. @returns how many objects it says it has; undefined: they are not */
export function packObjectCount(pack: Uint8Array<ArrayBuffer>): number | undefined {
  const hashBytes = 20
  if (text(pack.subarray(0, 4)) !== 'PACK' || pack.length < 12 + hashBytes) return undefined
  const body = pack.slice(0, pack.length - hashBytes)
  const trailer = [...pack.subarray(pack.length - hashBytes)].map((byte) => byte.toString(16).padStart(2, '0')).join('')
  if (crypto.sha1(body.buffer, 'hex') !== trailer) return undefined
  return new DataView(pack.buffer).getUint32(8)
}

export function text(bytes: Uint8Array): string {
  return String.fromCharCode(...bytes)
}

function latin1(characters: string): Uint8Array<ArrayBuffer> {
  const bytes = new Uint8Array(characters.length)
  for (let at = 0; at < characters.length; at++) bytes[at] = characters.charCodeAt(at)
  return bytes
}

function hex4(length: number): string {
  return length.toString(16).padStart(4, '0')
}

/**
 * A second reader of CBOR, written from RFC 8949 alone: of the values that our messages are made of, in the one spelling
 * that each has (4.2.1, with keys in the order of 4.2.3: shorter ones first).
 */

export interface NaiveValue {
  readonly value: unknown
  readonly end: number
}

const MAJOR = { unsigned: 0, negative: 1, bytes: 2, text: 3, array: 4, map: 5, simple: 7 } as const

/** @returns undefined where no such value begins at `at` */
export function readCbor(bytes: Buffer, at: number, depth: number): NaiveValue | undefined {
  const first = bytes[at]
  if (first === undefined) return undefined
  const [major, info] = [first >> 5, first & 31]
  if (major === MAJOR.simple) return simpleOf(bytes, at, info)
  const head = readHead(bytes, at + 1, info)
  if (head === undefined) return undefined
  const { count, end } = head
  switch (major) {
    case MAJOR.unsigned:
      return count < 2n ** 53n ? { value: Number(count), end } : undefined
    case MAJOR.negative:
      return count < 2n ** 53n - 1n ? { value: -1 - Number(count), end } : undefined
    case MAJOR.bytes:
    case MAJOR.text:
      return bytesOf(bytes, end, count, major === MAJOR.text)
    case MAJOR.array:
    case MAJOR.map:
      // Of what is declared, at least a byte each has to be there.
      if (depth === 0 || count > BigInt(bytes.length)) return undefined
      return major === MAJOR.array
        ? readArray(bytes, end, Number(count), depth - 1)
        : readMap(bytes, end, Number(count), depth - 1)
    default:
      return undefined
  }
}

function simpleOf(bytes: Buffer, at: number, info: number): NaiveValue | undefined {
  if (info === 20 || info === 21) return { value: info === 21, end: at + 1 }
  if (info === 22) return { value: null, end: at + 1 }
  const bytesOfNumber = { 25: 2, 26: 4, 27: 8 }[info]
  if (bytesOfNumber === undefined || at + 1 + bytesOfNumber > bytes.length) return undefined
  const value = fractionAt(bytes, at + 1, bytesOfNumber)
  // A whole number that is safe is written as one, and any other in as few bytes as hold it.
  if (!Number.isFinite(value) || Number.isSafeInteger(value) || bytesOfNumber !== leastBytes(value)) return undefined
  return { value, end: at + 1 + bytesOfNumber }
}

function fractionAt(bytes: Buffer, at: number, length: number): number {
  if (length === 8) return bytes.readDoubleBE(at)
  if (length === 4) return bytes.readFloatBE(at)
  const half = bytes.readUInt16BE(at)
  const [exponent, fraction] = [(half >> 10) & 31, half & 1_023]
  const size = exponent === 0 ? fraction * 2 ** -24 : (1_024 + fraction) * 2 ** (exponent - 25)
  return exponent === 31 ? Number.NaN : half >= 0x8000 ? -size : size
}

function leastBytes(value: number): number {
  // The smallest that a half has is 2^-24, and 11 bits; of those below 2^-14, cborg writes powers of two as halves.
  const steps = Math.abs(value) * 2 ** 24
  const bits = steps < 1_024 ? 0 : 10
  const spare = Math.max(0, Math.floor(Math.log2(steps)) - bits)
  if (Math.abs(value) <= 65_504 && Number.isInteger(steps) && Number.isInteger(steps / 2 ** spare)) return 2
  return Math.fround(value) === value ? 4 : 8
}

function readHead(bytes: Buffer, at: number, info: number): { count: bigint; end: number } | undefined {
  if (info < 24) return { count: BigInt(info), end: at }
  if (info > 27) return undefined
  const length = 2 ** (info - 24)
  if (at + length > bytes.length) return undefined
  const count = BigInt(`0x${bytes.toString('hex', at, at + length)}`)
  const least = [24n, 2n ** 8n, 2n ** 16n, 2n ** 32n][info - 24] ?? 0n
  return count < least ? undefined : { count, end: at + length }
}

function bytesOf(bytes: Buffer, at: number, count: bigint, isText: boolean): NaiveValue | undefined {
  const end = at + Number(count)
  if (count > BigInt(bytes.length) || end > bytes.length) return undefined
  const piece = bytes.subarray(at, end)
  // As cborg has them.
  if (!isText) return { value: piece.length === 0 ? new Uint8Array(0) : Buffer.from(piece), end }
  const value = piece.toString()
  return Buffer.from(value).equals(piece) ? { value, end } : undefined
}

function readArray(bytes: Buffer, at: number, count: number, depth: number): NaiveValue | undefined {
  const value: unknown[] = []
  let end = at
  for (let item = 0; item < count; item++) {
    const read = readCbor(bytes, end, depth)
    if (read === undefined) return undefined
    value.push(read.value)
    end = read.end
  }
  return { value, end }
}

function readMap(bytes: Buffer, at: number, count: number, depth: number): NaiveValue | undefined {
  const value: Record<string, unknown> = {}
  let end = at
  let before: Buffer | undefined
  for (let item = 0; item < count; item++) {
    const key = readCbor(bytes, end, depth)
    if (key === undefined || typeof key.value !== 'string') return undefined
    const written = bytes.subarray(end, key.end)
    if (before !== undefined && (before.length - written.length || Buffer.compare(before, written)) >= 0)
      return undefined
    before = written
    const read = readCbor(bytes, key.end, depth)
    if (read === undefined) return undefined
    // Whatever it is called, it is a key like any other.
    Object.defineProperty(value, key.value, { value: read.value, enumerable: true, configurable: true, writable: true })
    end = read.end
  }
  return { value, end }
}

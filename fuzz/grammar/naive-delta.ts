/**
 * A second reader of deltas, written from gitformat-pack alone: short and slow, all in slices. What the shipped one
 * makes of a delta has to be the same.
 */

/** By C git's delta.h. */
export const DELTA_BYTES_MIN = 4

export interface NaiveDelta {
  readonly delta: Buffer
  /** undefined: it makes nothing */
  readonly result: Buffer | undefined
}

/** @returns what a whole delta, with its two sizes, makes of the base; undefined: it is no delta for it */
export function applyNaively(delta: Buffer, base: Buffer, bytesMax: number): Buffer | undefined {
  if (delta.length < DELTA_BYTES_MIN) return undefined
  const [baseBytes, afterBase] = readSize(delta, 0)
  const [resultBytes, afterResult] = readSize(delta, afterBase)
  if (baseBytes !== BigInt(base.length) || resultBytes > BigInt(bytesMax)) return undefined
  const { result } = readInstructions(delta.subarray(afterResult), base, bytesMax)
  return result !== undefined && BigInt(result.length) === resultBytes ? result : undefined
}

export interface Instructions {
  /** undefined: one of them is cut short, reserved or out of range, or they make too much */
  readonly result: Buffer | undefined
  /** What they claim to make. */
  readonly claimedBytes: number
}

export function readInstructions(instructions: Buffer, base: Buffer, bytesMax: number): Instructions {
  const pieces: Buffer[] = []
  let claimedBytes = 0
  let isRight = true
  for (let at = 0; at < instructions.length;) {
    const opcode = instructions.readUInt8(at++)
    const end = at + (opcode < 128 ? opcode : bitsOf(opcode & 127))
    if (opcode === 0 || end > instructions.length) return { result: undefined, claimedBytes }
    const [from, offset, size] =
      opcode < 128 ? [instructions, at, opcode] : [base, ...copyOf(opcode, instructions.subarray(at, end))]
    claimedBytes += size
    isRight &&= offset + size <= from.length && claimedBytes <= bytesMax
    if (isRight) pieces.push(from.subarray(offset, offset + size))
    at = end
  }
  return { result: isRight ? Buffer.concat(pieces) : undefined, claimedBytes }
}

/** Four bytes of offset and three of size, of which those without their bit are zero and not written. */
function copyOf(opcode: number, written: Buffer): [offset: number, size: number] {
  const fields = Buffer.alloc(7)
  let at = 0
  for (let bit = 0; bit < 7; bit++) if ((opcode & (1 << bit)) !== 0) fields.writeUInt8(written.readUInt8(at++), bit)
  return [fields.readUInt32LE(0), fields.readUIntLE(4, 3) || 0x10000]
}

function bitsOf(value: number): number {
  let bits = 0
  for (let rest = value; rest > 0; rest >>= 1) bits += rest & 1
  return bits
}

/** No size takes more, up to 2^53 with a byte to spare. */
const SIZE_BYTES_MAX = 8

/** Seven bits a byte, the lowest first. @returns the size, and where the next one begins; -1: it does not end */
function readSize(bytes: Buffer, start: number): [size: bigint, next: number] {
  let size = 0n
  for (let at = start; at < Math.min(bytes.length, start + SIZE_BYTES_MAX); at++) {
    const byte = bytes.readUInt8(at)
    size |= BigInt(byte & 127) << BigInt(7 * (at - start))
    if (byte < 128) return [size, at + 1]
  }
  return [-1n, bytes.length]
}

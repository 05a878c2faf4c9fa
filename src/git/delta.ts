import { PackError } from './pack/error.ts'

/** Deltas as git packs carry them (gitformat-pack, "Deltified representation"). */

/** DELTA_SIZE_MIN of C git's delta.h. */
const DELTA_BYTES_MIN = 4

export interface DeltaSizes {
  readonly baseBytes: number
  readonly resultBytes: number
  /** Where the instructions begin. */
  readonly at: number
}

export function decodeDeltaSizes(delta: Uint8Array): DeltaSizes {
  const base = sizeAt(delta, 0)
  const result = sizeAt(delta, base.at)
  return { baseBytes: base.value, resultBytes: result.value, at: result.at }
}

/**
 * @param resultBytesMax checked before anything is allocated
 * @param room where the result is put, as large as the delta says; else it gets memory of its own
 * @throws PackError delta_invalid, object_over_limit
 */
export function applyDelta(base: Buffer, delta: Buffer, resultBytesMax: number, room?: Buffer): Buffer {
  const { baseBytes, resultBytes, at } = decodeDeltaSizes(delta)
  if (baseBytes !== base.length)
    throw invalid(`it is made for a base of ${baseBytes} bytes, the base has ${base.length}`)
  if (resultBytes > resultBytesMax) {
    throw new PackError(
      { code: 'object_over_limit', declaredBytes: resultBytes, limitBytes: resultBytesMax },
      `An object of ${resultBytes} bytes; the limit (max_object_size) is ${resultBytesMax} bytes`,
    )
  }
  checkProducible(delta, at, resultBytes)
  const result = room?.subarray(0, resultBytes) ?? Buffer.allocUnsafe(resultBytes)
  let written = 0
  let position = at
  while (position < delta.length) {
    const opcode = delta[position++] as number
    if ((opcode & 0x80) === 0) {
      if (opcode === 0) throw invalid('instruction 0 is reserved')
      if (position + opcode > delta.length) throw invalid('an insertion runs past its end')
      if (written + opcode > resultBytes) throw invalid('it writes more than it declares')
      if (opcode < 16) for (let i = 0; i < opcode; i++) result[written + i] = delta[position + i] as number
      else delta.copy(result, written, position, position + opcode)
      position += opcode
      written += opcode
      continue
    }
    let offset = 0
    let size = 0
    let scale = 1
    for (let bit = 1; bit <= 8; bit <<= 1, scale *= 256)
      if ((opcode & bit) !== 0) offset += (delta[position++] ?? 0) * scale
    scale = 1
    for (let bit = 16; bit <= 64; bit <<= 1, scale *= 256)
      if ((opcode & bit) !== 0) size += (delta[position++] ?? 0) * scale
    if (position > delta.length) throw invalid('a copy runs past its end')
    if (size === 0) size = 0x10000
    if (offset + size > base.length) throw invalid('a copy reaches beyond the base')
    if (written + size > resultBytes) throw invalid('it writes more than it declares')
    base.copy(result, written, offset, offset + size)
    written += size
  }
  if (written !== resultBytes) throw invalid(`it declares ${resultBytes} bytes and makes ${written}`)
  // Two sizes that fit, and nothing to do: C git takes no such delta ("patch-delta.c"), so nobody could clone it.
  if (delta.length < DELTA_BYTES_MIN) throw invalid(`it is shorter than ${DELTA_BYTES_MIN} bytes`)
  return result
}

/** One instruction byte makes at most 0xffffff bytes: a short delta cannot make us allocate what it only declares. */
function checkProducible(delta: Uint8Array, at: number, resultBytes: number): void {
  if (resultBytes > (delta.length - at) * 0xffffff) throw invalid(`${delta.length} bytes cannot make ${resultBytes}`)
}

function sizeAt(delta: Uint8Array, start: number): { value: number; at: number } {
  let at = start
  let value = 0
  let scale = 1
  for (;;) {
    const byte = delta[at++]
    if (byte === undefined) throw invalid('it ends inside its sizes')
    value += (byte & 0x7f) * scale
    if ((byte & 0x80) === 0) break
    scale *= 128
    if (at - start >= 8) throw invalid('a size is impossible')
  }
  if (!Number.isSafeInteger(value)) throw invalid('a size is impossible')
  return { value, at }
}

function invalid(reason: string): PackError {
  return new PackError({ code: 'delta_invalid', reason }, `A delta is invalid: ${reason}`)
}

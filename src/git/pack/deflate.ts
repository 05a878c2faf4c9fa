import { constants, createDeflate, deflateSync } from 'node:zlib'
import { NativeZlib } from './native-zlib.ts'

/** Of what is larger, making a stream anew costs little beside what it does. */
const SMALL_BYTES = 64 * 1024
/** zlib's bound for what cannot be compressed is far below (zlib.h, deflateBound). */
const ROOM_BYTES = SMALL_BYTES + 4_096

let zlib: NativeZlib | undefined
let room: Buffer | undefined

/** @returns a zlib stream of `data` at zlib's usual level, which may lie where the next call puts its own */
export function deflate(data: Buffer): Buffer {
  if (data.length > SMALL_BYTES) return deflateSync(data)
  zlib ??= new NativeZlib(createDeflate())
  room ??= Buffer.allocUnsafeSlow(ROOM_BYTES)
  zlib.reset()
  zlib.write(constants.Z_FINISH, data, room)
  // A stream that leaves no room might want more.
  if (zlib.failed || zlib.outputLeft === 0) return deflateSync(data)
  return room.subarray(0, ROOM_BYTES - zlib.outputLeft)
}

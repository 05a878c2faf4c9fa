import { GutsError } from '../../errors.ts'

/** Why the bytes of a bitmap file are none. */
export class BitmapError extends GutsError<{ readonly code: 'bitmap_invalid'; readonly reason: string }> {}

export function bitmapInvalid(reason: string): BitmapError {
  return new BitmapError({ code: 'bitmap_invalid', reason }, `A bitmap file is invalid: ${reason}`)
}

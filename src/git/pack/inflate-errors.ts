import { PackError } from './error.ts'

/** A stream may be made of empty blocks for ever, and would have to be read whole: longer than this it makes no sense. */
export const streamBytesMax = (sizeBytes: number): number => 2 * sizeBytes + 1024 * 1024

export function inflateFailed(packOffset: number, cause?: unknown): PackError {
  return new PackError(
    { code: 'entry_inflate_failed', packOffset },
    `The compressed data at pack offset ${packOffset} is damaged`,
    { cause },
  )
}

export function sizeMismatch(declaredBytes: number, packOffset: number): PackError {
  return new PackError(
    { code: 'entry_size_mismatch', declaredBytes, packOffset },
    `The entry at pack offset ${packOffset} declares ${declaredBytes} bytes and holds another number`,
  )
}

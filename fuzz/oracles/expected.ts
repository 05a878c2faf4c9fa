/** The one thing that a decoder may do besides reading: refuse in words. */
import type { GutsError } from '../../src/errors.ts'

type ErrorClass = abstract new (...parameters: never[]) => GutsError<{ readonly code: string }>

/**
 * @returns undefined where the bytes were refused by one of the decoder's own error classes
 * @throws whatever else the decoder threw
 */
export function unlessRefused<T>(by: readonly ErrorClass[], decode: () => T): T | undefined {
  try {
    return decode()
  } catch (error) {
    if (by.some((one) => error instanceof one)) return undefined
    throw error
  }
}

/** Header lines as git's C reads them: a byte past the end is NUL, as every buffer of git ends with one. */
import type { FsckId } from './error.ts'

export const LF = 0x0a
const OID_DIGITS = 40

/** No NUL before the body, and each line of the header ended ("fsck.c", verify_headers). */
export function checkHeader(data: Buffer): FsckId | undefined {
  const body = data.indexOf('\n\n', 0, 'latin1')
  const nul = data.indexOf(0)
  if (nul >= 0 && (body < 0 || nul < body)) return 'nulInHeader'
  if (body < 0 && data[data.length - 1] !== LF) return 'unterminatedHeader'
  return undefined
}

/** Whether `prefix`, which is ASCII, stands at `at`. */
export function hasPrefix(data: Buffer, at: number, prefix: string): boolean {
  for (let i = 0; i < prefix.length; i++) if (data[at + i] !== prefix.charCodeAt(i)) return false
  return true
}

/** @returns where the next line begins if an object id and the end of the line stand at `at`, else -1 */
export function afterOidLine(data: Buffer, at: number): number {
  for (let i = 0; i < OID_DIGITS; i++) if (hexValue(data[at + i]) < 0) return -1
  return data[at + OID_DIGITS] === LF ? at + OID_DIGITS + 1 : -1
}

/** @returns 0–15, or -1; git reads capitals too */
export function hexValue(byte: number | undefined): number {
  if (byte === undefined) return -1
  if (byte >= 0x30 && byte <= 0x39) return byte - 0x30
  const lower = byte | 0x20
  return lower >= 0x61 && lower <= 0x66 ? lower - 0x57 : -1
}

/** The rest of an `author`, `committer` or `tagger` line ("fsck.c", fsck_ident). */
import type { FsckId } from './error.ts'
import { LF } from './header.ts'

const SPACE = 0x20
const LESS = 0x3c
const GREATER = 0x3e
const PLUS = 0x2b
const MINUS = 0x2d
const ZERO = 0x30
/** What strtoumax skips before a number, line feeds included. */
const isStrtoumaxSpace = (byte: number | undefined) => byte === SPACE || (byte !== undefined && byte >= 9 && byte <= 13)
const isDigit = (byte: number | undefined) => byte !== undefined && byte >= ZERO && byte <= 0x39

/** Digits of a date that are a safe integer, so that only absurd dates cost a BigInt. */
const SAFE_DIGITS = 15
const UINT64_MAX = 2n ** 64n - 1n
const INT64_MAX = 2n ** 63n - 1n

/** @returns where the next line begins */
export function afterLine(data: Buffer, at: number): number {
  const end = data.indexOf(LF, at)
  return end < 0 ? data.length : end + 1
}

/** @param at where the name begins */
export function checkIdentity(data: Buffer, at: number): FsckId | undefined {
  if (data[at] === LESS) return 'missingNameBeforeEmail'
  const emailAt = firstAngleOrEnd(data, at)
  if (data[emailAt] === GREATER) return 'badName'
  if (data[emailAt] !== LESS) return 'missingEmail'
  if (data[emailAt - 1] !== SPACE) return 'missingSpaceBeforeEmail'
  const emailEnd = firstAngleOrEnd(data, emailAt + 1)
  if (data[emailEnd] !== GREATER) return 'badEmail'
  if (data[emailEnd + 1] !== SPACE) return 'missingSpaceBeforeDate'
  const dateAt = emailEnd + 2
  if (data[dateAt] === ZERO && data[dateAt + 1] !== SPACE) return 'zeroPaddedDate'
  return checkDate(data, dateAt)
}

function checkDate(data: Buffer, dateAt: number): FsckId | undefined {
  let at = dateAt
  while (isStrtoumaxSpace(data[at])) at++
  const negative = data[at] === MINUS
  if (negative || data[at] === PLUS) at++
  const digitsAt = at
  while (isDigit(data[at])) at++
  if (at === digitsAt) return 'badDate'
  if (!isDateInRange(data, digitsAt, at, negative)) return 'badDateOverflow'
  if (data[at] !== SPACE) return 'badDate'
  const sign = data[at + 1]
  if (sign !== PLUS && sign !== MINUS) return 'badTimezone'
  for (let digit = at + 2; digit < at + 6; digit++) if (!isDigit(data[digit])) return 'badTimezone'
  return data[at + 6] === LF ? undefined : 'badTimezone'
}

/** git reads an unsigned number, which a sign turns round in 64 bits, and wants it to fit a time_t ("date.c"). */
function isDateInRange(data: Buffer, digitsAt: number, digitsEnd: number, negative: boolean): boolean {
  let at = digitsAt
  while (at < digitsEnd && data[at] === ZERO) at++
  const digits = digitsEnd - at
  if (digits <= SAFE_DIGITS) return !negative || digits === 0
  if (digits > 20) return false
  const magnitude = BigInt(data.toString('latin1', at, digitsEnd))
  if (magnitude > UINT64_MAX) return false
  const value = negative ? BigInt.asUintN(64, -magnitude) : magnitude
  return value <= INT64_MAX
}

/** @returns where the first `<`, `>`, line feed or NUL from `at` stands, or the end */
function firstAngleOrEnd(data: Buffer, at: number): number {
  for (; at < data.length; at++) {
    const byte = data[at] as number
    if (byte === LESS || byte === GREATER || byte === LF || byte === 0) return at
  }
  return at
}

import { hash, randomInt } from 'node:crypto'
import { crc32 } from 'node:zlib'

/**
 * How a token is written: a prefix that scanners for leaked secrets recognise, 196 random bits, and a checksum, by which
 * a mistyped token is told without asking the database.
 */

const PREFIX = 'guts_pat_'
const DIGITS = '0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz'
const RANDOM_LENGTH = 33
/** 62 ** 6 is the first power of 62 above 2 ** 32. */
const CHECKSUM_LENGTH = 6
const TOKEN = new RegExp(`^${PREFIX}[0-9A-Za-z]{${RANDOM_LENGTH + CHECKSUM_LENGTH}}$`)

export function newTokenText(): string {
  let text = PREFIX
  for (let i = 0; i < RANDOM_LENGTH; i++) text += DIGITS.charAt(randomInt(DIGITS.length))
  return text + checksumOf(text)
}

/** Whether a node can have made this token. */
export function isTokenText(text: string): boolean {
  if (!TOKEN.test(text)) return false
  return text.slice(-CHECKSUM_LENGTH) === checksumOf(text.slice(0, -CHECKSUM_LENGTH))
}

/** In hex, what is stored instead of the token: with so many random bits a fast hash cannot be searched. */
export function hashToken(text: string): string {
  return hash('sha256', text, 'hex')
}

function checksumOf(text: string): string {
  let rest = crc32(text)
  let digits = ''
  for (let i = 0; i < CHECKSUM_LENGTH; i++) {
    digits = DIGITS.charAt(rest % DIGITS.length) + digits
    rest = Math.floor(rest / DIGITS.length)
  }
  return digits
}

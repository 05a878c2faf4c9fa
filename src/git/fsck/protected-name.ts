/**
 * Names of tree entries that some file system takes for `.git`, `.gitmodules` or `.gitattributes` ("utf8.c", "path.c").
 * Every name here ends with a NUL inside `data`, which stops each comparison.
 */

const NUL = 0
const SPACE = 0x20
const DOT = 0x2e
const SLASH = 0x2f
const COLON = 0x3a
const BACKSLASH = 0x5c
const TILDE = 0x7e

export interface ProtectedFile {
  /** Without its dot, in lower case. */
  readonly name: string
  /** What NTFS makes of it when `name~1` to `name~4` are taken. */
  readonly shortPrefix: string
}

export const GITMODULES: ProtectedFile = { name: 'gitmodules', shortPrefix: 'gi7eba' }
export const GITATTRIBUTES: ProtectedFile = { name: 'gitattributes', shortPrefix: 'gi7d29' }

/** Whether a protected name can begin with this byte: a dot, `g`, a tilde, or what HFS+ ignores. */
export function mayBeProtected(first: number | undefined): boolean {
  return first === DOT || first === 0x67 || first === 0x47 || first === TILDE || first === 0xe2 || first === 0xef
}

export function isDotGit(data: Buffer, at: number): boolean {
  return isHfsDot(data, at, 'git') || isNtfsDotGit(data, at)
}

export function isProtectedFile(data: Buffer, at: number, file: ProtectedFile): boolean {
  return isHfsDot(data, at, file.name) || isNtfsFile(data, at, file)
}

/** HFS+ ignores case and some code points altogether. */
function isHfsDot(data: Buffer, at: number, name: string): boolean {
  for (let matched = -1; ;) {
    const step = decodePoint(data, at)
    const point = step >>> 3
    at += step & 7
    if (isIgnoredByHfs(point)) continue
    // Malformed bytes read as 0, so ".git" with such a tail is taken for ".git", as git does.
    if (matched === name.length) return point === NUL || point === SLASH
    if (lower(point) !== (matched < 0 ? DOT : name.charCodeAt(matched))) return false
    matched++
  }
}

function isIgnoredByHfs(point: number): boolean {
  return (
    (point >= 0x200c && point <= 0x200f) ||
    (point >= 0x202a && point <= 0x202e) ||
    (point >= 0x206a && point <= 0x206f) ||
    point === 0xfeff
  )
}

/** `.git` or `git~1`, then spaces and dots up to the end, a separator or the colon of a stream. */
export function isNtfsDotGit(data: Buffer, at: number): boolean {
  if (startsWithLower(data, at, '.git')) at += 4
  else if (startsWithLower(data, at, 'git~1')) at += 5
  else return false
  for (; ; at++) {
    const byte = data[at]
    if (byte === NUL || byte === SLASH || byte === BACKSLASH || byte === COLON) return true
    if (byte !== SPACE && byte !== DOT) return false
  }
}

export function isNtfsFile(data: Buffer, at: number, { name, shortPrefix }: ProtectedFile): boolean {
  if (data[at] === DOT && startsWithLower(data, at + 1, name)) return isNtfsEnd(data, at + 1 + name.length)
  const number = data[at + 7] as number
  if (startsWithLower(data, at, name.slice(0, 6)) && data[at + 6] === TILDE && number >= 0x31 && number <= 0x34)
    return isNtfsEnd(data, at + 8)
  return isNtfsShortName(data, at, shortPrefix) && isNtfsEnd(data, at + 8)
}

/** Eight bytes: some of the prefix, a tilde, and a number that does not begin with a zero. */
function isNtfsShortName(data: Buffer, at: number, prefix: string): boolean {
  let tilde = 0
  while (tilde < 6 && data[at + tilde] !== TILDE) {
    if (lower(data[at + tilde] as number) !== prefix.charCodeAt(tilde)) return false
    tilde++
  }
  if (data[at + tilde] !== TILDE || data[at + tilde + 1] === 0x30) return false
  for (let digit = tilde + 1; digit < 8; digit++) {
    const byte = data[at + digit] as number
    if (!(byte >= 0x30 && byte <= 0x39)) return false
  }
  return true
}

function isNtfsEnd(data: Buffer, at: number): boolean {
  for (; ; at++) {
    const byte = data[at]
    if (byte === NUL || byte === COLON) return true
    if (byte !== SPACE && byte !== DOT) return false
  }
}

function startsWithLower(data: Buffer, at: number, text: string): boolean {
  for (let i = 0; i < text.length; i++) if (lower(data[at + i] as number) !== text.charCodeAt(i)) return false
  return true
}

function lower(code: number): number {
  return code >= 0x41 && code <= 0x5a ? code | 0x20 : code
}

/** @returns the code point at `at`, times eight, plus its bytes; 0 where the bytes are no UTF-8 */
function decodePoint(data: Buffer, at: number): number {
  const a = data[at] as number
  if (a < 0x80) return (a << 3) | 1
  if (a < 0xc2 || a > 0xf4) return 0
  const b = data[at + 1] as number
  if ((b & 0xc0) !== 0x80) return 0
  if (a < 0xe0) return ((((a & 0x1f) << 6) | (b & 0x3f)) << 3) | 2
  const c = data[at + 2] as number
  if ((c & 0xc0) !== 0x80) return 0
  if (a < 0xf0) {
    const point = ((a & 0x0f) << 12) | ((b & 0x3f) << 6) | (c & 0x3f)
    const isSurrogate = point >= 0xd800 && point <= 0xdfff
    return point < 0x800 || isSurrogate || point >= 0xfffe ? 0 : (point << 3) | 3
  }
  const d = data[at + 3] as number
  if ((d & 0xc0) !== 0x80) return 0
  const point = ((a & 0x07) << 18) | ((b & 0x3f) << 12) | ((c & 0x3f) << 6) | (d & 0x3f)
  return point < 0x10000 || point > 0x10ffff ? 0 : (point << 3) | 4
}

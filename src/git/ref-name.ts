/**
 * Names of refs by the rules of `git check-ref-format`, over bytes: git gives no meaning to those above 0x7f.
 * A string is judged by its UTF-16 units, which comes to the same, as every rule is about ASCII.
 */

/** Bytes of a ref's whole name. Advertisements, log lines and reports repeat it, so it is not the pusher's to choose. */
export const REF_NAME_BYTES_MAX = 1024
/** A ref is also a file, and git makes `NAME.lock` beside it: together 255 bytes, the most that a file's name may have. */
export const REF_COMPONENT_BYTES_MAX = 250

const REFS = 'refs/'
const LOCK_SUFFIX = '.lock'

const DOT = 0x2e
const SLASH = 0x2f
const AT = 0x40
const OPEN_BRACE = 0x7b

/** 1 where a byte may stand nowhere in a name: control characters, space, DEL and `* : ? [ \ ^ ~`. */
const FORBIDDEN = new Uint8Array(128)
FORBIDDEN.fill(1, 0, 0x21)
for (const char of '\u007f*:?[\\^~') FORBIDDEN[char.charCodeAt(0)] = 1

/** What `git check-ref-format NAME` accepts: two components or more. */
export function isRefName(name: string | Uint8Array): boolean {
  return hasRefFormat(name, 0, 2)
}

/** What `git check-ref-format --branch NAME` accepts: a branch's name without `refs/heads/`. */
export function isBranchName(name: string | Uint8Array): boolean {
  // A leading "-" would be read as an option.
  return hasRefFormat(name, 0, 1) && codeAt(name, 0) !== 0x2d && !equals(name, 'HEAD')
}

/** Whether a pusher may name this ref. */
export function isPushableRefName(name: string | Uint8Array): boolean {
  return whyNotPushable(name) === undefined
}

/** @returns why a pusher may not name this ref, as a sentence for them; undefined if they may */
export function whyNotPushable(name: string | Uint8Array): string | undefined {
  const bytes = typeof name === 'string' ? Buffer.byteLength(name) : name.length
  if (bytes > REF_NAME_BYTES_MAX) {
    return `A ref's name of ${bytes} bytes; the limit is ${REF_NAME_BYTES_MAX} bytes`
  }
  // git asks for two components after "refs/": "refs/stash" can exist, but not be pushed.
  if (!startsWith(name, REFS) || !hasRefFormat(name, REFS.length, 2)) {
    return 'A ref must be named as in refs/heads/main, by the rules of git check-ref-format'
  }
  const componentBytes = bytes > REF_COMPONENT_BYTES_MAX ? longestComponentBytes(name) : 0
  if (componentBytes > REF_COMPONENT_BYTES_MAX) {
    return `A part of a ref's name of ${componentBytes} bytes; the limit is ${REF_COMPONENT_BYTES_MAX} bytes`
  }
  return undefined
}

/**
 * The order of git's listings, bytewise, without the bytes: that of UTF-16 units, but that of two that differ a half of a
 * surrogate pair stands for more than any other unit (RFC 3629 §1).
 *
 * @returns less than 0 where `a` comes first, 0 where they are the same
 */
export function compareRefNames(a: string, b: string): number {
  const common = Math.min(a.length, b.length)
  for (let at = 0; at < common; at++) {
    const [unitA, unitB] = [a.charCodeAt(at), b.charCodeAt(at)]
    if (unitA === unitB) continue
    const isPairA = isSurrogate(unitA)
    return isPairA === isSurrogate(unitB) ? unitA - unitB : isPairA ? 1 : -1
  }
  return a.length - b.length
}

const isSurrogate = (unit: number): boolean => unit >= 0xd800 && unit < 0xe000

function hasRefFormat(name: string | Uint8Array, from: number, componentsMin: number): boolean {
  let components = 0
  let componentAt = from
  let last = 0
  for (let at = from; at <= name.length; at++) {
    const code = at === name.length ? SLASH : codeAt(name, at)
    if (code === SLASH) {
      if (at === componentAt || codeAt(name, componentAt) === DOT) return false
      if (at - componentAt >= LOCK_SUFFIX.length && equals(name, LOCK_SUFFIX, at - LOCK_SUFFIX.length, at)) return false
      components++
      componentAt = at + 1
    } else if (code < 128 && FORBIDDEN[code] === 1) return false
    else if (code === DOT && last === DOT) return false
    else if (code === OPEN_BRACE && last === AT) return false
    last = code
  }
  // Only the name as a whole may not end with a dot: "a./b" is fine.
  return components >= componentsMin && codeAt(name, name.length - 1) !== DOT
}

function longestComponentBytes(name: string | Uint8Array): number {
  let longest = 0
  let componentAt = 0
  const bytes = typeof name === 'string' ? Buffer.from(name) : name
  for (let at = 0; at <= bytes.length; at++) {
    if (at < bytes.length && bytes[at] !== SLASH) continue
    longest = Math.max(longest, at - componentAt)
    componentAt = at + 1
  }
  return longest
}

function codeAt(name: string | Uint8Array, at: number): number {
  return typeof name === 'string' ? name.charCodeAt(at) : (name[at] ?? Number.NaN)
}

function startsWith(name: string | Uint8Array, prefix: string): boolean {
  return name.length >= prefix.length && equals(name, prefix, 0, prefix.length)
}

function equals(name: string | Uint8Array, text: string, start = 0, end = name.length): boolean {
  if (end - start !== text.length) return false
  for (let i = 0; i < text.length; i++) if (codeAt(name, start + i) !== text.charCodeAt(i)) return false
  return true
}

import { ObjectError } from './error.ts'

export const TREE_MODE = 0o040000
export const GITLINK_MODE = 0o160000
export const SYMLINK_MODE = 0o120000

/** Digits of a mode that git reads; more would overflow the sixteen bits that it keeps. */
const MODE_DIGITS_MAX = 7
const SPACE = 0x20
const OID_BYTES = 20

/**
 * @param visit gets each entry as places in `data`: the name from `nameStart` to `nameEnd`, 20 bytes of id from `oidAt`
 * @throws ObjectError tree_invalid
 */
export function forEachTreeEntry(
  data: Buffer,
  visit: (mode: number, nameStart: number, nameEnd: number, oidAt: number) => void,
): void {
  for (let at = 0; at < data.length;) {
    let mode = 0
    const modeAt = at
    for (;;) {
      const byte = data[at++]
      if (byte === SPACE && at - 1 > modeAt) break
      if (byte === undefined || byte < 0x30 || byte > 0x37 || at - modeAt > MODE_DIGITS_MAX)
        throw invalid('a mode is not octal')
      mode = mode * 8 + (byte - 0x30)
    }
    const nameEnd = data.indexOf(0, at)
    if (nameEnd < 0 || nameEnd === at) throw invalid('an entry has no name')
    const oidAt = nameEnd + 1
    if (oidAt + OID_BYTES > data.length) throw invalid('it ends inside an entry')
    visit(mode, at, nameEnd, oidAt)
    at = oidAt + OID_BYTES
  }
}

function invalid(reason: string): ObjectError {
  return new ObjectError({ code: 'tree_invalid', reason }, `A tree is invalid: ${reason}`)
}

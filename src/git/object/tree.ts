import { ObjectError } from './error.ts'

export const TREE_MODE = 0o040000
export const GITLINK_MODE = 0o160000
export const SYMLINK_MODE = 0o120000

const SPACE = 0x20
const OID_BYTES = 20

/**
 * Modes come as git's own walkers see them: five kinds, whatever the bits of permission and however many digits, of which
 * git keeps sixteen bits ("cache.h", canon_mode). fsck only remarks on the others.
 *
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
      if (byte === undefined || byte < 0x30 || byte > 0x37) throw invalid('a mode is not octal')
      mode = ((mode << 3) | (byte - 0x30)) & 0xffff
    }
    let nameEnd = at
    // Names are short: a call of indexOf costs more than this loop.
    while (nameEnd < data.length && data[nameEnd] !== 0) nameEnd++
    if (nameEnd === at) throw invalid('an entry has no name')
    const oidAt = nameEnd + 1
    if (oidAt + OID_BYTES > data.length) throw invalid('it ends inside an entry')
    visit(canonicalMode(mode), at, nameEnd, oidAt)
    at = oidAt + OID_BYTES
  }
}

function canonicalMode(mode: number): number {
  switch (mode & 0o170000) {
    case 0o100000:
      return (mode & 0o100) === 0 ? 0o100644 : 0o100755
    case SYMLINK_MODE:
      return SYMLINK_MODE
    case TREE_MODE:
      return TREE_MODE
    default:
      return GITLINK_MODE
  }
}

function invalid(reason: string): ObjectError {
  return new ObjectError({ code: 'tree_invalid', reason }, `A tree is invalid: ${reason}`)
}

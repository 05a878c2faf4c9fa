import type { FsckId } from './error.ts'
import {
  GITATTRIBUTES,
  GITMODULES,
  isDotGit,
  isNtfsDotGit,
  isNtfsFile,
  isProtectedFile,
  mayBeProtected,
} from './protected-name.ts'

/** A file whose content fsck looks into, wherever in a tree it lies. */
export type SpecialFile = 'gitmodules' | 'gitattributes'

/** @param oidAt where in the tree's bytes the 20 bytes of the file's id begin */
export type OnSpecialFile = (file: SpecialFile, oidAt: number) => void

const OID_BYTES = 20
/** A digit of mode, a space, a letter of name (or a NUL), and the id after its NUL. */
const ENTRY_BYTES_MIN = OID_BYTES + 3

const FILE_TYPE_MASK = 0o170000
const DIRECTORY = 0o040000
const SYMLINK = 0o120000

const SPACE = 0x20
const DOT = 0x2e
const SLASH = 0x2f
const ZERO = 0x30
const BACKSLASH = 0x5c

/** What git refuses in a tree ("fsck.c", fsck_tree; "tree-walk.c"). Allocates nothing per entry. */
export function checkTree(data: Buffer, onSpecialFile: OnSpecialFile): FsckId | undefined {
  const length = data.length
  // The last name ends where the last id begins, which bounds every loop over a name or a mode below.
  if (length > 0 && (length < ENTRY_BYTES_MIN || data[length - OID_BYTES - 1] !== 0)) return 'badTree'
  const order = new EntryOrder(data)
  for (let at = 0; at < length;) {
    if (length - at < ENTRY_BYTES_MIN) return 'badTree'
    const isZeroPadded = data[at] === ZERO
    let mode = 0
    let byte = data[at] as number
    if (byte === SPACE) return 'badTree'
    // However long: git keeps the lower 16 bits.
    for (; byte !== SPACE; byte = data[++at] as number) {
      if (byte < 0x30 || byte > 0x37) return 'badTree'
      mode = ((mode << 3) | (byte - 0x30)) & 0xffff
    }
    const nameAt = ++at
    let hasBackslash = false
    for (byte = data[at] as number; byte !== 0; byte = data[++at] as number) {
      if (byte === SLASH) return 'fullPathname'
      if (byte === BACKSLASH) hasBackslash = true
    }
    if (at === nameAt) return 'badTree'
    if (isZeroPadded) return 'zeroPaddedFilemode'
    const oidAt = at + 1
    const id =
      (isNullOid(data, oidAt) ? 'nullSha1' : undefined) ??
      checkName(data, nameAt, at, mode, oidAt, onSpecialFile) ??
      (hasBackslash ? checkBehindBackslashes(data, nameAt, at, mode, oidAt, onSpecialFile) : undefined) ??
      order.check(nameAt, at, (mode & FILE_TYPE_MASK) === DIRECTORY)
    if (id !== undefined) return id
    at = oidAt + OID_BYTES
  }
  return undefined
}

function isNullOid(data: Buffer, at: number): boolean {
  for (let i = 0; i < OID_BYTES; i++) if (data[at + i] !== 0) return false
  return true
}

function checkName(
  data: Buffer,
  at: number,
  end: number,
  mode: number,
  oidAt: number,
  onSpecialFile: OnSpecialFile,
): FsckId | undefined {
  if (!mayBeProtected(data[at])) return undefined
  if (data[at] === DOT) {
    if (end - at === 1) return 'hasDot'
    if (end - at === 2 && data[at + 1] === DOT) return 'hasDotdot'
  }
  if (isDotGit(data, at)) return 'hasDotgit'
  const isSymlink = (mode & FILE_TYPE_MASK) === SYMLINK
  if (isProtectedFile(data, at, GITMODULES)) {
    if (isSymlink) return 'gitmodulesSymlink'
    onSpecialFile('gitmodules', oidAt)
  }
  // A link of this name is only remarked on.
  if (!isSymlink && isProtectedFile(data, at, GITATTRIBUTES)) onSpecialFile('gitattributes', oidAt)
  return undefined
}

/** On Windows each backslash begins another name. */
function checkBehindBackslashes(
  data: Buffer,
  nameAt: number,
  end: number,
  mode: number,
  oidAt: number,
  onSpecialFile: OnSpecialFile,
): FsckId | undefined {
  for (let at = nameAt; at < end; at++) {
    if (data[at] !== BACKSLASH) continue
    if (isNtfsDotGit(data, at + 1)) return 'hasDotgit'
    if (!isNtfsFile(data, at + 1, GITMODULES)) continue
    if ((mode & FILE_TYPE_MASK) === SYMLINK) return 'gitmodulesSymlink'
    onSpecialFile('gitmodules', oidAt)
  }
  return undefined
}

/**
 * Entries are sorted as if the names of directories ended with a slash, and no name comes twice. The slash can push a
 * directory away from a file of the same name (`a`, `a.b`, `a/`), so files that a longer name follows wait on a stack,
 * as places in the tree, for the directories still to come.
 */
class EntryOrder {
  readonly #data: Buffer
  /** Start and end of each waiting name, in pairs. */
  readonly #waiting: number[] = []
  #nameAt = -1
  #nameEnd = -1
  #isDirectory = false

  constructor(data: Buffer) {
    this.#data = data
  }

  /** @returns what is wrong with the order of this entry and those before it */
  check(nameAt: number, nameEnd: number, isDirectory: boolean): FsckId | undefined {
    const id = this.#nameAt < 0 ? undefined : this.#compare(nameAt, nameEnd, isDirectory)
    this.#nameAt = nameAt
    this.#nameEnd = nameEnd
    this.#isDirectory = isDirectory
    return id
  }

  #compare(nameAt: number, nameEnd: number, isDirectory: boolean): FsckId | undefined {
    const data = this.#data
    const common = Math.min(this.#nameEnd - this.#nameAt, nameEnd - nameAt)
    for (let i = 0; i < common; i++) {
      const difference = (data[this.#nameAt + i] as number) - (data[nameAt + i] as number)
      if (difference !== 0) return difference < 0 ? undefined : 'treeNotSorted'
    }
    const endsBefore = this.#nameAt + common === this.#nameEnd
    const endsHere = nameAt + common === nameEnd
    if (endsBefore && endsHere) return 'duplicateEntries'
    const before = endsBefore && this.#isDirectory ? SLASH : (data[this.#nameAt + common] as number)
    const here = endsHere && isDirectory ? SLASH : (data[nameAt + common] as number)
    if (before > here) return 'treeNotSorted'
    if (before === 0) this.#waiting.push(this.#nameAt, this.#nameEnd)
    else if (here === SLASH && this.#isWaiting(nameAt, nameEnd)) return 'duplicateEntries'
    return undefined
  }

  /** Whether a file of this name waits. Forgets those that no directory from here on can have the name of. */
  #isWaiting(nameAt: number, nameEnd: number): boolean {
    const waiting = this.#waiting
    for (; waiting.length > 0; waiting.length -= 2) {
      const [start, end] = [waiting[waiting.length - 2] as number, waiting[waiting.length - 1] as number]
      const sameEnd = nameAt + end - start
      if (sameEnd > nameEnd || this.#data.compare(this.#data, start, end, nameAt, sameEnd) !== 0) continue
      // One that only begins it may be the name of a directory after it.
      return sameEnd === nameEnd
    }
    return false
  }
}

import assert from 'node:assert/strict'
import {
  GITATTRIBUTES,
  GITMODULES,
  isDotGit,
  isNtfsDotGit,
  isProtectedFile,
  mayBeProtected,
} from '../../src/git/fsck/protected-name.ts'
import { textSeeds } from '../seeds/texts.ts'
import type { FuzzTarget } from '../target.ts'

/** Names that some file system takes for another one: those of C git's t/helper/test-path-utils.c and t1014, and more. */
const NAMES = {
  'as it is': '.git',
  'in other letters': '.GiT',
  'with what HFS+ ignores': '.g\xe2\x80\x8cit',
  'beginning with what HFS+ ignores': '\xef\xbb\xbf.git\xe2\x81\xaf',
  'as NTFS shortens it': 'git~1',
  'with an end that NTFS drops': '.git . .',
  'with a stream of NTFS': '.git::$INDEX_ALLOCATION',
  'with a backslash': '.git\\hooks',
  'another file': '.gitignore',
  modules: '.gitmodules',
  'modules, shortened': 'GITMOD~4',
  'modules, shortened when others have the name': 'gi7eba~12',
  'modules, with a number that begins with a zero': 'gi7eba~0',
  attributes: '.gitattributes .',
  'attributes, shortened': 'gitatt~1',
  'attributes in other letters': '.gIt\xe2\x80\xaeattributes',
  'bytes that are no UTF-8': '.git\xc0\xaf',
  'bytes that are cut short': '.git\xe2\x80',
} as const

export const target = {
  reads: 'names that a file system takes for .git, .gitmodules or .gitattributes',
  drives: {
    'src/git/fsck/protected-name.ts': [
      'isDotGit',
      'isProtectedFile',
      'isHfsDot',
      'isNtfsDotGit',
      'isNtfsFile',
      'isNtfsShortName',
      'isNtfsEnd',
      'decodePoint',
    ],
  },
  inputBytesMax: 64,
  words: [
    '.git',
    'git~1',
    '.gitmodules',
    '.gitattributes',
    'gitmod~1',
    'gitatt~4',
    'gi7eba~1',
    'gi7d29~12',
    '\xe2\x80\x8c',
    '\xe2\x80\xaa',
    '\xe2\x81\xaa',
    '\xef\xbb\xbf',
    '::$DATA',
    ' .',
  ],
  makesObjects: false,
  goalPerS: 10_000,
  planted: {
    'short-name-of-two-digits': {
      why: 'a .gitmodules that NTFS finds under its short name is not looked at',
      file: 'src/git/fsck/protected-name.ts',
      from: '  for (let digit = tilde + 1; digit < 8; digit++) {',
      to: '  if (tilde < 5) return false\n  for (let digit = tilde + 1; digit < 8; digit++) {',
    },
  },
  seeds: () => textSeeds(NAMES),
} satisfies FuzzTarget

const DECODER = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true })
const IGNORED_BY_HFS = /[\u200c-\u200f\u202a-\u202e\u206a-\u206f\ufeff]/gu

/**
 * Oracle: the same rules by regular expressions over text; no byte beyond the name is looked at; what is protected begins
 * with a byte that may.
 */
export function fuzz(data: Buffer): void {
  const [name = ''] = data.toString('latin1').split(/[\0/]/, 1)
  const bytes = Buffer.from(`before\0${name}\0`, 'latin1')
  const at = 'before\0'.length
  const hfs = readAsHfs(Buffer.from(name, 'latin1'))
  const isGit = /^(?:\.git|git~1)[ .]*(?:[\\:]|$)/i.test(name)
  assert.equal(isNtfsDotGit(bytes, at), isGit)
  assert.equal(isDotGit(bytes, at), isGit || hfs === '.git')
  const isModules = isProtectedFile(bytes, at, GITMODULES)
  assert.equal(isModules, isNtfs(name, 'gitmodules', 'gi7eba') || hfs === '.gitmodules')
  const isAttributes = isProtectedFile(bytes, at, GITATTRIBUTES)
  assert.equal(isAttributes, isNtfs(name, 'gitattributes', 'gi7d29') || hfs === '.gitattributes')
  if (isModules || isAttributes || isDotGit(bytes, at)) assert(mayBeProtected(bytes[at]))
}

/** What HFS+ makes of a name, in lower case: up to bytes that are no UTF-8, at which git's reader stops (utf8.c). */
function readAsHfs(name: Buffer): string {
  let text = name.toString()
  const bad = firstBadByte(name)
  if (bad >= 0) text = name.toString('utf8', 0, bad)
  return text.replaceAll(IGNORED_BY_HFS, '').replaceAll(/[A-Z]/g, (letter) => letter.toLowerCase())
}

/** @returns -1: all of it is UTF-8, and none of it U+FFFE or U+FFFF */
function firstBadByte(name: Buffer): number {
  for (let at = 0; at < name.length;) {
    const length = [1, 2, 3, 4].find((bytes) => isCharacter(name.subarray(at, at + bytes), bytes))
    if (length === undefined) return at
    at += length
  }
  return -1
}

function isCharacter(bytes: Buffer, length: number): boolean {
  if (bytes.length < length) return false
  try {
    const [char = '', more] = DECODER.decode(bytes)
    return more === undefined && char !== '' && !['\ufffe', '\uffff'].includes(char)
  } catch {
    return false
  }
}

function isNtfs(name: string, file: string, prefix: string): boolean {
  const end = '[ .]*(?::|$)'
  const short = [`${file.slice(0, 6)}~[1-4]`]
  // Eight bytes in all: some of the prefix, a tilde, and a number.
  for (let length = 0; length <= 6; length++) short.push(`${prefix.slice(0, length)}~[1-9][0-9]{${6 - length}}`)
  return new RegExp(`^(?:\\.${file}|${short.join('|')})${end}`, 'i').test(name)
}

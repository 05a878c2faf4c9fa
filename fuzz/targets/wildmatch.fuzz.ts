import assert from 'node:assert/strict'
import { Wildmatch } from '../../src/git/object-graph/wildmatch.ts'
import { matchesNaively } from '../oracles/naive-wildmatch.ts'
import { textSeeds } from '../seeds/texts.ts'
import type { FuzzTarget } from '../target.ts'

/** Patterns, and after a zero byte the text. */
const PATTERNS = {
  'a star in a part': 'src/*.c\0src/main.c',
  'two stars at the beginning': '**/doc\0a/b/doc',
  'two stars in the middle': 'a/**/b\0a/b',
  'two stars at the end': 'doc/**\0doc/a/b',
  'two stars that are not alone': 'a**b/c\0axb/c',
  'an escaped slash': '**\\/a\0x/a',
  'a range, negated': '[!a-c]x\0dx',
  'a bracket in a class': '[]-]a\0-a',
  'a named class': '[[:digit:][:upper:]]\0Q',
  'a class without end': '[[:digit:\0[',
  'an escaped range': '[\\a-\\f]\0e',
  'a question mark': 'a?b\0a/b',
  'a backslash at the end': 'a\\\0a\\',
} as const

export const target = {
  reads: 'wildcard patterns',
  drives: { 'src/git/object-graph/wildmatch.ts': ['matches', 'parse', 'star', 'class', 'end', 'single'] },
  inputBytesMax: 96,
  words: ['**/', '/**', '/**/', '**\\/', '[[:alpha:]]', '[!', '[^]', '-]', '[:', ':]', '\\', '\0', '[[:xdigit:]-'],
  makesObjects: false,
  goalPerS: 3_000,
  planted: {
    'stars-that-are-not-alone': {
      why: 'two stars beside a name go over slashes, and a filter lets through what it was to leave out',
      file: 'src/git/object-graph/wildmatch.ts',
      from: '      (before === undefined || before === SLASH) &&\n',
      to: '',
    },
  },
  seeds: () => textSeeds(PATTERNS),
} satisfies FuzzTarget

/** Oracle: what a second matcher says that tries everything; the same from further on in a longer text. */
export function fuzz(data: Buffer): void {
  const end = data.indexOf(0)
  const pattern = end < 0 ? data : data.subarray(0, end)
  // A pattern is a line, and neither it nor a path holds a zero byte.
  const text = Buffer.from((end < 0 ? Buffer.from('a/b') : data.subarray(end + 1)).filter((byte) => byte !== 0))
  for (const isPath of [false, true]) {
    const match = new Wildmatch(pattern, isPath)
    const expected = matchesNaively(pattern.toString('latin1'), text.toString('latin1'), isPath)
    assert.equal(match.matches(text), expected)
    assert.equal(match.matches(Buffer.concat([Buffer.from('before/'), text]), 'before/'.length), expected)
    assert(match.steps <= pattern.length + 1, 'a match takes more steps than the pattern has bytes')
  }
  if (data.length <= SHORT_BYTES && pattern.indexOf('**/') === 0) checkLong(pattern, text)
}

/** A filter has room for so many bytes of patterns. */
const LONG_BYTES = 64 * 1024
/** Of longer inputs as few are tried in a second as such a pattern has parts. */
const SHORT_BYTES = 5

/** Any number of folders twice is any number of folders: it must neither run out of stack nor take long. */
function checkLong(pattern: Buffer, text: Buffer): void {
  const before = Buffer.from('**/'.repeat((LONG_BYTES - pattern.length) / 3))
  const long = new Wildmatch(Buffer.concat([before, pattern]), true)
  assert.equal(long.matches(text), new Wildmatch(pattern, true).matches(text))
}

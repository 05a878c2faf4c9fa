import assert from 'node:assert/strict'
import { SparseError, SparsePatterns, SparseBudget } from '../../src/git/object-graph/sparse-patterns.ts'
import { unlessRefused } from '../oracles/expected.ts'
import { textSeeds } from '../seeds/texts.ts'
import type { FuzzTarget } from '../target.ts'

/** Patterns, and after 0xff a path. */
const SPARSE_PATTERNS = {
  'everything at the top': '/*\n!/*/\n\xfffile',
  'one folder': '/*\n!/*/\n/src/\n\xffsrc/main.c',
  'names by their ends': '*.c\n!test_*.c\n\xffsrc/test_a.c',
  'folders at any depth': 'a/**/b\n**/doc/\ndoc/**\n\xffa/x/y/b',
  'classes of characters': '[a-c][!x][[:digit:]]?\n[]-]*\n\xffdir/abc1x',
  'what is escaped': '\\#a\n\\!b\ntrailing\\ \nspaces   \n\xfftrailing ',
  'lines of another system': '\xef\xbb\xbf# one\r\n*.txt\r\n\xffa.txt',
} as const

export const target = {
  reads: 'patterns of sparse checkouts',
  drives: {
    'src/git/object-graph/sparse-patterns.ts': ['judge', 'isMatch', 'linesOf', 'parsePattern', 'withoutTrailingSpaces'],
    'src/git/object-graph/wildmatch.ts': ['matches', 'parse', 'single'],
  },
  inputBytesMax: 512,
  words: [
    '/**/',
    '**/',
    '/**',
    '[[:alpha:]]',
    '[!a-',
    '[^]',
    '\\ ',
    '!/*/',
    '\n',
    '\xef\xbb\xbf',
    '\xff',
    ':]',
    '*a*a*a',
  ],
  makesObjects: false,
  goalPerS: 1_000,
  planted: {
    'class-without-end': {
      why: 'a pattern that ends in its class is read for ever',
      file: 'src/git/object-graph/wildmatch.ts',
      from: '      if (byte === undefined) return this.#end(nothing)\n      const [next, afterNext]',
      to: '      const [next, afterNext]',
    },
  },
  seeds: () => textSeeds(SPARSE_PATTERNS),
} satisfies FuzzTarget

/** It is in no UTF-8. */
const END_OF_PATTERNS = 0xff
/** No input of this size takes so many, or patterns could be made to take long. */
const STEPS_MAX = 10_000_000

/**
 * Patterns of a sparse checkout, up to the byte 0xff, and a path.
 *
 * Oracle: an answer within the budget, the same for what means the same, and what was added last decides.
 */
export function fuzz(data: Buffer): void {
  const end = data.indexOf(END_OF_PATTERNS)
  const patterns = end < 0 ? data : data.subarray(0, end)
  const path = end < 0 ? Buffer.from('a/b') : data.subarray(end + 1)
  const lines = (...more: string[]): Buffer => Buffer.concat([patterns, Buffer.from(`\n${more.join('\n')}`)])
  for (const isFolder of [false, true]) {
    const plain = judge(patterns, path, isFolder)
    assert.equal(judge(lines('# nothing', ''), path, isFolder), plain, 'a comment changed a verdict')
    assert.equal(judge(lines('*'), path, isFolder), 'in')
    assert.equal(judge(lines('!*'), path, isFolder), 'out')
    assert.equal(judge(lines('*/'), path, isFolder), isFolder ? 'in' : plain)
    if (path.length > 0) assert.equal(judge(lines('**/*'), path, isFolder), 'in')
  }
}

function judge(patterns: Buffer, path: Buffer, isFolder: boolean): string | undefined {
  return unlessRefused([SparseError], () =>
    new SparsePatterns(patterns, new SparseBudget({ steps: STEPS_MAX })).judge(
      path,
      path.lastIndexOf(0x2f) + 1,
      isFolder,
    ),
  )
}

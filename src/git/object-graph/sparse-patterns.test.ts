import { describe, expect, it } from 'vitest'
import { overSparseLimit, SparseBudget, SparseError, SparsePatterns, type SparseVerdict } from './sparse-patterns.ts'

function judge(text: string, path: string, budget = new SparseBudget()): SparseVerdict {
  const isFolder = path.endsWith('/')
  const bytes = Buffer.from(isFolder ? path.slice(0, -1) : path, 'latin1')
  return new SparsePatterns(Buffer.from(text, 'latin1'), budget).judge(bytes, bytes.lastIndexOf('/') + 1, isFolder)
}

describe('patterns', () => {
  // A path that ends with a slash is a folder; "/" alone is the root.
  it.each<{ text: string; in?: string[]; out?: string[]; undecided?: string[] }>([
    { text: '', undecided: ['a', 'a/', '/'] },
    { text: 'a', in: ['a', 'a/', 'b/a', 'b/c/a/'], undecided: ['ab', 'ba', 'a/b', '/'] },
    { text: '/a', in: ['a', 'a/'], undecided: ['b/a', 'ab', '/'] },
    { text: 'a/', in: ['a/', 'b/a/'], undecided: ['a', 'b/a'] },
    { text: '/a/', in: ['a/'], undecided: ['a', 'b/a/'] },
    { text: 'a/b', in: ['a/b', 'a/b/'], undecided: ['c/a/b', 'a/bc', 'b'] },
    { text: '*', in: ['a', 'a/b', 'a/', '/'] },
    { text: '/*', in: ['a', 'a/'], undecided: ['a/b', '/'] },
    { text: '*.c', in: ['a.c', 'b/a.c', '.c'], undecided: ['a.cc', 'ac'] },
    { text: 'a?', in: ['ab', 'x/ab'], undecided: ['a', 'abc'] },
    { text: 'a[bc]', in: ['ab', 'ac'], undecided: ['ad', 'a[bc]'] },
    { text: 'x/*.c', in: ['x/a.c'], undecided: ['x/y/a.c', 'z/x/a.c', 'x/a.d'] },
    { text: 'x/**/a', in: ['x/a', 'x/y/a', 'x/y/z/a'], undecided: ['y/a', 'x/ya'] },
    // Both stars are one in a name.
    { text: '**a', in: ['ba', 'x/ba'], undecided: ['ab'] },
    { text: 'long/literal/x*', in: ['long/literal/xy'], undecided: ['long/litera', 'long/literal/y', 'l'] },
    { text: '!a', out: ['a', 'b/a'], undecided: ['b'] },
    { text: '!/a/', out: ['a/'], undecided: ['a'] },
    { text: '*\n!a', in: ['b'], out: ['a'] },
    { text: '!a\n*', in: ['a', 'b'] },
    { text: '*\n!/x/\n/x/y/', in: ['a', 'x', 'x/y/'], out: ['x/'] },
    { text: '#a\n\n\nb\n', in: ['b'], undecided: ['#a', 'a'] },
    { text: '\\#a\n\\!b', in: ['#a', '!b'], undecided: ['a', 'b'] },
    { text: 'a  \nb\\ \nc d', in: ['a', 'b ', 'c d'], undecided: ['a ', 'a  ', 'b', 'c'] },
    { text: 'a\\  ', in: ['a '], undecided: ['a', 'a  '] },
    { text: 'a \\b ', in: ['a b'], undecided: ['a', 'a '] },
    { text: ' a', in: [' a'], undecided: ['a'] },
    { text: 'a\\', undecided: ['a', 'a\\'] },
    { text: 'a\r\nb\r', in: ['a', 'b'], undecided: ['a\r', 'b\r'] },
    { text: 'a\rb', in: ['a\rb'], undecided: ['a'] },
    { text: 'a\0b\nc\0\r', in: ['a', 'c'], undecided: ['a\0b', 'b'] },
    { text: '\xef\xbb\xbfa', in: ['a'], undecided: ['\xef\xbb\xbfa'] },
    { text: '\xef\xbba', in: ['\xef\xbba'], undecided: ['a'] },
    { text: '/', undecided: ['a', 'a/'] },
    { text: '\xff*', in: ['\xff', '\xffa'], undecided: ['\xfe'] },
  ])('$text', ({ text, in: inside = [], out = [], undecided = [] }) => {
    for (const path of inside) expect([path, judge(text, path)]).toEqual([path, 'in'])
    for (const path of out) expect([path, judge(text, path)]).toEqual([path, 'out'])
    for (const path of undecided) expect([path, judge(text, path)]).toEqual([path, 'undecided'])
  })
})

describe('a budget', () => {
  it('is spent by each pattern, and by each byte of a path where there are wildcards', () => {
    // The question, two patterns without wildcards, and one of two tokens (and the end) for each place in "abc".
    const steps = 1 + 1 + 1 + (1 + 3 * 4)
    expect(judge('x*\ny\nz', 'abc', new SparseBudget({ steps }))).toBe('undecided')
    expect(() => judge('x*\ny\nz', 'abc', new SparseBudget({ steps: steps - 1 }))).toThrow(
      overSparseLimit('sparse_filter_steps'),
    )
  })

  it('is not spent by patterns before one that decides', () => {
    expect(judge('x\ny\na', 'a', new SparseBudget({ steps: 2 }))).toBe('in')
  })

  it('has room for as many places as it says', () => {
    const budget = new SparseBudget({ places: 2 })
    budget.remember()
    budget.remember()
    expect(() => budget.remember()).toThrow(overSparseLimit('sparse_filter_places'))
  })

  it('has the limits of the table where nothing else is said', () => {
    const budget = new SparseBudget()
    budget.spend(2_000_000_000)
    expect(() => budget.spend(1)).toThrow(SparseError)
  })

  it('says which limit was met', () => {
    expect(overSparseLimit('sparse_filters')).toMatchObject({
      detail: { code: 'over_limit', limit: 'sparse_filters' },
      message: 'The filter is too large; the limit (sparse_filters) is 16',
    })
    expect(overSparseLimit('sparse_filter_bytes').message).toContain('is 65536')
  })
})

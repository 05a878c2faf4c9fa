import { describe, expect, it } from 'vitest'
import { Wildmatch } from './wildmatch.ts'

const match = (pattern: string, text: string, isPath: boolean): boolean =>
  new Wildmatch(Buffer.from(pattern, 'latin1'), isPath).matches(Buffer.from(text, 'latin1'))

describe('patterns', () => {
  // As t3070-wildmatch.sh of git has them.
  it.each([
    { pattern: 'foo', yes: ['foo'], no: ['bar', 'foo/', ''] },
    { pattern: '', yes: [''], no: ['a'] },
    { pattern: '???', yes: ['foo'], no: ['fo', 'f/o'] },
    { pattern: '*f', yes: ['f', 'of'], no: ['foo', 'a/f'] },
    { pattern: '*foo*', yes: ['foo', 'foobar', 'afoob'], no: ['fo', 'a/foo'] },
    { pattern: '*ob*a*r*', yes: ['foobar'], no: ['obr'] },
    { pattern: '*ab', yes: ['aaaaaaabababab'], no: ['aba'] },
    { pattern: 'foo\\*', yes: ['foo*'], no: ['foobar', 'foo\\*'] },
    { pattern: 'f\\oo', yes: ['foo'], no: ['f\\oo'] },
    { pattern: '*[al]?', yes: ['ball'], no: ['ten'] },
    { pattern: '[ten]', yes: ['t'], no: ['ten', '/'] },
    { pattern: '**[!te]', yes: ['ten'], no: ['e'] },
    { pattern: 't[a-g]n', yes: ['ten'], no: ['ton'] },
    { pattern: 't[!a-g]n', yes: ['ton'], no: ['ten', 't/n'] },
    { pattern: 't[^a-g]n', yes: ['ton'], no: ['ten'] },
    { pattern: 'a[]]b', yes: ['a]b'], no: ['ab'] },
    { pattern: 'a[]-]b', yes: ['a-b', 'a]b'], no: ['aab'] },
    { pattern: 'a[]a-]b', yes: ['aab'], no: ['abb'] },
    { pattern: ']', yes: [']'], no: ['a'] },
    { pattern: 'foo*bar', yes: ['foobazbar'], no: ['foo/baz/bar', 'foo/bar'] },
    { pattern: 'foo**bar', yes: ['foobazbar'], no: ['foo/baz/bar'] },
    {
      pattern: 'foo/**/bar',
      yes: ['foo/bar', 'foo/baz/bar', 'foo/b/a/z/bar'],
      no: ['foobar', 'foo/xbar', 'foobaz/bar'],
    },
    { pattern: 'foo/**/**/bar', yes: ['foo/bar', 'foo/baz/bar', 'foo/b/a/z/bar'], no: ['foo/xbar'] },
    { pattern: '**/foo', yes: ['foo', 'XXX/foo', 'bar/baz/foo'], no: ['bar/baz/xfoo', 'xfoo'] },
    { pattern: '*/foo', yes: ['bar/foo'], no: ['bar/baz/foo', 'foo'] },
    { pattern: '**/bar*', yes: ['foo/bar', 'foo/bar1'], no: ['foo/bar/baz'] },
    { pattern: '**/bar/*', yes: ['deep/foo/bar/baz'], no: ['deep/foo/bar/baz/x', 'deep/foo/bar'] },
    { pattern: '**/bar/**', yes: ['deep/foo/bar/baz/'], no: ['deep/foo/bar'] },
    { pattern: '**/bar**', yes: ['foo/bar'], no: ['foo/bar/baz'] },
    { pattern: '*/bar/**', yes: ['foo/bar/baz/x'], no: ['deep/foo/bar/baz/x'] },
    { pattern: '**/bar/*/*', yes: ['deep/foo/bar/baz/x'], no: ['deep/foo/bar/baz'] },
    { pattern: '-adobe-courier-bold-o-normal--12-120-75-75-m-70-iso8859-*', yes: [], no: ['-adobe-courier-bold-o'] },
    {
      pattern: '**/*a*b*g*n*t',
      yes: ['abcd/abcdefg/abcdefghijk/abcdefghijklmnop.txt'],
      no: ['abcd/abcdefghijklmnop.txtz'],
    },
    { pattern: '[[:alpha:]][[:digit:]][[:upper:]]', yes: ['a1B'], no: ['a1b'] },
    { pattern: '[[:digit:][:upper:][:space:]]', yes: ['A', '1', ' '], no: ['a', '.'] },
    { pattern: '[[:digit:][:punct:][:space:]]', yes: ['.', '5', '\t'], no: ['a'] },
    { pattern: '[[:xdigit:]]', yes: ['5', 'f', 'D'], no: ['g'] },
    { pattern: '[a-c[:digit:]x-z]', yes: ['5', 'b', 'y'], no: ['q'] },
    { pattern: '[[:digit:]', yes: [], no: ['5', '['] },
    { pattern: '[[:none:]]', yes: [], no: ['n', ':'] },
    { pattern: '[\\\\-^]', yes: [']', '^', '\\'], no: ['['] },
    { pattern: '[\\\\]', yes: ['\\'], no: ['a'] },
    { pattern: '[a-', yes: [], no: ['a', '-'] },
    { pattern: '[--A]', yes: ['-', '5', 'A'], no: ['B'] },
    { pattern: '[,-.]', yes: ['-', ',', '.'], no: ['+', '-.]'] },
    { pattern: '[!]-]', yes: ['a'], no: [']', '-'] },
    { pattern: 'a\\', yes: [], no: ['a', 'a\\'] },
  ])('"$pattern" of paths', ({ pattern, yes, no }) => {
    expect(yes.filter((text) => !match(pattern, text, true))).toEqual([])
    expect(no.filter((text) => match(pattern, text, true))).toEqual([])
  })

  it('of names let a star stand for anything', () => {
    expect(match('a*b', 'a/x/b', false)).toBe(true)
    expect(match('a?b', 'a/b', false)).toBe(true)
    expect(match('a[!x]b', 'a/b', false)).toBe(true)
  })

  // A filter has room for so many. By recursion, from each of them to all that follow, 8,000 took 1.6 s for a/b/c/d/e.
  it('of 21,845 pairs of stars are followed without recursion', () => {
    expect(match('**/'.repeat(21_845), 'a/b/c/', true)).toBe(true)
    expect(match('**/'.repeat(21_845), 'a/b/c', true)).toBe(false)
    expect(match(`${'**/'.repeat(21_844)}c`, 'a/b/c', true)).toBe(true)
  })
})

describe('the class of', () => {
  // By POSIX, in ASCII.
  it.each([
    { name: 'alnum', ascii: /[A-Za-z0-9]/ },
    { name: 'alpha', ascii: /[A-Za-z]/ },
    { name: 'blank', ascii: /[ \t]/ },
    // oxlint-disable-next-line no-control-regex -- these are what the class is of
    { name: 'cntrl', ascii: /[\0-\x1f\x7f]/ },
    { name: 'digit', ascii: /[0-9]/ },
    { name: 'graph', ascii: /[!-~]/ },
    { name: 'lower', ascii: /[a-z]/ },
    { name: 'print', ascii: /[ -~]/ },
    { name: 'punct', ascii: /[!-/:-@[-`{-~]/ },
    // git's own, which leaves out two of them.
    { name: 'space', ascii: /[ \t\n\r]/ },
    { name: 'upper', ascii: /[A-Z]/ },
    { name: 'xdigit', ascii: /[0-9A-Fa-f]/ },
  ])('$name', ({ name, ascii }) => {
    for (let byte = 0; byte < 256; byte++) {
      const text = String.fromCharCode(byte)
      expect([byte, match(`[[:${name}:]]`, text, false)]).toEqual([byte, ascii.test(text)])
      expect([byte, match(`[^[:${name}:]]`, text, true)]).toEqual([byte, text !== '/' && !ascii.test(text)])
    }
  })

  it.each([
    { pattern: '[a-c]', yes: 'abc', no: '`d-' },
    // The first of a range stands for itself, too, where the last is before it.
    { pattern: '[c-a]', yes: 'c', no: 'ab-' },
    { pattern: '[a-a]', yes: 'a', no: '`b-' },
    { pattern: '[a-]', yes: 'a-', no: 'b' },
    { pattern: '[-a]', yes: 'a-', no: 'b' },
    { pattern: '[a-c-e]', yes: 'abc-e', no: 'd' },
    { pattern: '[a\\-c]', yes: 'a-c', no: 'b\\' },
    { pattern: '[a-\\c]', yes: 'abc', no: 'd-\\' },
    { pattern: '[\\a-c]', yes: 'abc', no: 'd-\\' },
    { pattern: '[\\]-a]', yes: ']^_`a', no: '\\b-' },
    { pattern: '[!a]', yes: 'b!', no: 'a' },
    { pattern: '[^a]', yes: 'b^', no: 'a' },
    { pattern: '[a!^]', yes: 'a!^', no: 'b' },
    { pattern: '[]]', yes: ']', no: 'a[' },
    { pattern: '[!]]', yes: 'a[', no: ']' },
    { pattern: '[[]', yes: '[', no: ']' },
    { pattern: '[[a]', yes: '[a', no: ':' },
    { pattern: '[[:a]', yes: '[:a', no: 'b' },
    // No name stands between the colons: what looks like a class is none.
    { pattern: '[[:]', yes: '[:', no: ']' },
    { pattern: '[x[:digit:]y]', yes: 'x0y', no: ':[d' },
    // A class ends a range, as it has no last byte.
    { pattern: '[[:digit:]-z]', yes: '09-z', no: 'a' },
    { pattern: '[a-[:digit:]]', yes: '', no: 'a0' },
    { pattern: '[a', yes: '', no: 'a[' },
    { pattern: '[', yes: '', no: '[' },
    { pattern: '[!', yes: '', no: '[!a' },
    { pattern: '[\\', yes: '', no: '[\\' },
    { pattern: '[a-\\', yes: '', no: 'a-\\' },
    { pattern: '[[:alpha:', yes: '', no: 'a[:' },
    { pattern: '[[:constructor:]]', yes: '', no: 'c' },
  ])('$pattern', ({ pattern, yes, no }) => {
    expect(yes.split('').filter((text) => !match(pattern, text, false))).toEqual([])
    expect(no.split('').filter((text) => match(pattern, text, false))).toEqual([])
  })
})

describe('stars', () => {
  it.each([
    { pattern: '**', yes: ['', 'a', 'a/b', '/'], no: [] },
    { pattern: '*', yes: ['', 'a'], no: ['a/b', '/'] },
    { pattern: 'a/**', yes: ['a/', 'a/b', 'a/b/c'], no: ['a', 'ab'] },
    { pattern: '**a', yes: ['a', 'ba'], no: ['b/a', '/a'] },
    { pattern: 'a**', yes: ['a', 'ab'], no: ['a/b'] },
    { pattern: 'x**/a', yes: ['x/a', 'xy/a'], no: ['x/y/a', 'xa'] },
    { pattern: '**\\/a', yes: ['/a', 'b/a', 'b/c/a'], no: ['a'] },
    { pattern: '***/a', yes: ['a', 'b/a', 'b/c/a'], no: ['ba'] },
    { pattern: '**/**', yes: ['', 'a', 'a/b'], no: [] },
    { pattern: '*/*', yes: ['/', 'a/b'], no: ['a', 'a/b/c'] },
    { pattern: '\\**', yes: ['*', '*a'], no: ['*/a', 'a'] },
    { pattern: '/**', yes: ['/', '/a/b'], no: ['', 'a'] },
  ])('$pattern', ({ pattern, yes, no }) => {
    expect(yes.filter((text) => !match(pattern, text, true))).toEqual([])
    expect(no.filter((text) => match(pattern, text, true))).toEqual([])
  })

  it('begin where the text is said to begin', () => {
    const wild = new Wildmatch(Buffer.from('b*'), true)
    expect([0, 1, 2].map((start) => wild.matches(Buffer.from('abc'), start))).toEqual([false, true, false])
  })

  it('cost a step for each token, and for the end', () => {
    expect(['', 'a', '*', '**/a', '[a-z]?'].map((text) => new Wildmatch(Buffer.from(text), true).steps)).toEqual([
      1, 2, 2, 4, 3,
    ])
  })
})

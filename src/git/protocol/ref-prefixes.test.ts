import { describe, expect, it } from 'vitest'
import { prefixMatcher } from './ref-prefixes.ts'

const NAMES = [
  'ac',
  'ba',
  'undefined',
  'HEAD',
  'a',
  'ab',
  'abc',
  'b',
  'refs/heads/a',
  'refs/heads/ab',
  'refs/heads/b',
  'refs/tags/a',
  'z',
  'é',
  '',
]

describe('names pass that begin with one of', () => {
  it.each([
    { prefixes: [] },
    { prefixes: [''] },
    { prefixes: ['a'] },
    { prefixes: ['', 'b'] },
    { prefixes: ['abc', 'a', 'ab'] },
    { prefixes: ['ab', 'ad'] },
    { prefixes: ['ab', 'a', 'a'] },
    { prefixes: ['undefined', 'a', 'ba'] },
    { prefixes: ['undefined', 'z'] },
    { prefixes: ['z'] },
    { prefixes: ['b', 'ab'] },
    { prefixes: ['refs/tags/', 'refs/heads/a', 'HEAD'] },
    { prefixes: ['refs/heads/ab', 'refs/heads/a/', 'z'] },
    { prefixes: ['é', 'zz', 'A'] },
    { prefixes: ['0', '1', '2', '3', '4', 'a', 'y'] },
  ])('$prefixes', ({ prefixes }) => {
    const expected = NAMES.filter((name) => prefixes.length === 0 || prefixes.some((prefix) => name.startsWith(prefix)))
    expect(NAMES.filter(prefixMatcher(prefixes))).toEqual(expected)
  })

  it('leaves what it was given as it is', () => {
    const prefixes = Object.freeze(['b', 'a', 'ab'])
    expect(prefixMatcher(prefixes)('abc')).toBe(true)
  })
})

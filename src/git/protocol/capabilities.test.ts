import { describe, expect, it } from 'vitest'
import { lineText, parseCapabilities, parseGitProtocol, parseSessionId } from './capabilities.ts'

describe('capabilities', () => {
  it.each([
    { name: 'words and values', text: ' side-band-64k agent=git/2.39.5', names: ['side-band-64k', 'agent'] },
    { name: 'several spaces are one', text: 'a   b ', names: ['a', 'b'] },
    { name: 'none', text: '', names: [] },
    { name: 'names of the language', text: '__proto__ constructor', names: ['__proto__', 'constructor'] },
  ])('$name', ({ text, names }) => {
    expect([...parseCapabilities(text).keys()]).toEqual(names)
  })

  it('keeps the first of two values, and what follows the first sign', () => {
    expect(parseCapabilities('a=1=2 a=3 b').get('a')).toBe('1=2')
    expect(parseCapabilities('a=1 b').get('b')).toBe('')
  })

  it('ends a line where a line feed does, and not before', () => {
    const texts = ['a', 'a\n', 'a\n\n', '\n', '', 'é\n'].map((text) => lineText(Buffer.from(text)))
    expect(texts).toEqual(['a', 'a', 'a\n', '', '', 'é'])
  })

  const session = '20261130T113925.000001Z-Hdeadbeef-P000004d2'
  it.each([
    { text: session, is: true },
    { text: session.replace('Hdeadbeef', 'Localhost'), is: true },
    { text: `${session}/${session}`, is: true },
    { text: Array(10).fill(session).join('/'), is: true },
    { text: Array(11).fill(session).join('/'), is: false },
    { text: `${session}/`, is: false },
    { text: `${session}${session}`, is: false },
    { text: `x${session}`, is: false },
    { text: `${session}\n`, is: false },
    { text: session.toUpperCase(), is: false },
    { text: session.replace('.', 'x'), is: false },
    { text: 'password', is: false },
    { text: '', is: false },
    { text: undefined, is: false },
  ])('the name of a session in "$text": $is', ({ text, is }) => {
    expect(parseSessionId(text)).toBe(is ? text : undefined)
  })

  it('takes a hundred and no more', () => {
    const many = (count: number): string => Array.from({ length: count }, (_, at) => `c${at}`).join(' ')
    expect(parseCapabilities(many(100)).size).toBe(100)
    expect(() => parseCapabilities(many(101))).toThrow('expected at most 100 capabilities')
  })

  it.each([
    { header: undefined, version: '0' },
    { header: 'version=2', version: '2' },
    { header: 'version=1', version: '1' },
    { header: 'version=0:version=2', version: '2' },
    { header: 'version=22', version: '0' },
    { header: 'xversion=2', version: '0' },
    { header: `${'x'.repeat(1_000)}:version=2`, version: '0' },
  ])('Git-Protocol $header asks for version $version', ({ header, version }) => {
    expect(parseGitProtocol(header)).toBe(version)
  })
})

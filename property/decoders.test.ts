import { globSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { TARGET_NAMES, targetOf } from '../fuzz/targets.ts'
import { ROOT } from '../integration/support/command-line.ts'
import { decodersOf, findDecoders, isDriven, isImported } from './decoders.ts'

/** By `FILE NAME`: why nothing holds this decoder. There is none now. */
const EXEMPT: Readonly<Record<string, string>> = {}

const targets = TARGET_NAMES.map(targetOf)
const properties = globSync('property/*.property.ts', { cwd: ROOT }).map((file) =>
  readFileSync(join(ROOT, file), 'utf8'),
)
const decoders = findDecoders(ROOT)
const nameOf = ({ file, name }: { file: string; name: string }): string => `${file} ${name}`

describe('what reads the bytes of strangers', () => {
  it('is driven by a fuzz target, or held by a property', () => {
    const unheld = decoders.filter(
      (one) => !isDriven(one, targets) && !properties.some((text) => isImported(one, text)),
    )
    expect(unheld.map(nameOf).filter((name) => EXEMPT[name] === undefined)).toEqual([])
  })

  it('is exempt only where there is such a decoder', () => {
    expect(Object.keys(EXEMPT).filter((name) => !decoders.some((one) => nameOf(one) === name))).toEqual([])
  })

  it('is known by how it is called, or by what it is fed', () => {
    const names = decoders.map(({ name }) => name)
    // One of each kind: a rule that finds nothing would hold everything.
    const some = ['decodePktLine', 'parseFilterSpec', 'forEachTreeEntry', 'inflateAt', 'indexPack', 'checkCommit']
    const classes = ['PackIndex', 'BitmapFile', 'CommitGraph', 'PushRequestParser', 'FetchCommand', 'HistoryArguments']
    expect(names).toEqual(expect.arrayContaining([...some, ...classes]))
    expect(names.length).toBeGreaterThan(50)
  })
})

describe('a decoder that is new', () => {
  const file = 'src/git/new-file.ts'
  const text = `export function decodeNew(bytes: Buffer): void {}
export class NewFile {
  constructor(bytes: Buffer) {}

  rowAt(at: number): number {
    return at
  }
}
export class Unfed {
  constructor(count: number) {}
}
export const readNew = (bytes: Buffer): number => bytes.length
export function encodeNew(): Buffer {
  return Buffer.alloc(0)
}
`
  const [decode, read, whole, ...others] = decodersOf(file, text)

  it('is found in the text of its file', () => {
    expect(decode).toEqual({ file, name: 'decodeNew', functions: ['decodeNew'] })
    expect(read).toEqual({ file, name: 'readNew', functions: ['readNew'] })
    expect(whole).toEqual({ file, name: 'NewFile', functions: expect.arrayContaining(['NewFile', 'rowAt']) })
    expect(others).toEqual([])
  })

  it('is held by a target that drives it, a class also by one of its methods', () => {
    const driving = (path: string, ...names: string[]) => [{ drives: { [path]: names } }]
    expect(decode && isDriven(decode, driving(file, 'decodeNew'))).toBe(true)
    expect(whole && isDriven(whole, driving(file, 'rowAt'))).toBe(true)
    expect(whole && isDriven(whole, driving(file, 'decodeNew'))).toBe(false)
    expect(decode && isDriven(decode, driving('src/git/other.ts', 'decodeNew'))).toBe(false)
  })

  it('is held by properties that import it from its file', () => {
    const from = (names: string, path: string): string => `import { ${names} } from '../${path}'\n`
    expect(decode && isImported(decode, from('encodeNew, decodeNew', file))).toBe(true)
    expect(decode && isImported(decode, from('encodeNew,\n  decodeNew,\n', file))).toBe(true)
    expect(decode && isImported(decode, from('decodeNewer', file))).toBe(false)
    expect(decode && isImported(decode, from('decodeNew', 'src/git/other.ts'))).toBe(false)
    expect(decode && isImported(decode, '// decodeNew')).toBe(false)
    expect(whole && isImported(whole, from('type NewFile, encodeNew', file))).toBe(false)
    expect(whole && isImported(whole, from('type Other, NewFile', file))).toBe(true)
  })
})

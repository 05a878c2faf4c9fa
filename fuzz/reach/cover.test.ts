import { existsSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { ROOT } from '../../integration/support/command-line.ts'
import { coverBy, coverDecoders, type FileCoverage } from './cover.ts'
import { DECODERS, NO_DECODERS } from './decoders.ts'
import { GAPS } from './gaps.ts'
import { describeCoverage, judgeCoverage, PERCENT_MIN } from './judge.ts'
import { LARGE_PACKS, readLarge } from './large-packs.ts'
import { REACHING } from './reaching.ts'
import { TARGET_NAMES } from '../targets.ts'

const never = new AbortController().signal
const file: FileCoverage = {
  file: 'src/git/a.ts',
  branches: 3,
  taken: 1,
  missing: [
    { line: 7, name: 'if in: if (a) b()' },
    { line: 9, name: ': in: return a ? 1 : 2' },
  ],
}

describe('what the committed inputs reach', () => {
  it('is all branches of all decoders, but for those that are listed with their reason', async () => {
    const files = await coverDecoders(never)
    expect(judgeCoverage(files).join('\n')).toBe('')
    // A list of reasons must not be all there is.
    const sum = (of: 'branches' | 'taken') => files.reduce((total, one) => total + one[of], 0)
    expect(sum('taken') / sum('branches')).toBeGreaterThan(PERCENT_MIN / 100)
  })

  it('is nothing without inputs', async () => {
    const files = await coverBy([{ target: 'pkt-line', inputs: [] }], never)
    const pktLine = files.find((one) => one.file === 'src/git/pkt-line.ts')
    expect(pktLine).toMatchObject({ branches: 19, taken: 0 })
    const some = await coverBy([{ target: 'pkt-line', inputs: [{ name: 'a', bytes: Buffer.from('0005x') }] }], never)
    expect(some.find((one) => one.file === 'src/git/pkt-line.ts')?.taken).toBeGreaterThan(5)
  })

  it('ends with an error where an input does not pass', async () => {
    const wrong = { target: '../reach/testing-throws', inputs: [{ name: 'a', bytes: Buffer.alloc(1) }] }
    await expect(coverBy([wrong], never)).rejects.toThrow('ended with 1')
  })
})

describe('a pack too large to be fuzzed', () => {
  it.each(Object.entries(LARGE_PACKS))('%s ends as it must', (_name, { make, outcome, inPieces }) => {
    expect(readLarge(make(), inPieces === true)).toBe(outcome)
  })
})

describe('the judge', () => {
  it.each([
    {
      name: 'names what is not listed, and where it is',
      gaps: { 'src/git/a.ts': { 'if in: if (a) b()': 'a reason' } },
      says: ['src/git/a.ts:9 is never taken: : in: return a ? 1 : 2'],
    },
    {
      name: 'names what is listed, and taken',
      gaps: { 'src/git/a.ts': { ...Object.fromEntries(file.missing.map(({ name }) => [name, 'x'])), 'if in: c': 'x' } },
      says: ['fuzz/reach/gaps.ts: src/git/a.ts: is taken, or there is none: if in: c'],
    },
    {
      name: 'names files that are no decoders',
      gaps: { 'src/git/a.ts': Object.fromEntries(file.missing.map(({ name }) => [name, 'x'])), 'src/git/b.ts': {} },
      says: ['fuzz/reach/gaps.ts: src/git/b.ts is no decoder'],
    },
  ])('$name', ({ gaps, says }) => {
    expect(judgeCoverage([file], gaps)).toEqual(says)
  })

  it('is shown with the reasons', () => {
    expect(describeCoverage([file], { 'src/git/a.ts': { 'if in: if (a) b()': 'a reason' } })).toEqual([
      ' 33.3 %    1 of   3  src/git/a.ts',
      '          line 7: if in: if (a) b(): a reason',
      '          line 9: : in: return a ? 1 : 2: NOT LISTED',
    ])
  })
})

it('the lists name files and targets that there are', () => {
  for (const name of Object.keys(NO_DECODERS)) expect(existsSync(join(ROOT, name)), name).toBe(true)
  for (const name of Object.keys(GAPS)) expect(DECODERS).toContain(name)
  for (const name of Object.keys(REACHING)) expect(TARGET_NAMES).toContain(name)
})

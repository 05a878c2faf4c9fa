import { readFileSync } from 'node:fs'
import { describe, expect, it } from 'vitest'
import { TARGET_NAMES } from '../targets.ts'
import { all, type Advisory } from './advisory.ts'
import { ADVISORIES } from './list.ts'
import { deltaOn, text } from './makers.ts'
import { PAGE, renderPage } from './page.ts'
import { type ReaderName, READERS } from './readers.ts'
import { advisoryInputs, targetsOf, wrongOutcomes } from './replay.ts'

describe('published defects', () => {
  it.each(ADVISORIES)('$name ends as it must', (advisory) => {
    expect(wrongOutcomes(undefined, [advisory]).join('\n')).toBe('')
  })

  it('are at least 25, of all that serve or read git', () => {
    expect(ADVISORIES.length).toBeGreaterThanOrEqual(25)
    expect(new Set(ADVISORIES.map(({ name }) => name)).size).toBe(ADVISORIES.length)
    const software = ['dulwich', 'git', 'gitoxide', 'go-git', 'guts', 'isomorphic-git', 'JGit', 'libgit2']
    expect(new Set(ADVISORIES.flatMap(({ of }) => of))).toEqual(new Set(software))
  })

  it('are replayed in targets that there are, by readers of which each has its inputs', () => {
    const inputs = ADVISORIES.flatMap((advisory) => Object.values(advisory.inputs))
    const names = Object.keys(READERS) as ReaderName[]
    expect(new Set(inputs.map(({ reader }) => reader))).toEqual(new Set(names))
    for (const target of names.flatMap((name) => Object.keys(targetsOf(name)))) {
      expect(TARGET_NAMES).toContain(target)
      expect(advisoryInputs(target).length).toBeGreaterThan(0)
    }
  })

  it('are told when they end otherwise, with what happened', () => {
    const wrong: Advisory = {
      name: 'wrong',
      of: ['git'],
      defect: 'none',
      inputs: {
        ...all('pktLines', 'accepted', { 'a sign': () => text('+00a123456'), 'a line': () => text('0005x') }),
        ...all('refName', 'ref_refused', { 'a branch': () => text('refs/heads/a') }),
        // Not even two bytes that say how long its base is: no refusal of a decoder.
        ...all('delta', 'delta_invalid', { 'no delta': () => deltaOn(0, text('')).subarray(0, 1) }),
      },
    }
    expect(wrongOutcomes(undefined, [wrong])).toEqual([
      'wrong: a sign: pkt_length_invalid, and must be: accepted',
      'wrong: a branch: accepted, and must be: ref_refused',
      expect.stringMatching(/^wrong: no delta: failed with RangeError.*, and must be: delta_invalid$/),
    ])
    expect(wrongOutcomes('ref-name', [wrong])).toHaveLength(1)
  })

  it('have a page that is not stale', () => {
    expect(readFileSync(PAGE, 'utf8'), 'run `node fuzz/advisories-command.ts`').toBe(renderPage())
  })
})

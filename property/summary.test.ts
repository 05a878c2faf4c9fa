import { describe, expect, it } from 'vitest'
import { countsOf, describeCounts, propertiesOf, PROPERTIES_MIN, type PropertyCount, shortfallsOf } from './summary.ts'

const often: PropertyCount = { file: 'pkt-line', name: 'what was written is read', runs: 1_000, programs: 0 }
const withGit: PropertyCount = { file: 'pack', name: 'C git takes it', runs: 12, programs: 60 }
const seldom: PropertyCount = { ...often, name: 'it holds', runs: 999 }

describe('what a run of the properties comes to', () => {
  it('is read from what each test wrote of itself, without what was kept of earlier failures', () => {
    const test = { fullName: '', status: 'passed' }
    const report = {
      testResults: [
        {
          name: '/somewhere/pkt-line.property.ts',
          status: 'passed',
          assertionResults: [
            { ...test, title: `${often.name} (with seed=5)`, meta: { executed: { runs: 1_000, programs: 0 } } },
            { ...test, title: `kept: ${often.name} (with seed=7)`, meta: { executed: { runs: 1, programs: 0 } } },
            { ...test, title: 'a plain test', meta: {} },
          ],
        },
      ],
    }
    expect(propertiesOf(report)).toEqual([often])
  })

  it('is a failure where a property that starts no git was run too seldom', () => {
    expect(shortfallsOf([often, withGit], { areAll: false })).toEqual([])
    expect(shortfallsOf([often, seldom], { areAll: false })).toEqual([
      expect.objectContaining({ outcome: 'failed', message: expect.stringContaining('999 times instead of 1000') }),
    ])
  })

  it('is a failure where a property that was run seldom did not start git in each run', () => {
    const once = { ...withGit, programs: withGit.runs - 1 }
    expect(shortfallsOf([once], { areAll: false })).toHaveLength(1)
    expect(shortfallsOf([{ ...withGit, programs: withGit.runs }], { areAll: false })).toEqual([])
    expect(countsOf([once])).toMatchObject({ propertiesWithGit: 0 })
  })

  it('is a failure where there are too few properties, unless files were named', () => {
    const few = Array.from({ length: PROPERTIES_MIN - 1 }, () => often)
    expect(shortfallsOf(few, { areAll: false })).toEqual([])
    expect(shortfallsOf(few, { areAll: true })).toHaveLength(1)
    expect(shortfallsOf([...few, often], { areAll: true })).toEqual([])
  })

  it('says how many there were, and which were run seldom', () => {
    const all = [often, withGit, seldom]
    const counts = { propertiesRun: 3, propertiesOften: 1, propertiesWithGit: 1, runsOfAll: 2_011 }
    expect(countsOf(all)).toEqual(counts)
    const text = describeCounts(all, 5)
    expect(text).toMatch(/C git takes it +│ +12 │ starts git 60 times/)
    expect(text).toMatch(/it holds +│ +999 │ NOT ENOUGH/)
    expect(text).toContain('3 properties with seed 5: 1 with 1,000 runs and more, 1 with fewer')
  })
})

import { expect, it } from 'vitest'
import { CHECKS, type CheckId, isLong } from './checks.ts'
import { CRITERIA, QUICK_CRITERIA } from './criteria.ts'
import { type Evidence, exitCodeOf } from './evidence.ts'
import { caseOf, judge } from './report.ts'

const evidence = (id: string, outcome: Evidence['outcome']): Evidence => ({
  id,
  outcome,
  command: '',
  seed: 1,
  executed: 1,
  failed: outcome === 'failed' ? 1 : 0,
  duration_s: 0,
  failures: [],
  notes: [],
})

const ALL = Object.keys(CHECKS).map((id) => evidence(id, 'passed'))

it.each(Object.keys(CHECKS))('%s shows a criterion, so that its failure decides something', (id) => {
  expect(CRITERIA.filter(({ checks }) => checks.some((check) => check === id))).not.toEqual([])
})

it('every criterion is proved where every check passed, and failed or not shown where one did not', () => {
  expect(new Set(judge(CRITERIA, ALL).map(({ outcome }) => outcome))).toEqual(new Set(['proved']))
  const of = (outcome: Evidence['outcome']): string[] =>
    judge(
      CRITERIA,
      ALL.map((one) => (one.id === 'readiness' ? evidence(one.id, outcome) : one)),
    )
      .filter((verdict) => verdict.outcome !== 'proved')
      .map((verdict) => `${verdict.id} ${verdict.outcome}, counted as ${caseOf(verdict).outcome}`)
  expect(of('failed')).toEqual(['S6 failed, counted as failed'])
  expect(of('missing')).toEqual(['S6 not shown, counted as skipped'])
})

it('the quick gate asks for nothing that it does not run', () => {
  const quick = ALL.filter(({ id }) => !isLong(CHECKS[id as CheckId]))
  expect(new Set(judge(QUICK_CRITERIA, quick).map(({ outcome }) => outcome))).toEqual(new Set(['proved']))
  const leftOut = judge(CRITERIA, quick).filter(({ outcome }) => outcome !== 'proved')
  expect(leftOut.map(({ id, outcome }) => `${id} ${outcome}`)).toEqual(['G1 not shown', 'G2 not shown', 'G3 not shown'])
})

it('what failed and is of no criterion fails the gate, and what passed changes nothing', () => {
  const verdicts = judge(CRITERIA, [...ALL, evidence('stray', 'failed'), evidence('other', 'passed')])
  expect(verdicts.slice(CRITERIA.length)).toMatchObject([{ outcome: 'failed', evidence: [{ id: 'stray' }] }])
})

it('says that a tool is missing only where nothing failed', () => {
  expect(exitCodeOf({ failed: false, missing: true, otherwise: 1 })).toBe(3)
  expect(exitCodeOf({ failed: true, missing: true, otherwise: 1 })).toBe(1)
  expect(exitCodeOf({ failed: false, missing: false, otherwise: 0 })).toBe(0)
})

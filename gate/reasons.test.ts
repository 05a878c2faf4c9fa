import { expect, it } from 'vitest'
import type { Evidence } from './evidence.ts'
import { judgeProof } from './reasons.ts'

const TITLE = 'GUTS_X is counted once'

function failing(...messages: readonly string[]): Evidence {
  const failures = messages.map((message) => ({ title: TITLE, message }))
  const counts = { executed: messages.length, failed: messages.length, duration_s: 0 }
  return { id: 'x', outcome: 'failed', command: '', seed: 1, ...counts, failures, notes: [] }
}

it.each([
  { why: 'the assertion', says: /expected 2 to be 1/, messages: ['AssertionError: expected 2 to be 1'] },
  { why: 'one of several', says: /to be 1/, messages: ['TypeError: x is no function', 'expected 2 to be 1'] },
  { why: 'an accident that is meant', says: /timed out/, messages: ['Error: Test timed out in 30000ms.'] },
])('$why is the right reason', ({ says, messages }) => {
  expect(judgeProof(failing(...messages), says).outcome).toBe('caught')
})

it.each([
  { why: 'a title', says: /counted once/, messages: ['AssertionError: expected 2 to be 1'] },
  { why: 'a line of the stack', says: /metrics/, messages: ['Error: no\n    at test (/tmp/metrics.test.ts:1:2)'] },
  { why: 'an accident', says: /down/, messages: ["TypeError: Cannot read 'down'"] },
  { why: 'time', says: /status/, messages: ['Error: Test timed out in 30000ms, status 1'] },
  { why: 'nothing at all', says: /x/, messages: [] },
])('$why is a wrong reason', ({ says, messages }) => {
  expect(judgeProof(failing(...messages), says).outcome).toBe('wrong reason')
})

it('output proves nothing, and neither does what passed or was not tried', () => {
  const output = { ...failing('AssertionError: no'), notes: ['the bytes agree'] }
  expect(judgeProof(output, /bytes/).outcome).toBe('wrong reason')
  expect(judgeProof({ ...failing(), outcome: 'passed' }, /x/).outcome).toBe('blind')
  expect(judgeProof({ ...failing(), outcome: 'missing' }, /x/).outcome).toBe('missing')
})

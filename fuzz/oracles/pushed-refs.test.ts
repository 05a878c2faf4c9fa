import { AssertionError } from 'node:assert'
import { describe, expect, it } from 'vitest'
import type { PushRequest } from '../../src/git/protocol/push-request.ts'
import { checkRefs } from './pushed-refs.ts'

const [A, B, C] = ['a', 'b', 'c'].map((digit) => digit.repeat(40)) as [string, string, string]
const BEFORE = new Map([
  ['refs/heads/main', A],
  ['refs/heads/side', B],
])
const AFTER = new Map([
  ['refs/heads/main', C],
  ['refs/heads/side', B],
])

function push(oldOid: string | undefined, newOid: string | undefined, ...capabilities: string[]): PushRequest {
  const commands = [{ ref: 'refs/heads/main', oldOid, newOid }]
  return { commands, capabilities: new Map(capabilities.map((one) => [one, ''])), options: 0 }
}

describe('what refs may be after a push', () => {
  const done = { unpackError: undefined, refused: [undefined] }
  const refused = { unpackError: undefined, refused: ['stale'] }

  it.each([
    { name: 'with a report, what it says', request: push(A, C, 'report-status'), report: done, after: AFTER },
    { name: 'with a refusal, what they were', request: push(B, C, 'report-status'), report: refused, after: BEFORE },
    { name: 'told that nothing was taken, what they were', request: push(A, C, 'report-status'), after: BEFORE },
    { name: 'without a report, what the command says', request: push(A, C), after: AFTER },
    { name: 'without a report, what they were', request: push(B, C), after: BEFORE },
  ])('is $name', ({ request, report, after }) => {
    checkRefs(BEFORE, after, request, report)
  })

  it.each([
    { name: 'not as reported', request: push(A, C, 'report-status'), report: done, after: BEFORE },
    { name: 'changed against a refusal', request: push(A, C, 'report-status'), report: refused, after: AFTER },
    { name: 'changed, and the client told that nothing was', request: push(A, C, 'report-status-v2'), after: AFTER },
    { name: 'changed to what nobody asked for', request: push(A, B), after: AFTER },
    { name: 'changed from what the pusher did not know', request: push(B, C), after: AFTER },
    { name: 'more than were pushed', request: push(A, C), after: new Map([...AFTER, ['refs/heads/x', A]]) },
    { name: 'fewer than were pushed', request: push(A, C), after: new Map([['refs/heads/main', C]]) },
  ])('is not $name', ({ request, report, after }) => {
    expect(() => checkRefs(BEFORE, after, request, report)).toThrow(AssertionError)
  })
})

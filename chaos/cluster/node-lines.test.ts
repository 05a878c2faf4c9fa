import { expect, it } from 'vitest'
import { linesOf } from './node-lines.ts'

it('reads the lines of all lives in order of time, and passes over half a line', () => {
  const line = (ms: number, msg: string): string => `${JSON.stringify({ time: new Date(ms).toISOString(), msg })}\n`
  const killed = { stdout: `${line(1_030, 'c')}{"time":"2026`, stderr: line(1_010, 'a') }
  const later = { stdout: line(1_020, 'b'), stderr: '' }
  const lines = linesOf([killed, later], 1_000)
  expect(lines.map(({ atMs, fields }) => [atMs, fields['msg']])).toEqual([
    [10, 'a'],
    [20, 'b'],
    [30, 'c'],
  ])
})

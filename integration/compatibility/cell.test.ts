import { describe, expect, it } from 'vitest'
import { type Cell, judge, type Visit } from './cell.ts'

const done: Visit = { end: 'done', said: '', isUsed: true, state: { clone: 'a', repository: 'b' } }
const unused: Visit = { ...done, isUsed: false }
const lacks: Visit = { ...unused, end: 'lacks', said: 'it has none', state: {} }
const failed: Visit = { ...lacks, end: 'failed', said: 'it broke' }
const other: Visit = { ...done, state: { clone: 'a', repository: 'another' } }
const refused: Visit = { ...done, said: 'go away' }

describe('what two visits come to', () => {
  it.each<{ name: string; guts: Visit; twin: Visit; cell: Cell }>([
    { name: 'the same', guts: done, twin: done, cell: { outcome: 'works' } },
    {
      name: 'a refusal, in the words of each',
      guts: refused,
      twin: { ...refused, said: 'no' },
      cell: { outcome: 'works', refusal: 'go away' },
    },
    { name: 'the same, without the capability', guts: unused, twin: unused, cell: { outcome: 'unused' } },
    { name: 'no such feature', guts: lacks, twin: lacks, cell: { outcome: 'lacks', note: 'it has none' } },
    { name: 'failures', guts: failed, twin: failed, cell: { outcome: 'fails at both', note: 'it broke' } },
    { name: 'a failure there', guts: done, twin: failed, cell: { outcome: 'only here', note: 'it broke' } },
    { name: 'a failure here', guts: failed, twin: done, cell: { outcome: 'fails here', note: 'it broke' } },
    { name: 'a lack here', guts: lacks, twin: done, cell: { outcome: 'fails here', note: 'it has none' } },
    {
      name: 'another end here',
      guts: other,
      twin: done,
      cell: { outcome: 'fails here', note: 'ends with another repository' },
    },
    {
      name: 'a capability that is offered there alone',
      guts: unused,
      twin: done,
      cell: { outcome: 'fails here', note: 'is asked for at one of the two' },
    },
    {
      name: 'a capability that is offered here alone',
      guts: done,
      twin: unused,
      cell: { outcome: 'only here', note: 'is asked for at one of the two' },
    },
  ])('$name', ({ guts, twin, cell }) => {
    expect(judge(guts, twin)).toEqual(cell)
  })
})

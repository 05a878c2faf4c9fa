import { describe, expect, it } from 'vitest'
import { emptyHistory, type FailedRead, type Fault, type History, NODES, type Read } from '../history.ts'
import { checkAnswers } from './answers.ts'
import { REPOSITORY } from './testing.ts'

const kill: Fault = {
  action: { kind: 'kill', node: 'home', during: 'push', afterMs: 5 },
  beganMs: 1_000,
  endedMs: 5_000,
  effect: undefined,
}
const cut: Fault = { ...kill, action: { kind: 'cut', link: 'home--mirror-1' } }

function found(history: Partial<History>): string[] {
  return checkAnswers({ ...emptyHistory(), ...history }, [REPOSITORY]).map(({ text }) => text)
}

describe('a read that failed', () => {
  const failed = (more: Partial<FailedRead>): FailedRead => {
    const usual = { kind: 'failed', problem: 'ECONNREFUSED', beganMs: 2_000, endedMs: 2_001 } as const
    return { node: 'home', repository: REPOSITORY, ...usual, ...more }
  }
  it.each([
    { name: 'is a finding', read: failed({}), faults: [], count: 1 },
    { name: 'of who was killed is none', read: failed({}), faults: [kill], count: 0 },
    {
      name: 'that was broken off by the kill is none',
      read: failed({ beganMs: 900, endedMs: 1_001 }),
      faults: [kill],
      count: 0,
    },
    {
      name: 'of who was killed and does not run again is none',
      read: failed({}),
      faults: [{ ...kill, endedMs: undefined }],
      count: 0,
    },
    { name: 'before the kill is one', read: failed({ beganMs: 900, endedMs: 999 }), faults: [kill], count: 1 },
    {
      name: 'after the node runs again is one',
      read: failed({ beganMs: 5_001, endedMs: 5_002 }),
      faults: [kill],
      count: 1,
    },
    { name: 'of another node than was killed is one', read: failed({ node: 'mirror-2' }), faults: [kill], count: 1 },
    { name: 'of who is cut off is one', read: failed({}), faults: [cut], count: 1 },
    {
      name: 'with half a list is one, also of who was killed',
      read: failed({ kind: 'malformed' }),
      faults: [kill],
      count: 1,
    },
    { name: 'for too much work is none', read: failed({ kind: 'overload' }), faults: [], count: 0 },
  ])('$name', ({ read, faults, count }) => {
    const about = found({ failedReads: [read], faults }).filter((text) => text.includes('failed'))
    expect(about).toHaveLength(count)
  })
})

describe('during a fault', () => {
  const read = (node: Read['node'], beganMs: number, by: Read['by'] = 'list'): Read => {
    return { by, node, repository: REPOSITORY, beganMs, endedMs: beganMs + 10, refs: {} }
  }
  it.each([
    { name: 'everybody lists', reads: NODES.map((node) => read(node, 2_000)), faults: [cut], missing: [] },
    {
      name: 'one does not',
      reads: [read('home', 2_000), read('mirror-2', 2_000)],
      faults: [cut],
      missing: ['mirror-1'],
    },
    {
      name: 'one did before',
      reads: [...NODES.slice(1).map((node) => read(node, 2_000)), read('home', 900)],
      faults: [cut],
      missing: ['home'],
    },
    {
      name: 'one was cloned from',
      reads: [...NODES.slice(1).map((node) => read(node, 2_000)), read('home', 2_000, 'clone')],
      faults: [cut],
      missing: ['home'],
    },
    { name: 'one is killed', reads: NODES.slice(1).map((node) => read(node, 2_000)), faults: [kill], missing: [] },
    { name: 'it is over at once', reads: [], faults: [{ ...cut, endedMs: 1_500 }], missing: [] },
  ])('$name', ({ reads, faults, missing }) => {
    expect(found({ reads, faults })).toEqual(missing.map((node) => `${node} listed nothing from 1000 to 5000 ms`))
  })
})

it('demands a list and a clone of everything from everybody after healing', () => {
  const reads = NODES.map((node): Read => {
    return { by: 'list', node, repository: REPOSITORY, beganMs: node === 'home' ? 99 : 100, endedMs: 110, refs: {} }
  })
  const clones = NODES.map((node) => {
    return { node, repository: REPOSITORY, beganMs: node === 'mirror-1' ? 99 : 100, endedMs: 110, problem: undefined }
  })
  expect(found({ reads, clones, healedMs: 100 })).toEqual([
    'home did not list ants after healing',
    'Nobody cloned ants from mirror-1 after healing',
  ])
  expect(found({ reads, clones })).toEqual([])
})

import { describe, expect, it } from 'vitest'
import { type CircuitChange, emptyHistory, type Fault, type History } from '../history.ts'
import { checkAll, checkSafety, condense } from './check.ts'
import { checkCircuits } from './circuits.ts'
import { checkConvergence, convergenceOf } from './convergence.ts'
import { goodHistory, MAIN, REPOSITORY } from './testing.ts'
import type { Finding } from './finding.ts'
import { checkWhole } from './whole.ts'
import { checkWork } from './work.ts'

const kill: Fault = {
  action: { kind: 'kill', node: 'mirror-1', during: 'apply', afterMs: 5 },
  beganMs: 1_000,
  endedMs: 3_000,
  effect: 'a pack lay there half taken',
}

const texts = (findings: readonly { readonly text: string }[]): string[] => findings.map(({ text }) => text)

describe('convergence', () => {
  it('is measured from healing to the first of the last right answers', () => {
    const { history } = goodHistory()
    expect(convergenceOf(history, REPOSITORY)).toEqual([
      { mirror: 'mirror-1', repository: REPOSITORY, afterMs: 20 },
      { mirror: 'mirror-2', repository: REPOSITORY, afterMs: 20 },
    ])
    expect(checkConvergence(history, REPOSITORY, 20)).toEqual([])
    expect(texts(checkConvergence(history, REPOSITORY, 19))).toEqual([
      'mirror-1, ants: it took 20 ms to list what the home lists; 19 ms are allowed',
      'mirror-2, ants: it took 20 ms to list what the home lists; 19 ms are allowed',
    ])
  })

  it.each([
    { name: 'a mirror that never gets there', refs: { [MAIN]: 'a2' } },
    { name: 'a mirror that has a ref too many', refs: { extra: 'x' } },
  ])('catches $name', ({ refs }) => {
    const maker = goodHistory()
    maker.read('mirror-2', { ...maker.history.reads.at(-1)?.refs, ...refs }, [125, 128])
    expect(texts(checkConvergence(maker.history, REPOSITORY, 1_000))).toEqual([
      'mirror-2, ants: it never listed what the home lists in the end',
    ])
  })

  it('catches a mirror that lacks a ref', () => {
    const maker = goodHistory()
    const { [MAIN]: _lacking, ...rest } = maker.history.reads.at(-1)?.refs ?? {}
    maker.read('mirror-2', rest, [125, 128])
    expect(checkConvergence(maker.history, REPOSITORY, 1_000)).toHaveLength(1)
  })

  it('catches a mirror that answers no more, though it listed what the home lists before', () => {
    const { history } = goodHistory()
    const reads = history.reads.map((read) =>
      read.node === 'mirror-1' && read.beganMs > 100 ? { ...read, beganMs: 90 } : read,
    )
    expect(texts(checkConvergence({ ...history, reads }, REPOSITORY, 1_000))).toEqual([
      'mirror-1, ants: it never listed what the home lists in the end',
    ])
  })

  it('catches a home that answers no more, though its mirrors list what it listed before', () => {
    const { history } = goodHistory()
    const reads = history.reads.map((read) =>
      read.node === 'home' && read.beganMs > 100 ? { ...read, beganMs: 90 } : read,
    )
    expect(checkConvergence({ ...history, reads }, REPOSITORY, 1_000)).toHaveLength(2)
  })
})

describe('whole', () => {
  const clone = {
    node: 'mirror-1',
    repository: REPOSITORY,
    beganMs: 500,
    endedMs: 900,
    problem: { kind: 'transfer', text: 'missing blob' },
  } as const
  const broken = { ...clone, problem: { kind: 'fsck', text: 'missing blob' } } as const
  it.each([
    { name: 'a clone that lacks an object', history: { clones: [clone] }, count: 1 },
    {
      name: 'a clone that failed before its node was killed',
      history: { clones: [clone], faults: [kill] },
      count: 1,
    },
    { name: 'a damaged disk', history: { fscks: [{ ...clone, problem: 'broken link' }] }, count: 1 },
    { name: 'nothing in a whole clone', history: { clones: [{ ...clone, problem: undefined }] }, count: 0 },
    {
      name: 'nothing in a clone whose node was killed meanwhile',
      history: { clones: [{ ...clone, endedMs: 1_001 }], faults: [kill] },
      count: 0,
    },
    {
      name: 'a clone that is not whole, though its node was killed meanwhile',
      history: { clones: [{ ...broken, endedMs: 1_001 }], faults: [kill] },
      count: 1,
    },
    {
      name: 'a clone that did not end, though its node was killed meanwhile',
      history: {
        clones: [{ ...clone, problem: { kind: 'time-out', text: '' } as const, endedMs: 31_000 }],
        faults: [kill],
      },
      count: 1,
    },
    {
      name: 'a clone that failed while another node was away',
      history: { clones: [{ ...clone, node: 'mirror-2' as const, endedMs: 1_001 }], faults: [kill] },
      count: 1,
    },
  ])('finds $name', ({ history, count }) => {
    expect(checkWhole({ ...emptyHistory(), ...history })).toHaveLength(count)
  })
})

describe('circuits', () => {
  const change = (atMs: number, from: string, to: string): CircuitChange => {
    return { node: 'mirror-1', peer: 'home', from, to, atMs, why: '' }
  }
  const opened = change(5_000, 'closed', 'open')
  const healed = [opened, change(21_000, 'open', 'half_open'), change(21_100, 'half_open', 'closed')]
  const of = (circuits: CircuitChange[], more: Partial<History> = {}): History => {
    return { ...emptyHistory(), circuits, healedMs: 30_000, ...more }
  }

  it.each([
    { name: 'nothing when it opened and closed', history: of(healed), found: [] },
    { name: 'one that never opened', history: of([]), found: ['mirror-1 never opened its circuit to the home'] },
    {
      name: 'one that never closed',
      history: of([opened]),
      found: [
        'mirror-1 never closed its circuit to the home again',
        'In the end the circuit of mirror-1 to home is open',
      ],
    },
    {
      name: 'one that stays half open',
      history: of([...healed, opened, change(25_000, 'open', 'half_open')]),
      found: ['In the end the circuit of mirror-1 to home is half open'],
    },
  ])('finds $name', ({ history, found }) => {
    expect(texts(checkCircuits(history, ['mirror-1']))).toEqual(found)
  })

  it('takes the circuits of a new process for closed', () => {
    const history = of([change(1_500, 'closed', 'open')], { faults: [kill] })
    expect(checkCircuits(history, [])).toEqual([])
  })
})

describe('work', () => {
  it('finds that nothing was done', () => {
    const found = texts(checkWork(emptyHistory(), [REPOSITORY], 2))
    expect(found).toEqual([
      'Only 0 pushes were acknowledged',
      'The home refused nobody who raced: nothing shows that two did',
      'Only 0 clones succeeded',
      'Only 0 of 2 faults were injected',
      'ants was never read at home',
      'ants was never read at mirror-1',
      'ants was never read at mirror-2',
    ])
  })

  const cut: Fault = { ...kill, action: { kind: 'cut', link: 'home--mirror-1' }, effect: 'silence' }
  it.each([
    { name: 'nothing where each was seen', faults: [cut, kill], found: [] },
    {
      name: 'a fault of which nothing was seen',
      faults: [cut, { ...cut, effect: undefined }],
      found: ['At 1000 ms: home--mirror-1 cut, and nothing was seen of it'],
    },
    {
      name: 'nothing where half of the kills met something',
      faults: [kill, { ...kill, effect: undefined }],
      found: [],
    },
    {
      name: 'kills of which most met nothing',
      faults: [kill, { ...kill, effect: undefined }, { ...kill, effect: undefined }],
      found: ['Only 1 of 3 kills met what they were meant for'],
    },
    { name: 'nothing of a fault that lasts', faults: [{ ...cut, endedMs: undefined, effect: undefined }], found: [] },
  ])('finds $name', ({ faults, found }) => {
    const about = texts(checkWork({ ...emptyHistory(), faults }, [], 0)).filter((text) => /seen|kills/.test(text))
    expect(about).toEqual(found)
  })

  it('finds how nodes ended', () => {
    const exits = [
      { node: 'home', exitCode: 0 },
      { node: 'mirror-1', exitCode: 1 },
      { node: 'mirror-2', exitCode: null },
    ] as const
    const found = texts(checkWork({ ...emptyHistory(), exits: [...exits] }, [], 0))
    expect(found.filter((text) => text.includes('told to stop'))).toEqual([
      'mirror-1 was told to stop, and ended with 1',
      'mirror-2 was told to stop, and had to be killed',
    ])
  })

  it('finds what nodes complain of', () => {
    const complaints = [{ node: 'home', atMs: 5, message: 'The disk is on fire' } as const]
    expect(texts(checkWork({ ...emptyHistory(), complaints }, [], 0))).toContain(
      'home logged an error: The disk is on fire',
    )
  })
})

it('asks all checkers', () => {
  const { history } = goodHistory()
  history.reads.push({ by: 'list', node: 'home', repository: REPOSITORY, beganMs: 140, endedMs: 150, refs: {} })
  history.fscks.push({ node: 'home', repository: REPOSITORY, problem: 'broken link' })
  const scenario = { name: '', why: '', faults: [], pushS: 1, convergeS: 1, circuitsOf: ['mirror-1'] } as const
  const found = new Set(checkAll(history, [REPOSITORY], scenario, 0).map(({ promise }) => promise))
  history.reads.push({
    by: 'clone',
    node: 'mirror-1',
    repository: REPOSITORY,
    beganMs: 160,
    endedMs: 170,
    refs: { ghost: 'x' },
  })
  const more = new Set(checkAll(history, [REPOSITORY], scenario, 0).map(({ promise }) => promise))
  expect([...found]).toEqual(['I1', 'I2', 'I6', 'answers', 'circuits', 'work'])
  expect([...more]).toContain('I5')
  // What has to come in time is not asked of a run that was broken off.
  expect(new Set(checkSafety(history, [REPOSITORY]).map(({ promise }) => promise))).toEqual(new Set(['I1', 'I2', 'I5']))
})

it('tells once what is the same, and of each promise not more than people read', () => {
  const finding = (promise: 'I1' | 'I5', text: string): Finding => ({ promise, atMs: 1, text })
  const many = Array.from({ length: 25 }, (_, at) => finding('I5', `read ${at % 13}`))
  const told = condense([...many, finding('I1', 'lost'), finding('I1', 'lost')])
  expect(texts(told)).toEqual([
    'lost',
    ...Array.from({ length: 10 }, (_, at) => `read ${at}`),
    'and 3 more of this kind',
  ])
})

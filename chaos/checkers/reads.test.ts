import { describe, expect, it } from 'vitest'
import type { Push } from '../history.ts'
import { checkHomeReads } from './home-reads.ts'
import { checkMirrorReads } from './mirror-reads.ts'
import { goodHistory, HistoryMaker, LEFT, MAIN, REPOSITORY, RIGHT, SHARED } from './testing.ts'

const ALL = { [MAIN]: 'a3', [LEFT]: 'a2', [RIGHT]: 'a2', [SHARED]: 's1' }

function found(maker: HistoryMaker): string[] {
  const all = [...checkHomeReads(maker.history, REPOSITORY), ...checkMirrorReads(maker.history, REPOSITORY)]
  return all.map(({ promise, text }) => `${promise}: ${text}`)
}

describe('nothing is found', () => {
  it.each([
    { name: 'where all went well', maker: goodHistory() },
    { name: 'where nobody did anything', maker: new HistoryMaker() },
    {
      name: 'where a push in doubt had arrived, and the next one built on it',
      maker: goodHistory()
        .push({ [MAIN]: ['a3', 'a4'] }, [140, 150], { outcome: 'unknown' })
        .read('home', { ...ALL, [MAIN]: 'a4' }, [152, 154])
        .push({ [MAIN]: ['a4', 'a5'] }, [160, 170]),
    },
    {
      name: 'where a push in doubt had not arrived, and another one took its place',
      maker: goodHistory()
        .push({ [MAIN]: ['a3', 'lost'] }, [140, 150], { outcome: 'unknown' })
        .read('home', ALL, [152, 154])
        .push({ [MAIN]: ['a3', 'a4'] }, [160, 170])
        .read('mirror-1', { ...ALL, [MAIN]: 'a4' }, [172, 174]),
    },
    {
      name: 'where a push in doubt is seen by nobody, but is what an acknowledged one replaced',
      maker: goodHistory()
        .push({ [MAIN]: ['a3', 'a4'] }, [140, 150], { outcome: 'unknown' })
        .push({ [MAIN]: ['a4', 'a5'] }, [160, 170])
        .read('home', { ...ALL, [MAIN]: 'a5' }, [172, 174]),
    },
    {
      name: 'where a read sees a push that is still under way',
      maker: goodHistory()
        .push({ [MAIN]: ['a3', 'a4'] }, [140, 200])
        .read('home', { ...ALL, [MAIN]: 'a4' }, [150, 160])
        .read('mirror-1', { ...ALL, [MAIN]: 'a4' }, [150, 160]),
    },
    {
      name: 'where two reads at once see it and do not',
      maker: goodHistory()
        .push({ [MAIN]: ['a3', 'a4'] }, [140, 200])
        .read('home', { ...ALL, [MAIN]: 'a4' }, [150, 170])
        .read('home', ALL, [160, 180]),
    },
    {
      name: 'where of two who raced one lost',
      maker: goodHistory()
        .push({ [SHARED]: ['s1', 's2'] }, [140, 150], { pusher: 'q' })
        .push({ [SHARED]: ['s1', 'other'] }, [140, 150], { outcome: 'refused' })
        .read('home', { ...ALL, [SHARED]: 's2' }, [152, 154]),
    },
    {
      name: 'where refs are deleted',
      maker: goodHistory()
        .push({ [MAIN]: ['a3', 'a4'], [LEFT]: ['a2', undefined] }, [140, 150])
        .read('home', { [MAIN]: 'a4', [RIGHT]: 'a2', [SHARED]: 's1' }, [152, 154])
        .read('mirror-2', { [MAIN]: 'a4', [RIGHT]: 'a2', [SHARED]: 's1' }, [152, 154]),
    },
  ])('$name', ({ maker }) => {
    expect(found(maker)).toEqual([])
  })
})

describe('the home is caught', () => {
  it.each([
    {
      name: 'losing what it acknowledged',
      maker: goodHistory().read('home', { ...ALL, [MAIN]: 'a2' }, [140, 150]),
      first: /^I1: home, ants: a3 of refs\/heads\/p\/main was acknowledged at 70 ms, and a read shows a2$/,
    },
    {
      name: 'losing a ref altogether',
      maker: goodHistory().read('home', { [MAIN]: 'a3', [LEFT]: 'a2', [RIGHT]: 'a2' }, [140, 150]),
      first: /^I1: .* s1 of refs\/heads\/shared was acknowledged .* a read shows nothing$/,
    },
    {
      name: 'going back from what was in doubt and seen',
      maker: goodHistory()
        .push({ [MAIN]: ['a3', 'a4'] }, [140, 150], { outcome: 'unknown' })
        .read('home', { ...ALL, [MAIN]: 'a4' }, [152, 154])
        .read('home', ALL, [156, 158]),
      first: /^I3: .*went back to a3$/,
    },
    {
      name: 'taking both of two who raced',
      maker: goodHistory()
        .push({ [SHARED]: ['s1', 's2'] }, [140, 150], { pusher: 'q' })
        .push({ [SHARED]: ['s1', 's3'] }, [140, 150]),
      first: /^I3: ants refs\/heads\/shared: q and p both changed it from s1$/,
    },
    {
      name: 'taking a push from a value that never was',
      maker: goodHistory().push({ [MAIN]: ['dream', 'a4'] }, [140, 150]),
      first: /^I3: .*a push from dream was acknowledged, which it never was$/,
    },
    {
      name: 'taking what it refused',
      maker: goodHistory()
        .push({ [MAIN]: ['a3', 'a4'] }, [140, 150], { outcome: 'refused' })
        .read('home', { ...ALL, [MAIN]: 'a4' }, [152, 154]),
      first: /^I3: home, ants: a read has refs\/heads\/p\/main at a4, which no push that was taken made it$/,
    },
    {
      name: 'taking half of an atomic push',
      maker: goodHistory()
        .push({ [MAIN]: ['a3', 'a4'], [LEFT]: ['a2', 'a4'], [RIGHT]: ['a2', 'a4'] }, [140, 150])
        .read('home', { ...ALL, [MAIN]: 'a4', [LEFT]: 'a4' }, [152, 154]),
      first: /^I3: .*at a4, but refs\/heads\/p\/right at a2 and not a4$/,
    },
    {
      name: 'making up a ref',
      maker: goodHistory().read('home', { ...ALL, 'refs/heads/ghost': 'x' }, [140, 150]),
      first: /^I3: home, ants: a read has refs\/heads\/ghost, which nobody pushed$/,
    },
    {
      name: 'showing a value before it was pushed',
      maker: goodHistory()
        .read('home', { ...ALL, [MAIN]: 'a4' }, [140, 150])
        .push({ [MAIN]: ['a3', 'a4'] }, [160, 170]),
      first: /^I3: .*was a4 before anybody pushed that$/,
    },
    {
      name: 'putting a later push before an earlier one',
      maker: goodHistory()
        .push({ [MAIN]: ['a4', 'a5'] }, [140, 150])
        .push({ [MAIN]: ['a3', 'a4'] }, [160, 170]),
      first: /^I3: ants refs\/heads\/p\/main: a5 was acknowledged before a push began that it comes after$/,
    },
  ])('$name', ({ maker, first }) => {
    expect(found(maker)[0]).toMatch(first)
  })
})

describe('a mirror is caught', () => {
  const half: Push['outcome'] = 'unknown'
  it.each([
    {
      name: 'going back',
      maker: goodHistory().read('mirror-1', { [MAIN]: 'a2', [LEFT]: 'a2', [RIGHT]: 'a2' }, [140, 150]),
      first: /^I5: mirror-1, ants: .*went back to a2$/,
    },
    {
      name: 'showing half of an atomic push',
      maker: goodHistory().read('mirror-2', { [MAIN]: 'a2', [LEFT]: 'a2' }, [56, 58]),
      first:
        /^I5: mirror-2, ants: a read has refs\/heads\/p\/main at a2, but refs\/heads\/p\/right at nothing and not a2$/,
    },
    {
      name: 'showing what the home never had',
      maker: goodHistory().read('mirror-1', { ...ALL, [MAIN]: 'ghost' }, [140, 150]),
      first: /^I5: mirror-1, ants: a read has .* at ghost, which no push that was taken made it$/,
    },
    {
      name: 'showing a later push without an earlier one',
      maker: goodHistory().read('mirror-2', { [MAIN]: 'a1', [SHARED]: 's1' }, [56, 58]),
      first: /^I5: mirror-2, ants: it shows a push that began at 40 ms, and not a2 of .*, acknowledged at 30 ms$/,
    },
    {
      name: 'showing another order than the home showed, of two pushes at one time',
      maker: goodHistory()
        .push({ [MAIN]: ['a3', 'a4'] }, [140, 190])
        .push({ [SHARED]: ['s1', 's2'] }, [140, 190], { pusher: 'q' })
        .read('home', { ...ALL, [MAIN]: 'a4' }, [150, 152])
        .read('mirror-1', { ...ALL, [SHARED]: 's2' }, [154, 156]),
      first: /^I5: mirror-1, ants: what it lists and what home listed at 152 ms cannot both have been so/,
    },
    {
      name: 'keeping what its home lost',
      maker: goodHistory()
        .push({ [MAIN]: ['a3', 'a4'] }, [140, 150], { outcome: half })
        .read('mirror-1', { ...ALL, [MAIN]: 'a4' }, [152, 154])
        .read('home', ALL, [156, 158])
        .push({ [MAIN]: ['a3', 'b4'] }, [160, 170])
        .read('home', { ...ALL, [MAIN]: 'b4' }, [172, 174]),
      first: /^I3: ants refs\/heads\/p\/main: p and p both changed it from a3$/,
    },
    {
      name: 'showing a value before it was pushed',
      maker: goodHistory()
        .read('mirror-1', { ...ALL, [MAIN]: 'a4' }, [140, 150])
        .push({ [MAIN]: ['a3', 'a4'] }, [160, 170]),
      first: /^I5: mirror-1, ants: .*was shown before anybody pushed that$/,
    },
  ])('$name', ({ maker, first }) => {
    expect(found(maker)[0]).toMatch(first)
  })
})

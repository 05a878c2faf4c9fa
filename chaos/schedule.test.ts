import { describe, expect, it } from 'vitest'
import { LINK_NAMES } from './history.ts'
import { scheduleOf } from './schedule.ts'
import { SCENARIOS, SMOKE } from './scenarios.ts'

const ALL = [...SCENARIOS, SMOKE]
const SEEDS = [0, 1, 2, 7, 11, 2 ** 32 - 1]

describe.each(ALL)('the schedule of $name', (scenario) => {
  it.each(SEEDS)('is the same each time for seed %i, and in order', (seed) => {
    const schedule = scheduleOf(scenario, seed)
    expect(scheduleOf(scenario, seed)).toEqual(schedule)
    expect(schedule.map(({ atMs }) => atMs)).toEqual(schedule.map(({ atMs }) => atMs).toSorted((a, b) => a - b))
    expect(schedule.length).toBeGreaterThan(0)
  })

  it('is another one for another seed', () => {
    const different = new Set(SEEDS.map((seed) => JSON.stringify(scheduleOf(scenario, seed))))
    expect(different.size).toBe(SEEDS.length)
  })

  it.each(SEEDS)('draws within its ranges, and heals before pushing ends (seed %i)', (seed) => {
    for (const { atMs, forMs } of scheduleOf(scenario, seed)) {
      expect(atMs).toBeGreaterThanOrEqual(Math.min(...scenario.faults.map(({ atS }) => atS[0])) * 1_000)
      expect(forMs).toBeLessThanOrEqual(Math.max(...scenario.faults.map(({ forS }) => forS[1])) * 1_000)
      expect(atMs + forMs).toBeLessThanOrEqual(scenario.pushS * 1_000)
    }
  })

  it.each(SEEDS)('does nothing to a place where something is done already (seed %i)', (seed) => {
    const lastEndMs = new Map<string, number>()
    for (const { atMs, forMs, action } of scheduleOf(scenario, seed)) {
      const place = action.kind === 'kill' ? action.node : action.link
      expect(atMs).toBeGreaterThanOrEqual(lastEndMs.get(place) ?? 0)
      lastEndMs.set(place, atMs + forMs)
    }
  })
})

it('covers each kind of fault, every link and every node', () => {
  const actions = SCENARIOS.flatMap((scenario) => scheduleOf(scenario, 1)).map(({ action }) => action)
  expect(new Set(actions.map(({ kind }) => kind))).toEqual(new Set(['slow', 'black-hole', 'cut', 'reset', 'kill']))
  const places = new Set(actions.map((action) => (action.kind === 'kill' ? action.node : action.link)))
  expect(places).toEqual(new Set([...LINK_NAMES, 'home', 'mirror-1', 'mirror-2']))
})

it('names each scenario once', () => {
  expect(new Set(ALL.map(({ name }) => name)).size).toBe(ALL.length)
})

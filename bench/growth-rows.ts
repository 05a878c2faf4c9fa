/** What is said of costs that were measured at several sizes. */
import type { Row } from './row.ts'

type Point = readonly [size: number, timeMs: number]

/** ±20 %: there is a cost for each object that all sizes are within a fifth of, 1.2 / 0.8. */
const SPREAD_MAX = 1.5
/** So many times the refs may take so many times the time, and a fifth more. */
const OVER_LINEAR_MAX = 1.2

/** The time for each object is the same at all sizes. @param points smallest first */
export function constantRow(what: string, points: readonly Point[]): Row {
  return { ...costRow(what, points), goal: { atMost: SPREAD_MAX } }
}

/** As `constantRow`, where nothing is promised. */
export function costRow(what: string, points: readonly Point[]): Row {
  const each = points.map(([size, timeMs]) => [size, (timeMs * 1_000) / size] as const)
  const costs = each.map(([, cost]) => cost)
  return {
    what: `${what}: time for each object, at all sizes`,
    guts: `${costs.map((cost) => cost.toFixed(1)).join(' · ')} µs`,
    anchor: '',
    value: { number: Math.max(...costs) / Math.min(...costs), unit: '× the lowest' },
    curve: { title: `${what}: time for each object`, xLabel: 'objects', yLabel: 'µs', xScale: 'log', points: each },
  }
}

/** Time grows no faster than what it is for: a fixed part may make it grow slower. @param points smallest first */
export function linearRow(what: string, points: readonly Point[]): Row {
  const steps = points.slice(1).map(([size, timeMs], at) => {
    const [sizeBefore, timeBeforeMs] = points[at] as Point
    return timeMs / timeBeforeMs / (size / sizeBefore)
  })
  return {
    what: `${what}: growth of its time beside the growth of refs`,
    guts: `${points.map(([, timeMs]) => timeMs.toFixed(1)).join(' · ')} ms`,
    anchor: '',
    value: { number: Math.max(...steps), unit: '× linear' },
    goal: { atMost: OVER_LINEAR_MAX },
    curve: { title: what, xLabel: 'refs', yLabel: 'ms', xScale: 'linear', points },
  }
}

/** One line of the bench's table. */
export interface Row {
  readonly what: string
  readonly guts: string
  /** What it is compared with; empty where the goal is a number of its own. */
  readonly anchor: string
  /** What the goal is about. */
  readonly value: Measured
  /** Without one the row only tells. */
  readonly goal?: Goal
  readonly curve?: Curve
}

export interface Measured {
  readonly number: number
  /** After the number, e.g. `× the rate`. */
  readonly unit: string
}

export type Goal = { readonly atLeast: number } | { readonly atMost: number }

/** How a cost grows. */
export interface Curve {
  readonly title: string
  readonly xLabel: string
  readonly yLabel: string
  readonly xScale: 'linear' | 'log'
  readonly points: readonly (readonly [x: number, y: number])[]
}

export function isMet({ value, goal }: Row): boolean {
  if (goal === undefined) return true
  return 'atLeast' in goal ? value.number >= goal.atLeast : value.number <= goal.atMost
}

/** Beyond, more says nothing: of what may only be so much there can be nothing at all. */
const MARGIN_MAX = 100

/** How far the goal is met: above 1 it is, at 2 twice as well as it has to be. undefined: there is none. */
export function marginOf({ value, goal }: Pick<Row, 'value' | 'goal'>): number | undefined {
  if (goal === undefined) return undefined
  if ('atLeast' in goal) return Math.min(value.number / goal.atLeast, MARGIN_MAX)
  return goal.atMost / Math.max(value.number, goal.atMost / MARGIN_MAX)
}

export function goalText(goal: Goal | undefined): string {
  if (goal === undefined) return ''
  return 'atLeast' in goal ? `≥ ${goal.atLeast}` : `≤ ${goal.atMost}`
}

/** Of two rates, in operations a second. */
export function rateRow(what: string, [guts, anchor]: readonly [number, number], goal?: Goal): Row {
  const figures = { guts: perSecond(guts), anchor: perSecond(anchor) }
  return { what, ...figures, value: { number: guts / anchor, unit: '× the rate' }, ...(goal && { goal }) }
}

/** Of two times, in milliseconds. */
export function timeRow(what: string, [guts, anchor]: readonly [number, number], goal: Goal): Row {
  const figures = { guts: `${guts.toFixed(0)} ms`, anchor: `${anchor.toFixed(0)} ms` }
  return { what, ...figures, value: { number: guts / anchor, unit: '× the time' }, goal }
}

export function perSecond(rate: number): string {
  return `${rate.toFixed(rate < 10 ? 2 : 0)} /s`
}

/** Enough digits to judge by. */
export function digits(number: number): string {
  return number.toFixed(number < 10 ? 2 : number < 100 ? 1 : 0)
}

/** One line of the bench's table. */
export interface Row {
  readonly what: string
  readonly guts: string
  readonly anchor: string
  readonly ratio: string
  readonly goal: string
  readonly met: boolean
}

/** Of two rates, in operations a second. */
export function rateRow(what: string, [guts, anchor]: readonly [number, number], timesMin: number): Row {
  const ratio = guts / anchor
  const perSecond = (rate: number): string => `${rate.toFixed(rate < 10 ? 2 : 0)} /s`
  const figures = { guts: perSecond(guts), anchor: perSecond(anchor), ratio: `${ratio.toFixed(1)} × the rate` }
  return { what, ...figures, goal: `≥ ${timesMin}`, met: ratio >= timesMin }
}

/** Which curves are drawn: how costs grow, and how the goals were met in one run after another. */
import type { Row } from '../row.ts'
import type { ScaleKind } from './svg-scale.ts'
import type { Run } from './run-history.ts'

export interface Series {
  readonly name: string
  readonly points: readonly (readonly [x: number, y: number])[]
}

export interface Panel {
  readonly title: string
  readonly xLabel: string
  readonly yLabel: string
  readonly series: readonly Series[]
  readonly scale: { readonly x: ScaleKind; readonly y: ScaleKind }
  /** A line across, at this height. */
  readonly mark?: number
}

export function growthPanels(rows: readonly Row[]): Panel[] {
  return rows.flatMap(({ curve }) => {
    if (curve === undefined) return []
    const { points, xScale, ...labels } = curve
    return [{ ...labels, series: [{ name: '', points }], scale: { x: xScale, y: 'linear' } } as const]
  })
}

/** One for each part, with a line for each of its rows. @param runs oldest first */
export function historyPanels(runs: readonly Run[]): Panel[] {
  const parts = new Map<string, Map<string, [number, number][]>>()
  for (const [at, { rows }] of runs.entries()) {
    for (const [what, { part, margin }] of Object.entries(rows)) {
      const ofPart = parts.get(part) ?? new Map<string, [number, number][]>()
      parts.set(part, ofPart)
      const points = ofPart.get(what) ?? []
      ofPart.set(what, points)
      points.push([at + 1, margin])
    }
  }
  return [...parts].map(([part, ofPart]) => ({
    title: `${part}: margin over the goal, run by run`,
    xLabel: 'run',
    yLabel: 'above 1 it is met',
    series: [...ofPart].map(([name, points]) => ({ name, points })),
    scale: { x: 'whole', y: 'log' },
    mark: 1,
  }))
}

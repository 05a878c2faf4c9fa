import { appendFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, it } from 'vitest'
import { temporaryFolder } from '../../integration/support/git.ts'
import { constantRow } from '../growth-rows.ts'
import { rateRow, type Row } from '../row.ts'
import { growthPanels, historyPanels } from './panels.ts'
import { appendRun, readRuns, type Run, toRun } from './run-history.ts'
import { drawPanels } from './svg.ts'
import { createScale } from './svg-scale.ts'

const OF = { at: '2026-01-01T00:00:00.000Z', commit: 'c0ffee', seed: 1, seconds: 4 }
const CLONE = 'clone of <small> & "large"'

function run(clones: number): Run {
  const rows: Row[] = [rateRow(CLONE, [clones, 10], { atLeast: 1 }), rateRow('only told', [1, 1])]
  return toRun(OF, new Map([['clones', rows]]))
}

it('a run is kept as a line, and read again in order; lines that were broken off are passed over', () => {
  using folder = temporaryFolder('bench-history')
  const file = join(folder.path, 'history.jsonl')
  expect(readRuns(file)).toEqual([])
  appendRun(file, run(20))
  appendFileSync(file, '{"at": "2026-\n')
  appendRun(file, run(5))
  expect(readRuns(file)).toEqual([run(20), run(5)])
  // What has no goal has no history.
  expect(run(20).rows).toEqual({ [CLONE]: { part: 'clones', value: 2, margin: 2 } })
})

it('each part has a panel, each row a line in it, and each run a point', () => {
  const [panel, ...others] = historyPanels([run(20), run(5)])
  expect(others).toEqual([])
  expect(panel?.series).toEqual([
    {
      name: CLONE,
      points: [
        [1, 2],
        [2, 0.5],
      ],
    },
  ])
  expect(panel?.mark).toBe(1)
})

it('the drawing is well-formed, and shows every point and every name', () => {
  const growth = constantRow('push', [
    [10_000, 400],
    [50_000, 2_000],
    [500_000, 21_000],
  ])
  const drawn = drawPanels([...growthPanels([growth]), ...historyPanels([run(20), run(5)])])
  expect(drawn).toContain('clone of &lt;small&gt; &amp; "large"')
  expect(drawn.match(/<circle /g)).toHaveLength(3 + 2)
  expect(drawn).not.toMatch(/NaN|undefined|Infinity/)
  // Every element is closed, in the right order.
  const open: string[] = []
  for (const [, end, name = '', alone] of drawn.matchAll(/<(\/?)([a-z]+)[^>]*?(\/?)>/g)) {
    if (end === '/') expect(open.pop()).toBe(name)
    else if (alone !== '/') open.push(name)
  }
  expect(open).toEqual([])
})

it('nothing measured yet makes an empty drawing, one value lies in the middle', () => {
  expect(drawPanels([])).toContain('</svg>')
  expect(drawPanels(historyPanels([run(20)]))).not.toMatch(/NaN|Infinity/)
  expect(createScale('linear', [3], [0, 100]).at(3)).toBe(50)
})

it.each([
  { kind: 'linear', values: [0, 48], labels: ['0', '10', '20', '30', '40'] },
  { kind: 'whole', values: [1, 3], labels: ['1', '2', '3'] },
  { kind: 'whole', values: [2], labels: ['2'] },
  { kind: 'log', values: [10_000, 500_000], labels: ['10,000', '20,000', '50,000', '100,000', '200,000', '500,000'] },
  { kind: 'log', values: [0.5, 4], labels: ['0.5', '1', '2'] },
  { kind: 'log', values: [1, 100_000], labels: ['1', '10', '100', '1,000', '10,000', '100,000'] },
] as const)('a $kind axis over $values is marked with $labels', ({ kind, values, labels }) => {
  expect(createScale(kind, values, [0, 100]).ticks.map(({ label }) => label)).toEqual(labels)
})

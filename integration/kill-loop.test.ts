/** Done-when 9, first half: ten kills; `npm run kills` makes two hundred. */
import { expect, it } from 'vitest'
import { runKillLoop } from './kill-loop/kill-loop.ts'

const SEED = Number(process.env['KILLS_SEED'] ?? 20_261_124)

it(`ten kills during pushes, seed ${SEED} (again: npm run kills -- --kills 10 --seed ${SEED})`, async () => {
  const report = await runKillLoop({ kills: 10, seed: SEED })
  expect(report.findings).toEqual([])
  expect(report.acknowledgedPushes).toBeGreaterThan(0)
})

/** DESIGN §6: a crash between any two steps leaves the old state or the new one; `npm run crashes` looks at all of them. */
import { expect, it } from 'vitest'
import { runCrashStates } from './crash-states/crash-states.ts'
import { OPERATIONS } from './crash-states/operations.ts'

const SEED = 20_261_125
/** As many as a test may take; the others are in `npm run crashes`. */
const SOME = ['creation of a repository', 'first push']

it(`crashes while a repository is made and pushed to leave the state before or after, seed ${SEED}`, async () => {
  const operations = OPERATIONS.filter(({ name }) => SOME.includes(name))
  const report = await runCrashStates({ operations, seed: SEED, statesPerPointMax: 2 })
  expect(report.findings).toEqual([])
  expect(report.rows.reduce((sum, { states }) => sum + states, 0)).toBeGreaterThan(40)
  expect(report.syncs.filter(({ damage }) => damage === undefined)).toEqual([])
  expect(report.syncs.map(({ what }) => what)).toEqual([
    'quarantine/UUID/config',
    'quarantine/UUID/objects',
    'quarantine/UUID',
    'repositories',
    'repositories/alice',
    'quarantine/UUID/incoming.pack',
    'quarantine/UUID/incoming.idx',
    'repositories/alice/site.git/objects/pack',
  ])
})

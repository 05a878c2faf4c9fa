/** DESIGN §6: a crash between any two steps leaves the old state or the new one; `npm run crashes` looks at all of them. */
import { expect, it } from 'vitest'
import { runCrashStates } from './crash-states/crash-states.ts'
import { OPERATIONS } from './crash-states/operations.ts'

const SEED = 20_261_125
/** As much as a test may take; everything else that writes is in `npm run crashes`. */
const LOOKED_AT = 'first push'

it(`a crash during the ${LOOKED_AT} leaves the state before or after, seed ${SEED}`, async () => {
  const operations = OPERATIONS.slice(0, OPERATIONS.findIndex(({ name }) => name === LOOKED_AT) + 1)
  const report = await runCrashStates({ operations, only: [LOOKED_AT], seed: SEED, statesPerPointMax: 3 })
  // One alone, so that a failure says which it is.
  expect(report.findings[0]).toBeUndefined()
  expect(report.rows.reduce((sum, { states }) => sum + states, 0)).toBeGreaterThan(25)
  expect(report.syncs.filter(({ damage }) => damage === undefined)).toEqual([])
  expect(report.syncs.map(({ what }) => what)).toEqual([
    'quarantine/UUID/incoming.pack',
    'quarantine/UUID/incoming.idx',
    'repositories/alice/site.git/objects/pack',
  ])
})

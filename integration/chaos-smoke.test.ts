/** A little chaos for every day: `npm run chaos` is where the rest is. */
import { describe, expect, it } from 'vitest'
import { describeAction } from '../chaos/history.ts'
import { runScenario } from '../chaos/run-scenario.ts'
import { SMOKE } from '../chaos/scenarios.ts'
import { scheduleOf } from '../chaos/schedule.ts'
import { toolThere } from '../harness/tools.ts'

const TOXIPROXY = toolThere('toxiproxy-server')
const SEED = 1

describe.skipIf(TOXIPROXY === undefined)(
  `chaos (${TOXIPROXY ?? 'toxiproxy-server is not there: npm run chaos'})`,
  () => {
    it('three nodes keep their promises while links break and nodes are killed', async () => {
      const run = await runScenario({
        scenario: SMOKE,
        seed: SEED,
        toxiproxy: TOXIPROXY ?? '',
        signal: new AbortController().signal,
        say() {},
      })
      expect(run.findings).toEqual([])
      const injected = run.history.faults.map(({ action }) => describeAction(action))
      expect(injected).toEqual(scheduleOf(SMOKE, SEED).map(({ action }) => describeAction(action)))
    })
  },
)

/** `npm run chaos`: real nodes, real links, and what goes wrong between them. */
import { randomInt } from 'node:crypto'
import { runCommand } from '../harness/command.ts'
import { readOptions } from '../harness/options.ts'
import { closeCases } from '../harness/suite.ts'
import { findTool } from '../harness/tools.ts'
import { caseOf, detailsOf, writeRun } from './report.ts'
import { type RunResult, runScenario } from './run-scenario.ts'
import { SCENARIOS, SMOKE } from './scenarios.ts'

const KNOWN = [...SCENARIOS, SMOKE]

const HELP = `Usage: npm run chaos [-- SCENARIO…] [--seed N]

Starts a home and two mirrors as processes, with Toxiproxy on every link between them. People push
to the home, read and clone everywhere, while links slow down, lose bytes and break, and nodes are
killed. Then checkers judge the history: nothing acknowledged is lost (I1), what is cloned is whole
(I2), refs behave as registers (I3), mirrors only lag (I5) and catch up by themselves (I6), who runs
answers, the circuits between nodes opened and closed, and each fault was seen to be one. Writes to reports/chaos/: summary.json, junit.xml, and for
each scenario a page with its timeline (NAME.html) and its history (NAME.json).

Scenarios (all but smoke, when none is named):
${KNOWN.map(({ name, why }) => `  ${name.padEnd(18)} ${why}`).join('\n')}

  --seed N    the faults and choices of an earlier run (random)

Examples:
  npm run chaos
  npm run chaos -- full-partition home-killed --seed 7
`

const SUITE = 'chaos'

async function main(args: readonly string[], signal: AbortSignal): Promise<number> {
  const { names, numbers } = readOptions(args, {
    numbers: { seed: { otherwise: randomInt(2 ** 32), min: 0, max: 2 ** 32 - 1 } },
    names: { what: 'scenario', known: KNOWN.map(({ name }) => name) },
  })
  const { seed } = numbers
  const startedAtMs = performance.now()
  const say = (line: string): void => console.log(line)
  const toxiproxy = await findTool('toxiproxy-server', { signal, say })
  const scenarios = names.length === 0 ? SCENARIOS : KNOWN.filter(({ name }) => names.includes(name))
  say(`seed ${seed}; again: npm run chaos -- ${scenarios.map(({ name }) => name).join(' ')} --seed ${seed}`)
  const runs: { readonly result: RunResult; readonly duration_s: number }[] = []
  for (const scenario of scenarios) {
    if (signal.aborted) break
    say(`${scenario.name}: ${scenario.why}`)
    const beganAtMs = performance.now()
    const result = await runScenario({ scenario, seed, toxiproxy, signal, say })
    runs.push({ result, duration_s: Math.round((performance.now() - beganAtMs) / 1_000) })
    for (const line of writeRun(SUITE, result)) say(line)
  }
  const cases = runs.map(({ result, duration_s }) => caseOf(result, duration_s))
  const details = { scenarios: runs.map(({ result }) => detailsOf(result)) }
  return closeCases({ suite: SUITE, seed, cases, startedAtMs, details })
}

await runCommand(HELP, main)

/** `npm run crashes`: every crash state of everything that writes. */
import { randomInt } from 'node:crypto'
import { runCommand } from '../harness/command.ts'
import { readOptions } from '../harness/options.ts'
import { closeSuite } from '../harness/suite.ts'
import { runCrashStates } from './crash-states/crash-states.ts'
import { OPERATIONS } from './crash-states/operations.ts'

const SUITE = 'crashes'
const STATES_PER_POINT = 60

const HELP = `Usage: npm run crashes [-- OPERATION…] [--states-per-point N] [--seed N]

Records what a node does to its disk and its database while repositories are made, pushed to,
cloned, maintained and deleted. After each step it takes every state in which a crash could leave the disk:
what was not synced kept, lost or torn, each by itself; renames between folders half durable; and
around a commit either database. A start on each of them must make the state before or the state
after, whole, with nothing left over and nothing that git fsck complains of; what was acknowledged
must be there; and people must be able to go on. Then the same with each sync left out, one at a
time, where something must be lost. Writes reports/crashes/summary.json.

Operations (all, when none is named; those before them are done all the same):
${OPERATIONS.map(({ name }) => `  "${name}"`).join('\n')}

  --states-per-point N   where more are possible after one step, so many are drawn (${STATES_PER_POINT})
  --seed N               the draws of an earlier run (random)

Examples:
  npm run crashes
  npm run crashes -- "thin push" --states-per-point 100 --seed 7
`

async function main(args: readonly string[], signal: AbortSignal): Promise<number> {
  const { numbers, names } = readOptions(args, {
    numbers: {
      'states-per-point': { otherwise: STATES_PER_POINT, min: 2 },
      seed: { otherwise: randomInt(2 ** 32), min: 0, max: 2 ** 32 - 1 },
    },
    names: { what: 'operation', known: OPERATIONS.map(({ name }) => name) },
  })
  const { 'states-per-point': statesPerPointMax, seed } = numbers
  const only = names.length === 0 ? undefined : names
  const meant = names.map((name) => `"${name}" `).join('')
  console.log(`seed ${seed}; again: npm run crashes -- ${meant}--states-per-point ${statesPerPointMax} --seed ${seed}`)
  const startedAtMs = performance.now()
  const say = (line: string): void => console.log(line)
  const report = await runCrashStates({ operations: OPERATIONS, only, seed, statesPerPointMax, signal, say })
  const sum = (key: 'enumerated' | 'states' | 'damaged' | 'outcomes'): number =>
    report.rows.reduce((total, row) => total + row[key], 0)
  const unneeded = report.syncs.filter(({ damage }) => damage === undefined)
  say(
    `${sum('states')} different states of ${sum('enumerated')} recovered from, to ${sum('outcomes')} outcomes; ` +
      `${report.syncs.length} syncs left out, ${report.syncs.length - unneeded.length} missed`,
  )
  const executed = sum('states') + report.syncs.length
  const failed = sum('damaged') + unneeded.length
  const duration_s = Math.round((performance.now() - startedAtMs) / 1_000)
  const counts = { executed, passed: executed - failed, failed, skipped: 0 }
  return closeSuite({ suite: SUITE, seed, ...counts, duration_s }, { report })
}

await runCommand(HELP, main)

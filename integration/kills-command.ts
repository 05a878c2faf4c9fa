/** `npm run kills`: the kill loop, as long as one likes. */
import { randomInt } from 'node:crypto'
import { runKillLoop } from './kill-loop/kill-loop.ts'
import { runCommand } from '../harness/command.ts'
import { readOptions } from '../harness/options.ts'
import { closeSuite } from '../harness/suite.ts'

const HELP = `Usage: npm run kills [-- --kills N] [--seed N]

Kills a node with SIGKILL while people push to it, starts it again, and checks that nothing
acknowledged is missing, that atomic pushes are there whole or not at all, and that git fsck
finds nothing. Writes reports/kills/summary.json.

  --kills N   how often (200)
  --seed N    the choices of an earlier run (random)

Examples:
  npm run kills
  npm run kills -- --kills 10 --seed 7
`

async function main(args: readonly string[]): Promise<number> {
  const { kills, seed } = readOptions(args, {
    numbers: { kills: { otherwise: 200, min: 1 }, seed: { otherwise: randomInt(2 ** 32), min: 0 } },
  }).numbers
  console.log(`seed ${seed}; again: npm run kills -- --kills ${kills} --seed ${seed}`)
  const startedAtMs = performance.now()
  const report = await runKillLoop({ kills, seed, onKill: (line) => console.log(line) })
  for (const finding of report.findings) console.log(`FINDING ${finding}`)
  console.log(`${report.acknowledgedPushes} pushes acknowledged, ${report.arrivedInDoubt} refs had arrived unheard`)
  const failed = Math.min(kills, report.findings.length)
  const counts = { executed: kills, passed: kills - failed, failed, skipped: 0 }
  const duration_s = Math.round((performance.now() - startedAtMs) / 1_000)
  return closeSuite({ suite: 'kills', seed, ...counts, duration_s }, { report })
}

await runCommand(HELP, main)

/** `npm run kills`: the kill loop, as long as one likes. */
import { randomInt } from 'node:crypto'
import { parseArgs } from 'node:util'
import { runKillLoop } from './kill-loop/kill-loop.ts'
import { closeSuite, EXIT } from './support/suite.ts'

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

function wholeNumber(text: string | undefined, otherwise: number): number {
  if (text === undefined) return otherwise
  return /^[0-9]{1,10}$/.test(text) ? Number(text) : Number.NaN
}

async function main(): Promise<number> {
  let values: { kills?: string; seed?: string; help?: boolean }
  try {
    const text = { type: 'string' } as const
    values = parseArgs({ options: { kills: text, seed: text, help: { type: 'boolean' } } }).values
  } catch (error) {
    console.error(`${error instanceof Error ? error.message : String(error)}\n\n${HELP}`)
    return EXIT.wrongUse
  }
  if (values.help === true) {
    console.log(HELP)
    return EXIT.fine
  }
  const kills = wholeNumber(values.kills, 200)
  const seed = wholeNumber(values.seed, randomInt(2 ** 32))
  if (!(kills >= 1) || Number.isNaN(seed)) {
    console.error(`--kills and --seed are whole numbers, and there is at least one kill\n\n${HELP}`)
    return EXIT.wrongUse
  }
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

process.exitCode = await main()

/** `node fuzz/advisories-command.ts`: the page on published defects, and whether each still ends as it says. */
import { writeFileSync } from 'node:fs'
import { runCommand } from '../harness/command.ts'
import { readOptions } from '../harness/options.ts'
import { EXIT } from '../harness/suite.ts'
import { ADVISORIES } from './advisories/list.ts'
import { PAGE, renderPage } from './advisories/page.ts'
import { wrongOutcomes } from './advisories/replay.ts'

const HELP = `Usage: node fuzz/advisories-command.ts

Tries the published defects of fuzz/advisories/lists on the shipped decoders, and writes
docs/known-defects.md where each ends as its list says.
`

async function main(args: readonly string[]): Promise<number> {
  readOptions(args, {})
  const wrong = wrongOutcomes()
  for (const problem of wrong) console.log(`FINDING ${problem}`)
  if (wrong.length > 0) return EXIT.finding
  writeFileSync(PAGE, renderPage())
  console.log(`${ADVISORIES.length} defects end as they must`)
  return EXIT.fine
}

await runCommand(HELP, main)

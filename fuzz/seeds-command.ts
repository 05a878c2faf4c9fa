/** `node fuzz/seeds-command.ts`: makes the seeds anew, by real git and from known crashes. */
import { writeFileSync } from 'node:fs'
import { runCommand } from '../harness/command.ts'
import { readOptions } from '../harness/options.ts'
import { EXIT } from '../harness/suite.ts'
import { seedsPath } from './engine/corpus.ts'
import { makeMaterial } from './seeds/material.ts'
import { TARGET_NAMES, targetOf } from './targets.ts'

const HELP = `Usage: node fuzz/seeds-command.ts [TARGET…]

Makes fuzz/seeds/TARGET.json anew, as fuzz/targets/TARGET.fuzz.ts says: of what git clients and
servers say to each other, objects and packs that git made, and the inputs that crashed an earlier
implementation. Servers cut their answers into frames as they come, so a few of them differ from
run to run.
`

async function main(args: readonly string[]): Promise<number> {
  const { names } = readOptions(args, { names: { what: 'target', known: TARGET_NAMES } })
  const material = await makeMaterial()
  for (const name of names.length === 0 ? TARGET_NAMES : names) {
    const { seeds, inputBytesMax } = targetOf(name)
    const found = Object.entries(seeds(material)).filter(([, bytes]) => bytes.length <= inputBytesMax)
    const text = Object.fromEntries(found.map(([seed, bytes]) => [seed, bytes.toString('base64')]))
    writeFileSync(seedsPath(name), `${JSON.stringify(text, null, 2)}\n`)
    console.log(`${name}: ${found.length} seeds, ${found.reduce((sum, [, bytes]) => sum + bytes.length, 0)} bytes`)
  }
  return EXIT.fine
}

await runCommand(HELP, main)

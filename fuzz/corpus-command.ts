/** `node fuzz/corpus-command.ts`: of what the fuzzer found on this machine, the few inputs that reach what no seed does. */
import { mkdirSync, writeFileSync } from 'node:fs'
import { dirname } from 'node:path'
import { runCommand } from '../harness/command.ts'
import { readOptions } from '../harness/options.ts'
import { EXIT } from '../harness/suite.ts'
import { committedInputs } from './advisories/committed.ts'
import { runCover } from './reach/cover.ts'
import { corpusPath, type Input, keptFolder, nameOf, readCorpus, readFolder } from './engine/corpus.ts'
import { TARGET_NAMES, targetOf, targetPath } from './targets.ts'

const HELP = `Usage: node fuzz/corpus-command.ts [TARGET…]

Reads what npm run fuzz has kept in reports/fuzz/corpus, and adds to fuzz/corpus/TARGET.json those
inputs that take branches of decoders which no committed input takes: of two that take the same,
the shorter one.
`

async function main(args: readonly string[], signal: AbortSignal): Promise<number> {
  const { names } = readOptions(args, { names: { what: 'target', known: TARGET_NAMES } })
  const all = TARGET_NAMES.map((name) => ({ path: targetPath(name), inputs: committedInputs(name).map(bytesOf) }))
  const { taken } = await runCover(all, false, signal)
  const known = new Set(taken.flatMap(branchesOf))
  for (const name of names.length === 0 ? TARGET_NAMES : names) {
    const { inputBytesMax } = targetOf(name)
    const kept = readFolder(keptFolder(name)).filter(({ bytes }) => bytes.length <= inputBytesMax)
    const inputs = kept.sort((a, b) => a.bytes.length - b.bytes.length)
    const each = await runCover([{ path: targetPath(name), inputs: inputs.map(bytesOf) }], true, signal)
    const chosen = choose(
      inputs.map((input, at) => ({ input, takes: branchesOf(each.taken[at] ?? {}) })),
      known,
    )
    if (chosen.length === 0) continue
    const found = [...readCorpus(name), ...chosen].map(({ bytes }) => [nameOf(bytes), bytes.toString('base64')])
    mkdirSync(dirname(corpusPath(name)), { recursive: true })
    writeFileSync(corpusPath(name), `${JSON.stringify(Object.fromEntries(found), null, 2)}\n`)
    console.log(`${name}: ${chosen.length} of ${inputs.length} inputs, ${known.size} branches in all`)
  }
  return EXIT.fine
}

/** Shortest first; then those go that later ones made needless. Adds what they take to `known`. */
function choose(inputs: readonly { input: Input; takes: readonly string[] }[], known: Set<string>): Input[] {
  const before = new Set(known)
  const useful = inputs.filter(({ takes }) => {
    const isNew = takes.some((branch) => !known.has(branch))
    for (const branch of takes) known.add(branch)
    return isNew
  })
  const times = new Map<string, number>()
  for (const branch of useful.flatMap(({ takes }) => takes)) times.set(branch, (times.get(branch) ?? 0) + 1)
  return useful.flatMap(({ input, takes }) => {
    const isNeeded = takes.some((branch) => !before.has(branch) && times.get(branch) === 1)
    if (!isNeeded) for (const branch of takes) times.set(branch, (times.get(branch) ?? 0) - 1)
    return isNeeded ? [input] : []
  })
}

function branchesOf(taken: Readonly<Record<string, readonly number[]>>): string[] {
  return Object.entries(taken).flatMap(([module, numbers]) => numbers.map((number) => `${module} ${number}`))
}

const bytesOf = ({ bytes }: Input): Buffer => bytes

await runCommand(HELP, main)

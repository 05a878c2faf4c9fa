/** `npm run compat`: which clients of git can do what, found out by doing it; writes `docs/git-compatibility.md`. */
import { randomInt } from 'node:crypto'
import { mkdirSync, writeFileSync } from 'node:fs'
import { dirname } from 'node:path'
import { runCommand } from '../harness/command.ts'
import { readOptions } from '../harness/options.ts'
import { closeCases, type SuiteCase } from '../harness/suite.ts'
import { CAPABILITIES } from './compatibility/capabilities.ts'
import { type Cell, Ground, OUTCOMES } from './compatibility/cell.ts'
import type { OpenClient } from './compatibility/client.ts'
import { CLIENTS } from './compatibility/clients.ts'
import { type Column, digestOf, PAGE, readMatrix, writeMatrix } from './compatibility/matrix.ts'
import { renderPage } from './compatibility/page.ts'
import { askWithSha256 } from './compatibility/sha256.ts'
import { Random } from './support/random.ts'

const HELP = `Usage: npm run compat [-- CLIENT…] [--seed N]

Has each client do each operation with a Guts node, and with C git's own server beside it, and
compares. Writes docs/git-compatibility.md and the .json that it is made from; summary.json and
junit.xml go to reports/compat/. A cell that is red with Guts alone is a finding.

Clients (all of them, when none is named; the others keep their columns):
${CLIENTS.map(({ name, what }) => `  ${name.padEnd(15)} ${what}`).join('\n')}

  --seed N    the order of the operations in an earlier run (random)

What a client needs is looked for on this machine, and made in .tools/ of pinned packages; what is
missing is named, with how to get it.

Examples:
  npm run compat
  npm run compat -- isomorphic-git --seed 7
`

const SUITE = 'compat'

async function main(args: readonly string[], signal: AbortSignal): Promise<number> {
  const { names, numbers } = readOptions(args, {
    numbers: { seed: { otherwise: randomInt(2 ** 32), min: 0 } },
    names: { what: 'client', known: CLIENTS.map(({ name }) => name) },
  })
  const { seed } = numbers
  const say = (line: string): void => console.log(line)
  const startedAtMs = performance.now()
  // First of all: nobody waits for the first client to learn that the last one cannot be had.
  const opened: { name: string; digest: string; client: OpenClient }[] = []
  for (const one of CLIENTS.filter(({ name }) => names.length === 0 || names.includes(name))) {
    opened.push({ name: one.name, digest: digestOf(one), client: await one.open({ signal, say }) })
  }
  say(`seed ${seed}; again: npm run compat -- ${opened.map(({ name }) => name).join(' ')} --seed ${seed}`)
  const cases: SuiteCase[] = []
  const defects: object[] = []
  await using ground = await Ground.open()
  const columns: Record<string, Column> = {}
  for (const { name, digest, client } of opened) {
    const cells = new Map<string, Cell>()
    for (const row of new Random(seed).shuffled(CAPABILITIES)) {
      if (signal.aborted) break
      const beganAtMs = performance.now()
      const { cell, visits } = await ground.play(row, client)
      // What was broken off says nothing.
      if (signal.aborted) break
      cells.set(row.name, cell)
      if (cell.outcome === 'fails here') defects.push({ client: name, row: row.name, visits })
      cases.push(caseOf(`${name}: ${row.name}`, cell, (performance.now() - beganAtMs) / 1_000))
      say(`${OUTCOMES[cell.outcome].sign} ${name}: ${row.name}${cell.note === undefined ? '' : ` (${cell.note})`}`)
    }
    const inOrder = CAPABILITIES.map((row): [string, Cell | undefined] => [row.name, cells.get(row.name)])
    const { twinVersion } = ground
    columns[name] = {
      version: client.version,
      twinVersion,
      digest,
      cells: Object.fromEntries(inOrder) as Column['cells'],
    }
  }
  if (!signal.aborted) {
    const kept = readMatrix()?.columns ?? {}
    const all = CLIENTS.map(({ name }): [string, Column | undefined] => [name, columns[name] ?? kept[name]])
    const known = all.filter((entry): entry is [string, Column] => entry[1] !== undefined)
    const matrix = { sha256: await askWithSha256(ground.guts), columns: Object.fromEntries(known) }
    mkdirSync(dirname(PAGE), { recursive: true })
    writeMatrix(matrix)
    writeFileSync(PAGE, renderPage(matrix))
  }
  return closeCases({ suite: SUITE, seed, cases, startedAtMs, details: { defects } })
}

/** What a client does not try was not executed. */
function caseOf(name: string, { outcome, note }: Cell, duration_s: number): SuiteCase {
  const untried = outcome === 'lacks' || outcome === 'unused'
  const told = note === undefined ? {} : { message: note }
  if (untried) return { name, outcome: 'skipped', duration_s, ...told }
  return { name, outcome: outcome === 'fails here' ? 'failed' : 'passed', duration_s, ...told }
}

await runCommand(HELP, main)

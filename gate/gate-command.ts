/** `npm run gate`: whether this node may be released, and whether the checks that say so can fail. */
import { randomInt } from 'node:crypto'
import { runCommand } from '../harness/command.ts'
import { WrongUseError } from '../harness/errors.ts'
import { readOptions } from '../harness/options.ts'
import { ROOT } from '../integration/support/command-line.ts'
import { CHECKS } from './checks.ts'
import { CRITERIA } from './criteria.ts'
import { type DefectName, DEFECTS } from './defects.ts'
import type { Evidence } from './evidence.ts'
import { prove } from './prove.ts'
import { closeGate } from './report.ts'
import { runChecks } from './run-checks.ts'

const NAMES = Object.keys(DEFECTS) as DefectName[]

const HELP = `Usage: npm run gate -- --quick [--seed N]
       npm run gate -- --prove [DEFECT…] [--fresh] [--seed N]

--quick  Gathers evidence for the ten success criteria and the five testing items in under ten
         minutes. Writes summary.json, junit.xml and index.html to reports/gate/.
--prove  Plants each of ${NAMES.length} defects in a copy of the tree, runs the one check that must catch it, and
         demands that it fails for that reason. An interrupted run goes on where it was, as long as
         the tree is the same; --fresh forgets it. Writes to reports/gate-prove/.

  --seed N   the choices of an earlier run (random)

Criteria:
${CRITERIA.map(({ id, title }) => `  ${id.padEnd(4)} ${title}`).join('\n')}

Defects (all of them, when none is named):
${NAMES.map((name) => `  ${name.padEnd(30)} ${DEFECTS[name].criterion.padEnd(4)} ${DEFECTS[name].what}`).join('\n')}
`

async function main(args: readonly string[], signal: AbortSignal): Promise<number> {
  const { flags, names, numbers } = readOptions(args, {
    flags: ['quick', 'prove', 'fresh'],
    numbers: { seed: { otherwise: randomInt(1, 2 ** 31), min: 1, max: 2 ** 31 - 1 } },
    names: { what: 'defect', known: NAMES },
  })
  if (flags.quick === flags.prove) throw new WrongUseError('Say --quick or --prove')
  if (flags.quick && (names.length > 0 || flags.fresh)) throw new WrongUseError('--quick takes a seed only')
  const { seed } = numbers
  const again = [flags.quick ? '--quick' : '--prove', ...names, '--seed', seed]
  console.log(`seed ${seed}; again: npm run gate -- ${again.join(' ')}`)
  if (flags.prove) {
    const chosen = NAMES.filter((name) => names.length === 0 || names.includes(name))
    return prove({ names: chosen, seed, signal, fresh: flags.fresh })
  }
  return quick(seed, signal)
}

async function quick(seed: number, signal: AbortSignal): Promise<number> {
  const startedAtMs = performance.now()
  const evidence: Evidence[] = []
  const onEvidence = (one: Evidence): void => {
    evidence.push(one)
    const counts = `${one.executed} executed, ${one.failed} failed`
    console.log(`${one.outcome.padEnd(8)} ${one.id.padEnd(26)} ${counts}, ${one.duration_s.toFixed(0)} s`)
  }
  try {
    await runChecks(CHECKS, { root: ROOT, seed, signal, onEvidence })
  } catch (error) {
    if (!signal.aborted) throw error
  }
  return closeGate({ seed, startedAtMs, evidence })
}

await runCommand(HELP, main)

/** `npm run gate`: whether this node may be released, and whether the checks that say so can fail. */
import { randomInt } from 'node:crypto'
import { runCommand } from '../harness/command.ts'
import { WrongUseError } from '../harness/errors.ts'
import { readOptions } from '../harness/options.ts'
import { ROOT } from '../integration/support/command-line.ts'
import { type Check, CHECKS, isLong } from './checks.ts'
import { CRITERIA, type Criterion, QUICK_CRITERIA } from './criteria.ts'
import { type DefectName, DEFECTS } from './defects.ts'
import type { Evidence } from './evidence.ts'
import { prove } from './prove.ts'
import { closeGate } from './report.ts'
import { runChecks } from './run-checks.ts'

const NAMES = Object.keys(DEFECTS) as DefectName[]
const QUICK_CHECKS = Object.fromEntries(Object.entries(CHECKS).filter(([, check]) => !isLong(check)))
const LONG = CRITERIA.filter((criterion) => !QUICK_CRITERIA.includes(criterion)).map(({ id }) => id)

const HELP = `Usage: npm run gate [-- --quick] [--seed N]
       npm run gate -- --prove [DEFECT…] [--fresh] [--seed N]

Without a flag it gathers evidence for every criterion, in about an hour on a machine that does
nothing else. Writes summary.json, junit.xml and index.html to reports/gate/.

--quick  Only what can be shown in under ten minutes: not ${LONG.join(', ')}.
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
  if (flags.quick && flags.prove) throw new WrongUseError('Say --quick or --prove, not both')
  if (!flags.prove && (names.length > 0 || flags.fresh))
    throw new WrongUseError('Only --prove takes defects and --fresh')
  const { seed } = numbers
  const mode = (['quick', 'prove'] as const).filter((flag) => flags[flag]).map((flag) => `--${flag}`)
  const again = [...mode, ...names, '--seed', seed]
  console.log(`seed ${seed}; again: npm run gate -- ${again.join(' ')}`)
  if (flags.prove) {
    const chosen = NAMES.filter((name) => names.length === 0 || names.includes(name))
    return prove({ names: chosen, seed, signal, fresh: flags.fresh })
  }
  return flags.quick
    ? gather({ checks: QUICK_CHECKS, criteria: QUICK_CRITERIA, seed, signal })
    : gather({ checks: CHECKS, criteria: CRITERIA, seed, signal })
}

interface Gathering {
  readonly checks: Readonly<Record<string, Check>>
  readonly criteria: readonly Criterion[]
  readonly seed: number
  readonly signal: AbortSignal
}

async function gather({ checks, criteria, seed, signal }: Gathering): Promise<number> {
  const startedAtMs = performance.now()
  const evidence: Evidence[] = []
  const onEvidence = (one: Evidence): void => {
    evidence.push(one)
    const counts = `${one.executed} executed, ${one.failed} failed`
    console.log(`${one.outcome.padEnd(8)} ${one.id.padEnd(26)} ${counts}, ${one.duration_s.toFixed(0)} s`)
  }
  try {
    await runChecks(checks, { root: ROOT, seed, signal, onEvidence })
  } catch (error) {
    if (!signal.aborted) throw error
  }
  return closeGate({ criteria, seed, startedAtMs, evidence })
}

await runCommand(HELP, main)

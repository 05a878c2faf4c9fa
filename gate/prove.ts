/** Plants each defect in a copy of the tree, and demands that its check fails there, for the right reason. */
import { cpSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import Table from 'cli-table3'
import { closeCases, reportFolder, type SuiteCase } from '../harness/suite.ts'
import { copyTree, replaceOnce } from '../harness/tree-copy.ts'
import { ROOT } from '../integration/support/command-line.ts'
import type { Check } from './checks.ts'
import { DEFECTS, type Defect, type DefectName } from './defects.ts'
import { commandOf, type Evidence, exitCodeOf, messagesOf } from './evidence.ts'
import { type Proof, ProveState, treeHash } from './prove-state.ts'
import { judgeProof } from './reasons.ts'
import { runChecks } from './run-checks.ts'

export interface ProveOptions {
  readonly names: readonly DefectName[]
  readonly seed: number
  readonly signal: AbortSignal
  /** Forgets what an interrupted run has proved. */
  readonly fresh: boolean
}

const SUITE = 'gate-prove'
const SAID_LENGTH = 600

/** @returns the exit code */
export async function prove({ names, seed, signal, fresh }: ProveOptions): Promise<number> {
  const startedAtMs = performance.now()
  const stateFile = join(reportFolder(SUITE), 'state.json')
  if (fresh) rmSync(stateFile, { force: true })
  const state = new ProveState(stateFile, treeHash(ROOT))
  const proofs = [...state.caught(names)]
  if (proofs.length > 0) console.log(`Going on where an earlier run ended: ${proofs.length} defects were caught`)
  const open = names.filter((name) => !proofs.some(({ defect }) => defect === name))
  using copy = await copyTree()
  const run: Run = (checks) => runChecks(checks, { root: copy.path, seed, signal, onEvidence: () => {} })
  try {
    const unsound = await findUnsound(open, state, run)
    for (const name of open) {
      const without = unsound.get(commandOf(DEFECTS[name].check))
      const proof =
        without === undefined ? await proveOne(name, { root: copy.path, seed, run }) : notTried(name, without)
      console.log(`${proof.outcome.padEnd(12)} ${name} (${proof.duration_s.toFixed(0)} s)`)
      proofs.push(proof)
      state.addProof(proof)
    }
    state.finish(names)
  } catch (error) {
    if (!signal.aborted) throw error
  }
  return close({ proofs, seed, startedAtMs })
}

type Run = (checks: Readonly<Record<string, Check>>) => Promise<readonly Evidence[]>

/**
 * A check that fails anyway would catch everything, and one that is not run would catch nothing.
 * @returns what those said, by their command
 */
async function findUnsound(
  names: readonly DefectName[],
  state: ProveState,
  run: Run,
): Promise<ReadonlyMap<string, Evidence>> {
  const checks = new Map<string, Check>(names.map((name) => [commandOf(DEFECTS[name].check), DEFECTS[name].check]))
  for (const command of Array.from(checks.keys())) if (state.isSound(command)) checks.delete(command)
  if (checks.size === 0) return new Map()
  console.log(`Running ${checks.size} checks without a defect`)
  const evidence = await run(Object.fromEntries(checks))
  state.addSound(evidence.filter(({ outcome }) => outcome === 'passed').map(({ id }) => id))
  return new Map(evidence.filter(({ outcome }) => outcome !== 'passed').map((one) => [one.id, one]))
}

function notTried(defect: DefectName, evidence: Evidence): Proof {
  const { outcome, command, seed, duration_s } = evidence
  const said = messagesOf(evidence).join('\n').slice(0, SAID_LENGTH)
  return { defect, outcome: outcome === 'missing' ? 'missing' : 'unsound', command, seed, duration_s, said }
}

interface Place {
  readonly root: string
  readonly seed: number
  readonly run: Run
}

async function proveOne(name: DefectName, { root, seed, run }: Place): Promise<Proof> {
  const defect: Defect = DEFECTS[name]
  let planted: Disposable
  try {
    planted = plant(defect, root)
  } catch (error) {
    return {
      defect: name,
      outcome: 'not planted',
      command: commandOf(defect.check),
      seed,
      duration_s: 0,
      said: String(error),
    }
  }
  using _planted = planted
  const [evidence] = await run({ [name]: defect.check })
  if (evidence === undefined) throw new Error(`${name} was not checked`)
  const { outcome, said } = judgeProof(evidence, defect.says)
  const { command, duration_s } = evidence
  return { defect: name, outcome, command, seed, duration_s, said: said.slice(0, SAID_LENGTH) }
}

/** @throws Error where the code is not what is to be replaced */
function plant({ file, from, to, also, copies }: Defect, root: string): Disposable {
  const edits = [{ file, from, to }, ...(also === undefined ? [] : [also])].map((edit) => {
    const path = join(root, edit.file)
    const before = readFileSync(path, 'utf8')
    return { path, before, after: replaceOnce(before, edit.from, edit.to, edit.file) }
  })
  if (copies !== undefined) cpSync(join(root, copies[0]), join(root, copies[1]))
  for (const { path, after } of edits) writeFileSync(path, after)
  return {
    [Symbol.dispose]() {
      for (const { path, before } of edits) writeFileSync(path, before)
      if (copies !== undefined) rmSync(join(root, copies[1]), { force: true })
    },
  }
}

interface ProveRun {
  readonly proofs: readonly Proof[]
  readonly seed: number
  readonly startedAtMs: number
}

function close({ proofs, seed, startedAtMs }: ProveRun): number {
  const table = new Table({ head: ['', 'defect', 'what it does', 'outcome', 'seed'], style: { head: [], border: [] } })
  for (const proof of proofs) {
    const { criterion, what } = DEFECTS[proof.defect]
    table.push([criterion, proof.defect, what, proof.outcome, proof.seed])
  }
  console.log(table.toString())
  const cases = proofs.map(caseOf)
  const exitCode = closeCases({ suite: SUITE, seed, cases, startedAtMs, details: { proofs } })
  for (const { name, outcome, message } of cases) if (outcome === 'skipped') console.error(`${name}: ${message}`)
  const failed = cases.some(({ outcome }) => outcome === 'failed')
  return exitCodeOf({ failed, missing: cases.some(({ outcome }) => outcome === 'skipped'), otherwise: exitCode })
}

function caseOf({ defect, outcome, command, seed, duration_s, said }: Proof): SuiteCase {
  return {
    name: `${DEFECTS[defect].criterion} ${defect}`,
    outcome: outcome === 'caught' ? 'passed' : outcome === 'missing' ? 'skipped' : 'failed',
    duration_s,
    message: `${outcome}, seed ${seed}: ${command}\n${said}`,
  }
}

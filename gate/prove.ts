/** Plants each defect in a copy of the tree, and demands that its check fails there, for the right reason. */
import { execFileSync } from 'node:child_process'
import { createHash } from 'node:crypto'
import { cpSync, existsSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import Table from 'cli-table3'
import { closeCases, reportFolder, type SuiteCase } from '../harness/suite.ts'
import { copyTree, replaceOnce } from '../harness/tree-copy.ts'
import { ROOT } from '../integration/support/command-line.ts'
import type { Check } from './checks.ts'
import { DEFECTS, type Defect, type DefectName } from './defects.ts'
import { commandOf, type Evidence, runChecks } from './run-checks.ts'

export interface Proof {
  readonly defect: DefectName
  /** `blind`: the check passed; `wrong reason`: it failed, and not for what the defect does. */
  readonly outcome: 'caught' | 'blind' | 'wrong reason' | 'missing'
  readonly command: string
  readonly seed: number
  readonly duration_s: number
  readonly said: string
}

interface State {
  /** Of the tree that was proved. */
  readonly tree: string
  /** Checks that pass without any defect, by their command. */
  readonly sound: readonly string[]
  readonly proofs: readonly Proof[]
}

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
  let state = readState(stateFile)
  if (state.proofs.length > 0) console.log(`Going on where an earlier run ended: ${state.proofs.length} defects`)
  const keep = (next: State): void => {
    state = next
    writeFileSync(stateFile, `${JSON.stringify(state, null, 2)}\n`)
  }
  using copy = await copyTree()
  const run = (checks: Readonly<Record<string, Check>>): Promise<readonly Evidence[]> =>
    runChecks(checks, { root: copy.path, seed, signal, onEvidence: () => {} })
  const open = names.filter((name) => !state.proofs.some((proof) => proof.defect === name))
  try {
    // A check that fails anyway would catch everything.
    await proveSound(open, state, run, keep)
    for (const name of open) {
      const proof = await proveOne(name, copy.path, run)
      console.log(`${proof.outcome.padEnd(12)} ${name} (${proof.duration_s.toFixed(0)} s)`)
      keep({ ...state, proofs: [...state.proofs, proof] })
    }
  } catch (error) {
    if (!signal.aborted) throw error
  }
  return close({ proofs: state.proofs.filter(({ defect }) => names.includes(defect)), seed, startedAtMs })
}

type Run = (checks: Readonly<Record<string, Check>>) => Promise<readonly Evidence[]>

async function proveSound(
  names: readonly DefectName[],
  state: State,
  run: Run,
  keep: (state: State) => void,
): Promise<void> {
  const checks = new Map<string, Check>(names.map((name) => [commandOf(DEFECTS[name].check), DEFECTS[name].check]))
  for (const command of state.sound) checks.delete(command)
  if (checks.size === 0) return
  console.log(`Running ${checks.size} checks without a defect`)
  const evidence = await run(Object.fromEntries(checks))
  const unsound = evidence.filter(({ outcome }) => outcome === 'failed')
  if (unsound.length > 0) {
    const said = unsound.map(({ command, messages }) => `${command}\n${messages.join('\n').slice(0, 2_000)}`)
    throw new Error(`These checks fail without any defect:\n${said.join('\n\n')}`)
  }
  keep({ ...state, sound: [...state.sound, ...evidence.map(({ id }) => id)] })
}

async function proveOne(name: DefectName, root: string, run: Run): Promise<Proof> {
  const defect: Defect = DEFECTS[name]
  const edits = [defect, ...(defect.also === undefined ? [] : [defect.also])]
  const before = edits.map(({ file }) => readFileSync(join(root, file), 'utf8'))
  const [copied, copiedTo] = defect.copies ?? []
  try {
    if (copied !== undefined && copiedTo !== undefined) cpSync(join(root, copied), join(root, copiedTo))
    for (const [at, { file, from, to }] of edits.entries()) {
      writeFileSync(join(root, file), replaceOnce(before[at] ?? '', from, to, file))
    }
    const [evidence] = await run({ [name]: defect.check })
    if (evidence === undefined) throw new Error(`${name} was not checked`)
    const { command, seed, duration_s, messages } = evidence
    const text = messages.join('\n')
    const outcome = outcomeOf(evidence, defect.says.test(text))
    return { defect: name, outcome, command, seed, duration_s, said: excerpt(text, defect.says) }
  } finally {
    for (const [at, { file }] of edits.entries()) writeFileSync(join(root, file), before[at] ?? '')
    if (copiedTo !== undefined) rmSync(join(root, copiedTo), { force: true })
  }
}

function outcomeOf({ outcome, executed }: Evidence, saysSo: boolean): Proof['outcome'] {
  if (outcome === 'missing') return 'missing'
  if (outcome === 'passed') return 'blind'
  return saysSo && executed > 0 ? 'caught' : 'wrong reason'
}

function close(run: {
  readonly proofs: readonly Proof[]
  readonly seed: number
  readonly startedAtMs: number
}): number {
  const { proofs, seed, startedAtMs } = run
  const table = new Table({ head: ['', 'defect', 'what it does', 'outcome'], style: { head: [], border: [] } })
  for (const { defect, outcome } of proofs)
    table.push([DEFECTS[defect].criterion, defect, DEFECTS[defect].what, outcome])
  console.log(table.toString())
  const cases: SuiteCase[] = proofs.map(({ defect, outcome, command, duration_s, said }) => ({
    name: `${DEFECTS[defect].criterion} ${defect}`,
    outcome: outcome === 'caught' ? 'passed' : outcome === 'missing' ? 'skipped' : 'failed',
    duration_s,
    message: `${outcome}: ${command}\n${said}`,
  }))
  return closeCases({ suite: SUITE, seed, cases, startedAtMs, details: { proofs } })
}

function readState(file: string): State {
  const tree = treeHash()
  const empty: State = { tree, sound: [], proofs: [] }
  if (!existsSync(file)) return empty
  const state = JSON.parse(readFileSync(file, 'utf8')) as State
  // What was proved of other code says nothing about this one.
  return state.tree === tree ? state : empty
}

/** Of everything that git knows or would add, as it lies here. */
function treeHash(): string {
  const git = (...args: readonly string[]): Buffer => execFileSync('git', args, { cwd: ROOT, maxBuffer: 2 ** 28 })
  const hash = createHash('sha256')
    .update(git('rev-parse', 'HEAD'))
    .update(git('diff', 'HEAD', '--binary'))
  for (const file of git('ls-files', '-z', '--others', '--exclude-standard').toString().split('\0')) {
    if (file !== '') hash.update(`\0${file}\0`).update(readFileSync(join(ROOT, file)))
  }
  return hash.digest('hex')
}

/** Around what was looked for, or the beginning. */
function excerpt(text: string, says: RegExp): string {
  const at = Math.max(0, text.search(says) - SAID_LENGTH / 3)
  return text.slice(at, at + SAID_LENGTH)
}

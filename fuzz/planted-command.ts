/** `node fuzz/planted-command.ts`: the proof that fuzzing finds defects, and that its findings stay found. */
import { spawn } from 'node:child_process'
import { readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import Table from 'cli-table3'
import { runCommand } from '../harness/command.ts'
import { readOptions } from '../harness/options.ts'
import { closeCases, EXIT, type SuiteCase } from '../harness/suite.ts'
import { findJazzerNode } from './engine/jazzer-node.ts'
import { DEFECT_NAMES, type DefectOfTarget, PLANTED_DEFECTS } from './planted.ts'
import { replaceOnce } from '../harness/tree-copy.ts'
import { copyFuzzer } from './tree-copy.ts'

const HELP = `Usage: node fuzz/planted-command.ts [DEFECT…] [--time 50s] [--seed N]

Plants one defect after another in a copy of the tree, and demands of each that the committed
inputs do not show it, that fuzzing finds it in time, that the replay fails on the finding, and
that it passes when the defect is gone. Writes reports/fuzz-planted/.

Defects (all of them where none is named):
${DEFECT_NAMES.map((name) => `  ${name.padEnd(24)}${defectOf(name).target}`).join('\n')}

  --time 50s    for each defect (50s)
  --seed N      the fuzzer's choices (1)
`

interface Proof {
  readonly defect: string
  readonly target: string
  /** Until the fuzzer had found it and made it smaller, its start among them. */
  readonly found_s: number
  readonly executions: number
  readonly bytes: number
  readonly input: string
  readonly command: string
}

interface FuzzSummary {
  readonly targets: readonly {
    readonly duration_s: number
    readonly status: { readonly executions: number }
    readonly findings: readonly { readonly file: string; readonly command: string; readonly bytes: number }[]
  }[]
}

async function main(args: readonly string[], signal: AbortSignal): Promise<number> {
  const { names, numbers, durationsMs } = readOptions(args, {
    numbers: { seed: { otherwise: 1, min: 1, max: 2 ** 31 - 1 } },
    durations: { time: { otherwiseMs: 50_000, minMs: 1_000 } },
    names: { what: 'defect', known: DEFECT_NAMES },
  })
  const startedAtMs = performance.now()
  // What has to be fetched is fetched before the clock runs.
  await findJazzerNode((line) => console.log(line), signal)
  using copy = await copyFuzzer()
  const cases: SuiteCase[] = []
  const proofs: Proof[] = []
  const wanted = names.length === 0 ? DEFECT_NAMES : names
  for (const name of wanted) {
    const fromMs = performance.now()
    const options = ['--time', `${durationsMs.time / 1_000}s`, '--seed', `${numbers.seed}`]
    const outcome = await prove(name, new Copy(copy.path, signal), options).catch((error: unknown) => {
      if (signal.aborted) return 'interrupted'
      throw error
    })
    if (outcome === 'interrupted') break
    const duration_s = Math.round((performance.now() - fromMs) / 1_000)
    const message = typeof outcome === 'string' ? { message: outcome } : {}
    cases.push({ name, outcome: typeof outcome === 'string' ? 'failed' : 'passed', duration_s, ...message })
    if (typeof outcome !== 'string') proofs.push(outcome)
    console.log(`${name}: ${typeof outcome === 'string' ? `FAILED: ${outcome}` : `found in ${duration_s} s`}`)
  }
  for (const name of wanted.slice(cases.length)) {
    cases.push({ name, outcome: 'skipped', duration_s: 0, message: 'not finished' })
  }
  console.log(tableOf(cases, proofs, durationsMs.time / 1_000))
  return closeCases({ suite: 'fuzz-planted', seed: numbers.seed, cases, startedAtMs, details: { proofs } })
}

/** @returns what was found, or why the proof failed */
async function prove(name: string, copy: Copy, options: readonly string[]): Promise<Proof | string> {
  const defect = defectOf(name)
  const { target } = defect
  console.log(`\n${name}: ${defect.why}\n  in ${defect.file}: ${defect.to}`)
  const restore = copy.plant(defect)
  try {
    if ((await copy.fuzz([target, '--regression'])) !== EXIT.fine) return 'the committed inputs show it already'
    if ((await copy.fuzz([target, '--jobs', '1', ...options])) !== EXIT.finding) return 'fuzzing did not find it'
    const [result] = copy.summary().targets
    const [finding] = result?.findings ?? []
    if (result === undefined || finding === undefined) return 'fuzzing failed, and not by finding it'
    if ((await copy.fuzz([target, '--regression'])) !== EXIT.finding) return 'the replay passes on what was found'
    restore()
    if ((await copy.fuzz([target, '--regression'])) !== EXIT.fine) return 'the replay fails where the defect is gone'
    return {
      defect: name,
      target,
      found_s: result.duration_s,
      executions: result.status.executions,
      bytes: finding.bytes,
      input: readFileSync(join(copy.path, finding.file)).toString('base64'),
      command: finding.command,
    }
  } finally {
    restore()
  }
}

function tableOf(cases: readonly SuiteCase[], proofs: readonly Proof[], within_s: number): string {
  const head = [
    'defect',
    'target',
    'in',
    `found, made small in s (search: ${within_s})`,
    'executions',
    'bytes',
    'replayed',
  ]
  const table = new Table({ head, style: { head: [], border: [] } })
  for (const { name, message = '' } of cases) {
    const { target, file } = defectOf(name)
    const proof = proofs.find(({ defect }) => defect === name)
    const found =
      proof === undefined ? [message, '', '', ''] : [proof.found_s, proof.executions, proof.bytes, 'red, then green']
    table.push([name, target, file, ...found])
  }
  return table.toString()
}

function defectOf(name: string): DefectOfTarget {
  const defect = PLANTED_DEFECTS.get(name)
  if (defect === undefined) throw new Error(`There is no planted defect ${name}`)
  return defect
}

class Copy {
  readonly path: string
  readonly #signal: AbortSignal

  constructor(path: string, signal: AbortSignal) {
    this.path = path
    this.#signal = signal
  }

  /** @returns how to undo it */
  plant(defect: DefectOfTarget): () => void {
    const file = join(this.path, defect.file)
    const text = readFileSync(file, 'utf8')
    writeFileSync(file, replaceOnce(text, defect.from, defect.to, defect.file))
    return () => writeFileSync(file, text)
  }

  /** Runs the copy's own fuzzer. @returns its exit code */
  async fuzz(args: readonly string[]): Promise<number> {
    this.#signal.throwIfAborted()
    const child = spawn(process.execPath, [join(this.path, 'fuzz/fuzz-command.ts'), ...args], {
      cwd: this.path,
      stdio: ['ignore', 'inherit', 'inherit'],
      // A terminal signals the whole group: it would get one signal from there and one from here, and end at the second.
      detached: true,
    })
    const stop = (): void => void child.kill('SIGTERM')
    this.#signal.addEventListener('abort', stop)
    process.on('exit', stop)
    const { promise, resolve, reject } = Promise.withResolvers<number | null>()
    child.once('error', reject)
    child.once('exit', resolve)
    try {
      return (await promise) ?? EXIT.interrupted
    } finally {
      this.#signal.removeEventListener('abort', stop)
      process.off('exit', stop)
      this.#signal.throwIfAborted()
    }
  }

  summary(): FuzzSummary {
    return JSON.parse(readFileSync(join(this.path, 'reports/fuzz/summary.json'), 'utf8')) as FuzzSummary
  }
}

await runCommand(HELP, main)

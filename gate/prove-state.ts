/** What an interrupted run of `--prove` has proved already, for the next one of the same tree. */
import { execFileSync } from 'node:child_process'
import { createHash } from 'node:crypto'
import { existsSync, lstatSync, readFileSync, readlinkSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import type { DefectName } from './defects.ts'

export interface Proof {
  readonly defect: DefectName
  /**
   * `blind`: the check passed; `wrong reason`: it failed, and not for what the defect does; `unsound`: it fails without
   * the defect, too; `not planted`: the code is not what the defect changes.
   */
  readonly outcome: 'caught' | 'blind' | 'wrong reason' | 'unsound' | 'not planted' | 'missing'
  readonly command: string
  /** Of the run that proved it: an earlier one had another. */
  readonly seed: number
  readonly duration_s: number
  readonly said: string
}

interface State {
  /** Of the tree that was proved. */
  readonly tree: string
  /** Checks that pass without any defect, by their command. */
  readonly sound: readonly string[]
  /** Only of what was caught: whatever else an earlier run found is tried again. */
  readonly proofs: readonly Proof[]
}

export class ProveState {
  readonly #file: string
  #state: State

  /** What was proved of another tree says nothing about this one. */
  constructor(file: string, tree: string) {
    this.#file = file
    const found = existsSync(file) ? (JSON.parse(readFileSync(file, 'utf8')) as State) : undefined
    this.#state = found?.tree === tree ? found : { tree, sound: [], proofs: [] }
  }

  caught(names: readonly DefectName[]): readonly Proof[] {
    return this.#state.proofs.filter(({ defect }) => names.includes(defect))
  }

  isSound(command: string): boolean {
    return this.#state.sound.includes(command)
  }

  addSound(commands: readonly string[]): void {
    this.#write({ ...this.#state, sound: [...this.#state.sound, ...commands] })
  }

  addProof(proof: Proof): void {
    if (proof.outcome === 'caught') this.#write({ ...this.#state, proofs: [...this.#state.proofs, proof] })
  }

  /** A run that came to its end is no longer one to go on with; what another one has proved of others stays. */
  finish(names: readonly DefectName[]): void {
    const proofs = this.#state.proofs.filter(({ defect }) => !names.includes(defect))
    if (proofs.length > 0) this.#write({ ...this.#state, proofs })
    else rmSync(this.#file, { force: true })
  }

  #write(state: State): void {
    this.#state = state
    writeFileSync(this.#file, `${JSON.stringify(state, null, 2)}\n`)
  }
}

/** Of everything that git knows or would add, as it lies there. */
export function treeHash(root: string): string {
  const git = (...args: readonly string[]): Buffer => execFileSync('git', args, { cwd: root, maxBuffer: 2 ** 28 })
  const hash = createHash('sha256')
    .update(git('rev-parse', 'HEAD'))
    .update(git('diff', 'HEAD', '--binary'))
  for (const file of git('ls-files', '-z', '--others', '--exclude-standard').toString().split('\0')) {
    if (file === '') continue
    const path = join(root, file)
    const found = lstatSync(path, { throwIfNoEntry: false })
    // Another repository is listed as a folder, and a socket has no content.
    if (found?.isSymbolicLink() === true) hash.update(`\0${file}\0link\0`).update(readlinkSync(path))
    else if (found?.isFile() === true) hash.update(`\0${file}\0`).update(readFileSync(path))
  }
  return hash.digest('hex')
}

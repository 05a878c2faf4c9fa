/**
 * Every crash state of everything that writes: a real node is recorded, and from each state in which a crash may leave
 * its data directory a start must make the state before what was asked for, or the one after it, and after its
 * acknowledgement that one only (DESIGN §6, I1, I2, I4).
 */
import { join } from 'node:path'
import { temporaryFolder } from '../support/git.ts'
import { type CrashState, crashStates } from './enumerate.ts'
import { Judge } from './judge.ts'
import { missingSyncs } from './missing-syncs.ts'
import type { Operation } from './operations.ts'
import { rangeOf, record, type Recording } from './record.ts'
import { recordStart } from './record-start.ts'

export interface CrashStatesOptions {
  readonly operations: readonly Operation[]
  /** Names of those whose crashes are looked at; the others are done for their sake. Default: all. */
  readonly only?: readonly string[] | undefined
  readonly seed: number
  readonly statesPerPointMax: number
  /** Ends it early, with a report of what was done. */
  readonly signal?: AbortSignal
  readonly say?: (line: string) => void
}

export interface CrashStatesReport {
  readonly rows: readonly OperationRow[]
  /** Of the states from which something came that must not be, the first ones of each row. */
  readonly findings: readonly string[]
  /** The syncs that were left out, one at a time, and the first damage that each did. */
  readonly syncs: readonly { readonly what: string; readonly damage: string | undefined }[]
}

export interface OperationRow {
  readonly name: string
  /** Ways to a state that were looked at; many lead to the same one. */
  readonly enumerated: number
  /** Different ones, each of which was recovered from. */
  readonly states: number
  readonly damaged: number
  /** Of different outcomes of a recovery, with each of which a node went on. */
  readonly outcomes: number
}

/** At once: a recovery waits for disks and threads most of the time. */
const LANES = 3
const FINDINGS_TOLD_MAX = 5
/** So many states are looked at before a sync counts as one that nothing needs. */
const LOOKS_MAX = 150
/** Enough for each effect alone. */
const STATES_PER_POINT_OF_SYNCS = 60

export async function runCrashStates(options: CrashStatesOptions): Promise<CrashStatesReport> {
  using folder = temporaryFolder('crash-states')
  const recording = await record(folder.path, options.operations)
  const looking = new Looking(options)
  for (const [number, { name }] of options.operations.entries()) {
    if (options.signal?.aborted === true) break
    if (options.only?.includes(name) === false) continue
    const judge = new Judge(recording, folder.path)
    await looking.atStates(recording, number, judge)
    await looking.atSyncs(recording, number, judge)
    const start = await recordStart(recording, number, join(folder.path, `start-${number}`))
    await looking.atStates(start, 0, new Judge(start, folder.path))
  }
  return looking
}

class Looking implements CrashStatesReport {
  readonly rows: OperationRow[] = []
  readonly findings: string[] = []
  readonly syncs: { readonly what: string; damage: string | undefined }[] = []
  readonly #options: CrashStatesOptions
  readonly #say: (line: string) => void

  constructor(options: CrashStatesOptions) {
    this.#options = options
    this.#say = options.say ?? (() => {})
  }

  async atStates(recording: Recording, number: number, judge: Judge): Promise<void> {
    const { seed, statesPerPointMax, signal } = this.#options
    const { initial, steps, operations } = recording
    const name = operations[number]?.name ?? ''
    const seen = new Set<string>()
    let [enumerated, damaged] = [0, 0]
    const states = crashStates(steps, { initial, seed, statesPerPointMax, between: rangeOf(recording, number) })
    await inLanes(states, signal, async (state) => {
      enumerated++
      if (seen.has(state.key)) return
      seen.add(state.key)
      const damage = await judge.damageOf(state)
      if (damage.length === 0 || ++damaged > FINDINGS_TOLD_MAX) return
      const finding = `${name}: ${state.describe()}: ${damage.join('; ')}`
      this.findings.push(finding)
      this.#say(`FINDING ${finding}`)
    })
    this.rows.push({ name, enumerated, states: seen.size, damaged, outcomes: judge.outcomes })
    this.#say(`${name}: ${seen.size} different states of ${enumerated}, ${damaged} damaged`)
  }

  async atSyncs(recording: Recording, number: number, judge: Judge): Promise<void> {
    const { seed, signal } = this.#options
    const missing = missingSyncs(recording, number, { seed, statesPerPointMax: STATES_PER_POINT_OF_SYNCS })
    await inLanes(missing, signal, async ({ what, states }) => {
      const verdict: Looking['syncs'][number] = { what, damage: undefined }
      this.syncs.push(verdict)
      verdict.damage = await firstDamage(states, judge)
      const [line = 'FINDING no damage is found'] = verdict.damage?.split('\n') ?? []
      this.#say(`  without the sync of ${what}: ${line}`)
    })
  }
}

async function firstDamage(states: readonly CrashState[], judge: Judge): Promise<string | undefined> {
  for (const state of states.slice(0, LOOKS_MAX)) {
    const [damage] = await judge.damageOf(state)
    if (damage !== undefined) return damage
  }
  return undefined
}

/** Calls `work` with each item, with some calls at a time. */
async function inLanes<T>(
  items: Iterable<T>,
  signal: AbortSignal | undefined,
  work: (item: T) => Promise<void>,
): Promise<void> {
  const iterator = items[Symbol.iterator]()
  const lane = async (): Promise<void> => {
    for (let next = iterator.next(); next.done !== true; next = iterator.next()) {
      if (signal?.aborted === true) return
      await work(next.value)
    }
  }
  await Promise.all(Array.from({ length: LANES }, lane))
}

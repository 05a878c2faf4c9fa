/** One scenario from beginning to end: a cluster, people who use it, a nemesis, and what the checkers say. */
import { setTimeout as delay } from 'node:timers/promises'
import { checkAll, checkSafety } from './checkers/check.ts'
import { convergenceOf, type Convergence } from './checkers/convergence.ts'
import type { Finding } from './checkers/finding.ts'
import { Cluster } from './cluster/cluster.ts'
import { inject, moment } from './cluster/faults.ts'
import { describeFault, emptyHistory, type Fault, type History, type MirrorName, MIRRORS, NODES } from './history.ts'
import { runNemesis } from './nemesis.ts'
import { type PlannedFault, scheduleOf } from './schedule.ts'
import type { Scenario } from './scenario.ts'
import { lastRead, problemOnDisk } from './disks.ts'
import { Workload } from './workload/workload.ts'

const REPOSITORIES = ['ants', 'bees'] as const
/** Until mirrors list what was just made: they ask each second. */
const FIRST_SYNC_MS_MAX = 30_000
const LOOK_MS = 200
/** How long the mirrors' last state is watched once it is right. */
const STEADY_MS = 1_500

export interface RunOptions {
  readonly scenario: Scenario
  readonly seed: number
  /** Path of the server's executable. */
  readonly toxiproxy: string
  readonly signal: AbortSignal
  readonly say: (line: string) => void
}

export interface RunResult {
  readonly scenario: Scenario
  readonly seed: number
  readonly schedule: readonly PlannedFault[]
  readonly repositories: readonly string[]
  readonly history: History
  readonly findings: readonly Finding[]
  readonly convergence: readonly Convergence[]
  /** It was broken off: its findings are of what there is. */
  readonly interrupted: boolean
}

export async function runScenario({ scenario, seed, toxiproxy, signal, say }: RunOptions): Promise<RunResult> {
  const schedule = scheduleOf(scenario, seed)
  const history = emptyHistory()
  const repositories = REPOSITORIES
  const failures: Finding[] = []
  try {
    await using cluster = await Cluster.start({ toxiproxy, repositories, signal })
    await new Run({ cluster, history, scenario, seed, signal, say }).run(schedule)
  } catch (error) {
    const text = error instanceof Error ? error.message : String(error)
    // Of who was interrupted nobody asks why it did not end well.
    if (!signal.aborted) failures.push({ promise: 'work', atMs: undefined, text })
  }
  const interrupted = signal.aborted
  const found = interrupted
    ? checkSafety(history, repositories)
    : checkAll(history, repositories, scenario, schedule.length)
  const findings = [...failures, ...found]
  const convergence = interrupted ? [] : repositories.flatMap((repository) => convergenceOf(history, repository))
  return { scenario, seed, schedule, repositories, history, findings, convergence, interrupted }
}

interface RunParts extends Omit<RunOptions, 'toxiproxy'> {
  readonly cluster: Cluster
  readonly history: History
}

export class Run {
  readonly #parts: RunParts

  constructor(parts: RunParts) {
    this.#parts = parts
  }

  async run(schedule: readonly PlannedFault[]): Promise<void> {
    const { cluster, history, seed, signal } = this.#parts
    const workload = await Workload.prepare({ cluster, history, repositories: REPOSITORIES, seed })
    const isListed = async (): Promise<boolean> =>
      (await Promise.all(NODES.map((node) => workload.isListed(node, signal)))).every(Boolean)
    if (!(await becomes(isListed, FIRST_SYNC_MS_MAX, signal))) throw new Error('Mirrors do not list what the home has')
    await cluster.checkLinks()
    cluster.begin()
    const over = new AbortController()
    const stop = AbortSignal.any([signal, over.signal])
    // The first one is the reason of what fails after it.
    const failed = (error: unknown): void => over.abort(error)
    const observing = workload.observe(stop).catch(failed)
    const pushing = this.#push(workload, stop).catch(failed)
    await this.#work(workload, schedule, pushing, stop).catch(failed)
    const isBroken = stop.aborted
    // One that hangs would keep those who wait for it.
    if (isBroken) await cluster.killAll()
    over.abort(new Error('The run is over'))
    await Promise.all([observing, pushing])
    history.endedMs = cluster.nowMs
    try {
      if (isBroken) throw over.signal.reason
      await this.#lookAtDisks()
    } finally {
      this.#readLogs()
    }
  }

  async #work(
    workload: Workload,
    schedule: readonly PlannedFault[],
    pushing: Promise<void>,
    stop: AbortSignal,
  ): Promise<void> {
    const { cluster, history } = this.#parts
    await this.#faults(workload, schedule, stop)
    await pushing
    stop.throwIfAborted()
    history.healedMs = cluster.nowMs
    await this.#converge(workload, stop)
    await workload.cloneAll(stop)
    stop.throwIfAborted()
  }

  async #push(workload: Workload, stop: AbortSignal): Promise<void> {
    const enough = new AbortController()
    const timer = setTimeout(() => enough.abort(), this.#parts.scenario.pushS * 1_000)
    await workload.push(enough.signal, stop).finally(() => clearTimeout(timer))
  }

  async #faults(workload: Workload, schedule: readonly PlannedFault[], signal: AbortSignal): Promise<void> {
    const { cluster, history, say } = this.#parts
    const parts = {
      cluster,
      nextPush: () => workload.nextPush(),
      isPushing: () => workload.isPushing,
      signal,
    }
    await runNemesis(schedule, {
      moment: (action) => moment(action, parts),
      inject: (action) => inject(action, parts),
      nowMs: () => cluster.nowMs,
      waitUntil: (atMs) => delay(Math.max(0, atMs - cluster.nowMs), undefined, { signal }),
      onFault: (fault: Fault) => {
        const isNew = fault.endedMs === undefined
        if (isNew) history.faults.push(fault)
        const atS = ((fault.endedMs ?? fault.beganMs) / 1_000).toFixed(1)
        say(`  ${atS.padStart(5)} s  ${isNew ? '' : 'end of '}${describeFault(fault)}`)
      },
    })
  }

  /** Waits until all is well, or for the time that may take to pass; whether it came is for the checkers to say. */
  async #converge(workload: Workload, signal: AbortSignal): Promise<void> {
    const { history, scenario } = this.#parts
    const areAlike = (): boolean =>
      REPOSITORIES.every((repository) =>
        convergenceOf(history, repository).every(({ afterMs }) => afterMs !== undefined),
      )
    const isClosed = async (node: MirrorName): Promise<boolean> =>
      (await workload.measure(node, 'guts_circuit_breaker_state{dependency="peer"}')) === 0
    const isWell = async (): Promise<boolean> => areAlike() && (await Promise.all(MIRRORS.map(isClosed))).every(Boolean)
    await becomes(isWell, scenario.convergeS * 1_000, signal)
    await delay(STEADY_MS, undefined, { signal })
  }

  #readLogs(): void {
    const { cluster, history } = this.#parts
    for (const node of NODES) {
      for (const { atMs, fields } of cluster.lines(node)) {
        if (atMs < 0) continue
        const text = (name: string): string => (typeof fields[name] === 'string' ? fields[name] : '')
        if (text('level') === 'error') history.complaints.push({ node, atMs, message: text('msg') })
        // Who is told to stop leaves its peers, and they notice.
        if (atMs > history.endedMs) continue
        const peer = cluster.nodeOfPeer(text('key'))
        if (text('dependency') !== 'peer' || peer === undefined || text('to') === '') continue
        history.circuits.push({ node, peer, from: text('from'), to: text('to'), atMs, why: reasonOf(fields['err']) })
      }
    }
  }

  async #lookAtDisks(): Promise<void> {
    const { cluster, history } = this.#parts
    history.exits.push(...(await cluster.stop()))
    for (const node of NODES) {
      for (const repository of REPOSITORIES) {
        const problem = await problemOnDisk(cluster.gitDirectory(node, repository), lastRead(history, node, repository))
        history.fscks.push({ node, repository, problem })
      }
    }
  }
}

/** Whether it does within this time. */
async function becomes(isSo: () => Promise<boolean>, withinMs: number, signal: AbortSignal): Promise<boolean> {
  for (const untilMs = performance.now() + withinMs; !(await isSo());) {
    if (performance.now() > untilMs) return false
    await delay(LOOK_MS, undefined, { signal })
  }
  return true
}

/** What a log line says of an error: its message, and that of its cause. */
function reasonOf(err: unknown): string {
  const message = typeof err === 'object' && err !== null && 'message' in err ? err.message : undefined
  return typeof message === 'string' ? message : ''
}

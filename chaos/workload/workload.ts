/** Everybody who uses the nodes during a run, and the history of what they saw. */
import { join } from 'node:path'
import { Random } from '../../integration/support/random.ts'
import type { Cluster } from '../cluster/cluster.ts'
import { type FailedRead, type History, MIRRORS, type NodeName, NODES, type Read } from '../history.ts'
import { Workshop } from './commits.ts'
import { cloneOnce } from './cloner.ts'
import { listRefs } from './list-refs.ts'
import { Meeting } from './meeting.ts'
import { lostRace, pause, Pusher } from './pusher.ts'

const PUSHERS_PER_REPOSITORY = 2
const READ_PAUSE_MS = 120
const CLONE_PAUSE_MS = 700
const LAG_PAUSE_MS = 1_000

export interface WorkloadParts {
  readonly cluster: Cluster
  readonly history: History
  readonly repositories: readonly string[]
  readonly seed: number
}

export class Workload {
  readonly #parts: WorkloadParts
  readonly #workshop: Workshop
  #begun = Promise.withResolvers<void>()
  #pushing = 0
  #clones = 0

  private constructor(parts: WorkloadParts, workshop: Workshop) {
    this.#parts = parts
    this.#workshop = workshop
  }

  static async prepare(parts: WorkloadParts): Promise<Workload> {
    return new Workload(parts, await Workshop.open(parts.cluster.folder))
  }

  /** Resolves when somebody begins to push. */
  nextPush(): Promise<void> {
    return this.#begun.promise
  }

  /** Whether a push has begun of which nobody knows yet how it ended. */
  get isPushing(): boolean {
    return this.#pushing > 0
  }

  /** Pushes until `enough` aborts, and what has begun is over. @param broken breaks off what has begun, too */
  async push(enough: AbortSignal, broken: AbortSignal): Promise<void> {
    const { cluster, history, repositories, seed } = this.#parts
    const signal = AbortSignal.any([enough, broken])
    const seeds = new Random(seed)
    const pushers = repositories.flatMap((repository) => {
      const meeting = new Meeting()
      return Array.from({ length: PUSHERS_PER_REPOSITORY }, (_, at) => {
        const name = `pusher-${at + 1}`
        return new Pusher({
          name,
          repository,
          workshop: this.#workshop,
          random: new Random(seeds.below(2 ** 32)),
          url: () => (cluster.runs('home') ? cluster.home.url(repository) : undefined),
          read: () => this.#read('home', repository, signal),
          meet: (until) => meeting.meet(until),
          hasLost: () => history.pushes.some((push) => push.repository === repository && lostRace(push)),
          nowMs: () => cluster.nowMs,
          onBegin: () => this.#tellBegun(),
          onPush: (push) => {
            this.#pushing--
            history.pushes.push(push)
          },
          broken,
        })
      })
    })
    await Promise.all(pushers.map((pusher) => pusher.run(signal)))
  }

  /** Reads, clones and looks at how far mirrors are behind, at every node, until the signal aborts. */
  async observe(signal: AbortSignal): Promise<void> {
    const { repositories } = this.#parts
    await Promise.all([
      ...NODES.flatMap((node) => repositories.map((repository) => this.#keepReading(node, repository, signal))),
      ...MIRRORS.map((node) => this.#keepMeasuring(node, signal)),
      this.#keepCloning(signal),
    ])
  }

  /** Every repository from every node, once. */
  async cloneAll(signal: AbortSignal): Promise<void> {
    for (const node of NODES) {
      for (const repository of this.#parts.repositories) await this.#clone(node, repository, signal)
    }
  }

  /** Whether a node shows every repository, as it may not yet do when it has just begun to mirror. */
  async isListed(node: NodeName, signal: AbortSignal): Promise<boolean> {
    const reads = this.#parts.repositories.map((repository) => this.#list(node, repository, signal))
    return (await Promise.all(reads)).every((read) => read !== undefined && 'refs' in read)
  }

  #tellBegun(): void {
    this.#pushing++
    this.#begun.resolve()
    this.#begun = Promise.withResolvers<void>()
  }

  async #read(node: NodeName, repository: string, signal: AbortSignal): Promise<Read | undefined> {
    const read = await this.#list(node, repository, signal)
    if (read === undefined) return undefined
    if ('refs' in read) {
      this.#parts.history.reads.push(read)
      return read
    }
    this.#parts.history.failedReads.push(read)
    return undefined
  }

  async #list(node: NodeName, repository: string, signal: AbortSignal): Promise<Read | FailedRead | undefined> {
    const { cluster } = this.#parts
    if (!cluster.runs(node)) return undefined
    const url = cluster.readUrl(node, repository)
    return listRefs({ node, repository, url, nowMs: () => cluster.nowMs, signal })
  }

  async #keepReading(node: NodeName, repository: string, signal: AbortSignal): Promise<void> {
    while (!signal.aborted) {
      await this.#read(node, repository, signal)
      await pause(READ_PAUSE_MS, signal)
    }
  }

  /** A metric; undefined where the node does not tell. */
  async measure(node: NodeName, series: string): Promise<number | undefined> {
    const { cluster } = this.#parts
    if (!cluster.runs(node)) return undefined
    return cluster
      .node(node)
      .metric(series)
      .catch(() => undefined)
  }

  async #keepMeasuring(node: NodeName, signal: AbortSignal): Promise<void> {
    const { cluster, history } = this.#parts
    while (!signal.aborted) {
      const lagS = await this.measure(node, 'guts_p2p_replication_lag_seconds')
      if (lagS !== undefined) history.lags.push({ node, atMs: cluster.nowMs, lagS })
      await pause(LAG_PAUSE_MS, signal)
    }
  }

  async #keepCloning(signal: AbortSignal): Promise<void> {
    const { cluster, repositories, seed } = this.#parts
    const random = new Random(seed)
    while (!signal.aborted) {
      const node = random.pick(NODES)
      const repository = random.pick(repositories)
      if (cluster.runs(node)) await this.#clone(node, repository, signal)
      await pause(CLONE_PAUSE_MS, signal)
    }
  }

  async #clone(node: NodeName, repository: string, signal: AbortSignal): Promise<void> {
    const { cluster, history } = this.#parts
    const path = join(cluster.folder, `clone-${++this.#clones}.git`)
    const url = cluster.readUrl(node, repository)
    const cloned = await cloneOnce({ node, repository, url, path, nowMs: () => cluster.nowMs, signal })
    if (cloned === undefined) return
    history.clones.push(cloned.clone)
    if (cloned.read !== undefined) history.reads.push(cloned.read)
  }
}

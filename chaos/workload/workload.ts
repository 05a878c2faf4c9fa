/** Everybody who uses the nodes during a run, and the history of what they saw. */
import { join } from 'node:path'
import { mkdirSync } from 'node:fs'
import { Random } from '../../integration/support/random.ts'
import type { Cluster } from '../cluster/cluster.ts'
import { type History, MIRRORS, type NodeName, NODES, type Read } from '../history.ts'
import { Workshop } from './commits.ts'
import { cloneOnce } from './cloner.ts'
import { listRefs } from './list-refs.ts'
import { Meeting } from './meeting.ts'
import { pause, Pusher } from './pusher.ts'

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

  /** Pushes until the signal aborts, and what has begun is over. */
  async push(signal: AbortSignal): Promise<void> {
    const { cluster, history, repositories, seed } = this.#parts
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
          nowMs: () => cluster.nowMs,
          onBegin: () => this.#tellBegun(),
          onPush: (push) => {
            this.#pushing--
            history.pushes.push(push)
          },
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

  /** Whether a node shows every repository, as it may not yet do when it has just begun to mirror. */
  async isListed(node: NodeName, signal: AbortSignal): Promise<boolean> {
    const reads = this.#parts.repositories.map((repository) => this.#list(node, repository, signal))
    return (await Promise.all(reads)).every((read) => read !== undefined)
  }

  #tellBegun(): void {
    this.#pushing++
    this.#begun.resolve()
    this.#begun = Promise.withResolvers<void>()
  }

  async #read(node: NodeName, repository: string, signal: AbortSignal): Promise<Read | undefined> {
    const read = await this.#list(node, repository, signal)
    if (read !== undefined) this.#parts.history.reads.push(read)
    return read
  }

  async #list(node: NodeName, repository: string, signal: AbortSignal): Promise<Read | undefined> {
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

  async #keepMeasuring(node: NodeName, signal: AbortSignal): Promise<void> {
    const { cluster, history } = this.#parts
    while (!signal.aborted) {
      const lagS = cluster.runs(node)
        ? await cluster
            .node(node)
            .metric('guts_p2p_replication_lag_seconds')
            .catch(() => undefined)
        : undefined
      if (lagS !== undefined) history.lags.push({ node, atMs: cluster.nowMs, lagS })
      await pause(LAG_PAUSE_MS, signal)
    }
  }

  async #keepCloning(signal: AbortSignal): Promise<void> {
    const { cluster, history, repositories, seed } = this.#parts
    const random = new Random(seed)
    const folder = join(cluster.folder, 'clones')
    mkdirSync(folder)
    while (!signal.aborted) {
      const node = random.pick(NODES)
      const repository = random.pick(repositories)
      if (cluster.runs(node)) {
        const url = cluster.readUrl(node, repository)
        history.clones.push(await cloneOnce({ node, repository, url, folder, nowMs: () => cluster.nowMs }))
      }
      await pause(CLONE_PAUSE_MS, signal)
    }
  }
}

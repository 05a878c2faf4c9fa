import { GutsError } from '../../errors.ts'
import { newOperation, runInContext } from '../../observability/context.ts'
import type { Database } from '../../storage/database/database.ts'
import { type MaintenanceRequest, MaintenanceRequests } from '../../storage/maintenance-requests.ts'
import type { LookedAt, RepositoryRow } from '../../storage/repositories/pack-rows.ts'
import { choosePacks } from './geometry.ts'
import { HELPED_OBJECTS_MIN } from './helps.ts'
import { MaintenanceRuns, PACKS_OUTSIDE_MAX, type RunsParts } from './runs.ts'

/** A repository whose maintenance failed is left alone for so long: a damaged pack would cost every push a run. */
const AGAIN_AFTER_FAILURE_MS = 3_600_000
const LOOK_FOR_REQUESTS_EVERY_MS = 1_000
/** How often repositories are looked at for what no push tells of: what no ref reaches any more, and is old by now. */
export const LOOK_AROUND_EVERY_MS = 24 * 3_600_000

export interface HousekeepingParts extends RunsParts {
  readonly database: Database
}

/**
 * Keeps repositories in order while they are used: one at a time, in a thread of its own, when pushes have made it
 * necessary, once a day, and where `guts repo gc` asks for it.
 */
export class Housekeeping {
  readonly runs: MaintenanceRuns
  readonly #parts: HousekeepingParts
  readonly #requests: MaintenanceRequests
  /** By id: waiting for their turn. */
  readonly #waiting = new Map<string, RepositoryRow>()
  #toLookAt: LookedAt[] = []
  #lookAroundAtMs = Number.POSITIVE_INFINITY
  /** By id: when its last run failed. */
  readonly #failedAtMs = new Map<string, number>()
  readonly #stopping = new AbortController()
  #timer: NodeJS.Timeout | undefined
  #working: Promise<void> | undefined

  constructor(parts: HousekeepingParts) {
    this.#parts = parts
    this.#requests = new MaintenanceRequests(parts.database)
    this.runs = new MaintenanceRuns(parts, this.#stopping.signal)
  }

  /** After the recovery: repositories of many packs wait for their turn, all are looked at, and requests looked for. */
  start(): void {
    for (const repository of this.#parts.rows.crowded(PACKS_OUTSIDE_MAX, HELPED_OBJECTS_MIN)) {
      if (this.#isNeeded(repository.id)) this.#waiting.set(repository.id, repository)
    }
    this.#lookAroundAtMs = Date.now()
    this.#timer = setInterval(() => this.#wake(), LOOK_FOR_REQUESTS_EVERY_MS)
    this.#timer.unref()
    this.#wake()
  }

  /** What runs is given up, or, once its packs take the others' place, finished. */
  async stop(): Promise<void> {
    clearInterval(this.#timer)
    this.#stopping.abort()
    await this.#working
  }

  /** A pack has come; returns at once. */
  packCame({ id, owner, name }: RepositoryRow): void {
    if (this.#timer === undefined || this.#waiting.has(id) || !this.#isNeeded(id) || this.#hasFailed(id)) return
    this.#waiting.set(id, { id, owner, name })
    this.#wake()
  }

  /** By what the database knows, which is quick, and seldom wrong; the run looks at the packs themselves. */
  #isNeeded(id: string): boolean {
    return this.runs.areHelpsDue(id) || this.#arePacksMany(id)
  }

  #arePacksMany(id: string): boolean {
    const packs = this.#parts.rows.of(id).filter(({ unreachableSinceMs }) => unreachableSinceMs === null)
    if (packs.length < PACKS_OUTSIDE_MAX) return false
    const sizes = packs.map(({ commits, trees, blobs, tags }) => ({ objects: commits + trees + blobs + tags }))
    return choosePacks(sizes).length >= PACKS_OUTSIDE_MAX
  }

  #hasFailed(id: string): boolean {
    return Date.now() - (this.#failedAtMs.get(id) ?? Number.NEGATIVE_INFINITY) < AGAIN_AFTER_FAILURE_MS
  }

  /** Nobody asked for it: in maintenance, or where the disk is full, it waits. */
  #isWritable(): boolean {
    try {
      this.#parts.writeGate.assertWritable()
      return true
    } catch {
      return false
    }
  }

  #wake(): void {
    if (this.#working !== undefined || this.#stopping.signal.aborted) return
    const isWaiting = this.#waiting.size > 0 || this.#toLookAt.length > 0 || Date.now() >= this.#lookAroundAtMs
    if (!(isWaiting && this.#isWritable()) && this.#requests.next() === undefined) return
    // Whoever woke it may be a push, whose lines and costs this is no part of.
    const work = runInContext(newOperation('maintenance'), () => this.#work())
    this.#working = work.finally(() => (this.#working = undefined))
  }

  async #work(): Promise<void> {
    for (;;) {
      if (this.#stopping.signal.aborted) return
      // Somebody waits for these.
      const request = this.#requests.next()
      if (request !== undefined) {
        await this.#answer(request)
        continue
      }
      if (!this.#isWritable()) return
      const [waiting] = this.#waiting.values()
      if (waiting !== undefined) {
        this.#waiting.delete(waiting.id)
        await this.#try(waiting, () => this.#bringIntoOrder(waiting))
        continue
      }
      this.#lookAround()
      const next = this.#toLookAt.shift()
      if (next === undefined) return
      if (!this.#hasFailed(next.repository.id)) await this.#try(next.repository, () => this.#look(next))
    }
  }

  async #try({ id }: RepositoryRow, work: () => Promise<void>): Promise<void> {
    try {
      await work()
    } catch {
      // It is logged and counted.
      this.#failedAtMs.set(id, Date.now())
    }
  }

  async #bringIntoOrder(repository: RepositoryRow): Promise<void> {
    await this.runs.bringTogether(repository)
    if (this.runs.areHelpsDue(repository.id)) await this.runs.keepHelps(repository, false)
  }

  #lookAround(): void {
    if (Date.now() < this.#lookAroundAtMs) return
    this.#lookAroundAtMs = Date.now() + LOOK_AROUND_EVERY_MS
    this.#toLookAt = this.#parts.rows.lookedAt(Date.now() - this.#parts.pruneGraceS * 1_000)
  }

  async #look({ repository, changed, aged }: LookedAt): Promise<void> {
    await this.runs.countPacks(repository)
    if (!changed && !aged) return
    // What changes while we look is looked at the next time.
    const sequence = this.#parts.tips.sequence(repository.id)
    const pruned = await this.runs.prune(repository, { aim: 'needed', nowMs: Date.now() })
    await this.#parts.rows.noteLook(repository.id, sequence)
    if (pruned !== undefined && this.runs.areHelpsDue(repository.id)) await this.runs.keepHelps(repository, false)
  }

  /** Where the node ends first, whoever asked does it without. */
  async #answer({ id, repository }: MaintenanceRequest): Promise<void> {
    try {
      const pruned = await this.runs.prune(repository, { aim: 'all', nowMs: Date.now() })
      await this.runs.keepHelps(repository, true)
      await this.#requests.answer(id, { done: true, result: pruned ?? null })
    } catch (error) {
      if (this.#stopping.signal.aborted) return
      const { code, message } = toFailure(error)
      await this.#requests.answer(id, { done: false, code, reason: message })
    }
  }
}

function toFailure(error: unknown): { readonly code: string; readonly message: string } {
  if (!(error instanceof GutsError)) return { code: 'failed', message: String(error) }
  const { code } = error.detail as { readonly code: string }
  return { code, message: error.message }
}

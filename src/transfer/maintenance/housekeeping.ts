import { GutsError } from '../../errors.ts'
import { annotateContext, newOperation, runInContext } from '../../observability/context.ts'
import type { Logger } from '../../observability/logging.ts'
import type { Metrics } from '../../observability/metrics.ts'
import type { Database } from '../../storage/database/database.ts'
import { type MaintenanceRequest, MaintenanceRequests } from '../../storage/maintenance-requests.ts'
import type { RepositoryRow } from '../../storage/repositories/pack-rows.ts'
import type { GitWorkers } from '../workers/pool.ts'
import { choosePacks } from './geometry.ts'
import { HELPED_OBJECTS_MIN, HelpsKeeper, type HelpsParts } from './helps.ts'
import { choose, repack, type RepackAim, type Repacked, type RepackParts } from './repack.ts'

/**
 * Packs outside the progression before maintenance brings them together by itself: fewer cost a look-up hardly anything,
 * and each run has its price.
 */
export const PACKS_OUTSIDE_MAX = 20
/** A repository whose maintenance failed is left alone for so long: a damaged pack would cost every push a run. */
const AGAIN_AFTER_FAILURE_MS = 3_600_000
const LOOK_FOR_REQUESTS_EVERY_MS = 1_000

export interface HousekeepingParts extends RepackParts, Omit<HelpsParts, 'onWritten'> {
  readonly workers: Pick<GitWorkers, 'repack' | 'helps'>
  readonly database: Database
  readonly metrics: Pick<
    Metrics,
    | 'maintenanceFilesWritten'
    | 'maintenanceRuns'
    | 'maintenanceDuration'
    | 'maintenancePacksReplaced'
    | 'maintenanceObjects'
  >
  readonly logger: Logger
}

/**
 * Keeps repositories in order while they are used: one at a time, in a thread of its own, when pushes have made it
 * necessary, and where `guts repo gc` asks for it.
 */
export class Housekeeping {
  readonly #parts: HousekeepingParts
  readonly #requests: MaintenanceRequests
  readonly #helps: HelpsKeeper
  /** By id: waiting for their turn. */
  readonly #waiting = new Map<string, RepositoryRow>()
  /** By id: when its last run failed. */
  readonly #failedAtMs = new Map<string, number>()
  readonly #stopping = new AbortController()
  #timer: NodeJS.Timeout | undefined
  #working: Promise<void> | undefined

  constructor(parts: HousekeepingParts) {
    this.#parts = parts
    this.#requests = new MaintenanceRequests(parts.database)
    this.#helps = new HelpsKeeper({
      ...parts,
      onWritten: (kind) => parts.metrics.maintenanceFilesWritten.inc({ kind }),
    })
  }

  /** After the recovery: repositories of many packs wait for their turn, and requests are looked for. */
  start(): void {
    for (const repository of this.#parts.rows.crowded(PACKS_OUTSIDE_MAX, HELPED_OBJECTS_MIN)) {
      if (this.#isNeeded(repository.id)) this.#waiting.set(repository.id, repository)
    }
    this.#timer = setInterval(() => this.#wake(), LOOK_FOR_REQUESTS_EVERY_MS)
    this.#timer.unref()
    this.#wake()
  }

  /** What runs is given up, or, once its pack takes the others' place, finished. */
  async stop(): Promise<void> {
    clearInterval(this.#timer)
    this.#stopping.abort()
    await this.#working
  }

  /** A pack has come; returns at once. */
  packCame({ id, owner, name }: RepositoryRow): void {
    if (this.#timer === undefined || this.#waiting.has(id) || !this.#isNeeded(id)) return
    const failedAtMs = this.#failedAtMs.get(id)
    if (failedAtMs !== undefined && Date.now() - failedAtMs < AGAIN_AFTER_FAILURE_MS) return
    this.#waiting.set(id, { id, owner, name })
    this.#wake()
  }

  /**
   * One run, whoever asks for it.
   *
   * @returns undefined where there is nothing to bring together
   * @throws as `repack`
   */
  async run(repository: RepositoryRow, aim: RepackAim): Promise<Repacked | undefined> {
    return runInContext(newOperation('maintenance'), async () => {
      annotateContext({ repository: `${repository.owner}/${repository.name}` })
      const chosen = await choose(this.#parts.files.path(repository), aim)
      const fewest = aim === 'few' ? PACKS_OUTSIDE_MAX : 2
      if (chosen.length < fewest) return undefined
      const startedAtMs = performance.now()
      const { metrics, logger } = this.#parts
      const count = (result: 'ok' | 'failed' | 'stopped'): void => {
        metrics.maintenanceRuns.inc({ result })
        metrics.maintenanceDuration.observe((performance.now() - startedAtMs) / 1_000)
      }
      try {
        const repacked = await repack(repository, chosen, this.#parts, this.#stopping.signal)
        const { packs, objects, bytesBefore, bytesAfter } = repacked
        count('ok')
        metrics.maintenancePacksReplaced.inc(packs)
        metrics.maintenanceObjects.inc(objects)
        const duration_ms = Math.round(performance.now() - startedAtMs)
        const fields = { packs, objects, bytes_before: bytesBefore, bytes_after: bytesAfter, duration_ms }
        logger.info(fields, 'Packs were brought together')
        return repacked
      } catch (err) {
        if (this.#stopping.signal.aborted) count('stopped')
        else {
          count('failed')
          logger.error({ err, packs: chosen.length }, 'Packs could not be brought together; they stay as they are')
        }
        throw err
      }
    })
  }

  /**
   * Writes what helps walks over the repository.
   *
   * @param anew also what is new enough
   * @throws as `HelpsKeeper.keep`
   */
  async keepHelps(repository: RepositoryRow, anew: boolean): Promise<void> {
    await runInContext(newOperation('maintenance'), async () => {
      annotateContext({ repository: `${repository.owner}/${repository.name}` })
      const startedAtMs = performance.now()
      const { logger } = this.#parts
      try {
        if (!(await this.#helps.keep(repository, anew, this.#stopping.signal))) return
        const duration_ms = Math.round(performance.now() - startedAtMs)
        logger.info({ duration_ms }, 'Bitmaps and the commit-graph were written')
      } catch (err) {
        if (!this.#stopping.signal.aborted) logger.error({ err }, 'Bitmaps and the commit-graph could not be written')
        throw err
      }
    })
  }

  /** By what the database knows, which is quick, and seldom wrong; the run looks at the packs themselves. */
  #isNeeded(id: string): boolean {
    return this.#helps.isDue(id) || this.#arePacksMany(id)
  }

  #arePacksMany(id: string): boolean {
    const packs = this.#parts.rows.of(id)
    if (packs.length < PACKS_OUTSIDE_MAX) return false
    const sizes = packs.map(({ commits, trees, blobs, tags }) => ({ objects: commits + trees + blobs + tags }))
    return choosePacks(sizes).length >= PACKS_OUTSIDE_MAX
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
    const isWaiting = this.#waiting.size > 0 && this.#isWritable()
    if (!isWaiting && this.#requests.next() === undefined) return
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
      const [next] = this.#waiting.values()
      if (next === undefined || !this.#isWritable()) return
      this.#waiting.delete(next.id)
      try {
        await this.run(next, 'few')
        if (this.#helps.isDue(next.id)) await this.keepHelps(next, false)
      } catch {
        // It is logged and counted.
        this.#failedAtMs.set(next.id, Date.now())
      }
    }
  }

  /** Where the node ends first, whoever asked does it without. */
  async #answer({ id, repository }: MaintenanceRequest): Promise<void> {
    try {
      const repacked = await this.run(repository, 'one')
      await this.keepHelps(repository, true)
      await this.#requests.answer(id, { done: true, result: repacked ?? null })
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

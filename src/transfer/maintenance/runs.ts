import { annotateContext, newOperation, runInContext } from '../../observability/context.ts'
import type { Logger } from '../../observability/logging.ts'
import type { Metrics } from '../../observability/metrics.ts'
import type { RepositoryRow } from '../../storage/repositories/pack-rows.ts'
import type { GitWorkers } from '../workers/pool.ts'
import { countPacks } from './count-packs.ts'
import { HelpsKeeper, type HelpsParts } from './helps.ts'
import { prune, type Pruned, type PruneOrder, type PruneParts } from './prune.ts'
import { choose, repack, type Repacked } from './repack.ts'

/**
 * Packs outside the progression before maintenance brings them together by itself: fewer cost a look-up hardly anything,
 * and each run has its price.
 */
export const PACKS_OUTSIDE_MAX = 20

export interface RunsParts extends PruneParts, Omit<HelpsParts, 'onWritten'> {
  readonly workers: Pick<GitWorkers, 'repack' | 'helps' | 'planPrune' | 'count'>
  readonly metrics: Pick<
    Metrics,
    | 'maintenanceFilesWritten'
    | 'maintenanceRuns'
    | 'maintenanceDuration'
    | 'maintenancePacksReplaced'
    | 'maintenanceObjects'
    | 'maintenancePrunedObjects'
    | 'maintenancePrunedBytes'
  >
  readonly logger: Logger
}

/** What maintenance does to one repository, whoever asks for it: each run has its line in the log, and is counted. */
export class MaintenanceRuns {
  readonly #parts: RunsParts
  readonly #helps: HelpsKeeper
  readonly #signal: AbortSignal

  constructor(parts: RunsParts, signal: AbortSignal) {
    this.#parts = parts
    this.#signal = signal
    this.#helps = new HelpsKeeper({
      ...parts,
      onWritten: (kind) => parts.metrics.maintenanceFilesWritten.inc({ kind }),
    })
  }

  /** @returns undefined where packs are too few. @throws as `repack` */
  async bringTogether(repository: RepositoryRow): Promise<Repacked | undefined> {
    const chosen = await choose(this.#parts.files.path(repository))
    if (chosen.length < PACKS_OUTSIDE_MAX) return undefined
    const work = (): Promise<Repacked> => repack(repository, chosen, this.#parts, this.#signal)
    return this.#run(repository, work, 'Packs were brought together', () => ({}))
  }

  /**
   * Brings everything together, and puts apart what no ref reaches: all of it, or what pays.
   *
   * @returns undefined where everything is as it should be
   * @throws as `prune`
   */
  async prune(repository: RepositoryRow, order: PruneOrder): Promise<Pruned | undefined> {
    const work = (): Promise<Pruned | undefined> => prune(repository, order, this.#parts, this.#signal)
    const pruned = await this.#run(repository, work, 'Packs were written anew', (done) => ({
      unreachable: done.unreachable,
      pruned_objects: done.prunedObjects,
      pruned_bytes: done.prunedBytes,
    }))
    if (pruned !== undefined) {
      // The commit-graph may have named what went, and went with it.
      if (pruned.prunedObjects > 0) this.#helps.forget(repository.id)
      this.#parts.metrics.maintenancePrunedObjects.inc(pruned.prunedObjects)
      this.#parts.metrics.maintenancePrunedBytes.inc(pruned.prunedBytes)
    }
    return pruned
  }

  /** By what the database knows, which is quick; the run looks at the files themselves. */
  areHelpsDue(id: string): boolean {
    return this.#helps.isDue(id)
  }

  /**
   * Writes what helps walks over the repository.
   *
   * @param anew also what is new enough
   * @throws as `HelpsKeeper.keep`
   */
  async keepHelps(repository: RepositoryRow, anew: boolean): Promise<void> {
    const startedAtMs = performance.now()
    await this.#inContext(repository, 'Bitmaps and the commit-graph could not be written', async () => {
      if (!(await this.#helps.keep(repository, anew, this.#signal))) return
      this.#parts.logger.info({ duration_ms: msSince(startedAtMs) }, 'Bitmaps and the commit-graph were written')
    })
  }

  /** @throws as `countPacks` */
  async countPacks(repository: RepositoryRow): Promise<void> {
    await this.#inContext(repository, 'Packs that others made could not be counted', async () => {
      if (!(await countPacks(repository, this.#parts, this.#signal))) return
      this.#parts.logger.info('Packs that others made were counted')
    })
  }

  #run<Done extends Repacked | undefined>(
    repository: RepositoryRow,
    work: () => Promise<Done>,
    done: string,
    more: (done: NonNullable<Done>) => Readonly<Record<string, number>>,
  ): Promise<Done> {
    const startedAtMs = performance.now()
    const { metrics, logger } = this.#parts
    const count = (result: 'ok' | 'failed' | 'stopped'): void => {
      metrics.maintenanceRuns.inc({ result })
      metrics.maintenanceDuration.observe((performance.now() - startedAtMs) / 1_000)
    }
    return this.#inContext(repository, 'Packs could not be written anew; they stay as they are', async () => {
      try {
        const result = await work()
        if (result === undefined) return result
        const { packs, objects, bytesBefore, bytesAfter } = result
        count('ok')
        metrics.maintenancePacksReplaced.inc(packs)
        metrics.maintenanceObjects.inc(objects)
        const fields = { packs, objects, bytes_before: bytesBefore, bytes_after: bytesAfter, ...more(result) }
        logger.info({ ...fields, duration_ms: msSince(startedAtMs) }, done)
        return result
      } catch (error) {
        count(this.#signal.aborted ? 'stopped' : 'failed')
        throw error
      }
    })
  }

  /** @param failed what the log says then */
  #inContext<T>({ owner, name }: RepositoryRow, failed: string, work: () => Promise<T>): Promise<T> {
    return runInContext(newOperation('maintenance'), async () => {
      annotateContext({ repository: `${owner}/${name}` })
      try {
        return await work()
      } catch (err) {
        if (!this.#signal.aborted) this.#parts.logger.error({ err }, failed)
        throw err
      }
    })
  }
}

function msSince(startedAtMs: number): number {
  return Math.round(performance.now() - startedAtMs)
}

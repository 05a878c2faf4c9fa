import { withSpan } from '../observability/tracing.ts'
import type { GitRequest } from './git-request.ts'
import type { ProgressWatch } from './progress-watch.ts'
import type { Sending } from './send-fetched-pack.ts'
import type { TransferParts } from './transfer.ts'
import type { DeepenResult, DeepenTask, MeasureResult } from './workers/tasks.ts'

/** What a fetch has worker threads find out, each in one of the slots of its repository. */
export class FetchTasks {
  readonly #request: GitRequest
  readonly #parts: TransferParts
  readonly #watch: ProgressWatch

  constructor({ request, parts, watch }: Sending) {
    this.#request = request
    this.#parts = parts
    this.#watch = watch
  }

  isReady(wants: readonly string[], common: readonly string[]): Promise<boolean> {
    return withSpan('git.negotiate', { wants: wants.length, common: common.length }, () =>
      this.#inSlot((repositoryPath) =>
        this.#parts.workers.negotiate({ repositoryPath, wants, common }, this.#watch.signal),
      ),
    )
  }

  deepen(task: Omit<DeepenTask, 'repositoryPath'>): Promise<DeepenResult> {
    return withSpan('git.deepen', { wants: task.wants.length, shallows: task.shallows.length }, () =>
      this.#inSlot((repositoryPath) => this.#parts.workers.deepen({ ...task, repositoryPath }, this.#watch.signal)),
    )
  }

  measure(oids: readonly string[]): Promise<MeasureResult> {
    return withSpan('git.measure', { objects: oids.length }, () =>
      this.#inSlot((repositoryPath) => this.#parts.workers.measure({ repositoryPath, oids }, this.#watch.signal)),
    )
  }

  /**
   * Waiting for a slot is not standing still: the queue is bounded, and the client may leave it. What then runs in a
   * worker reports by itself where it takes long.
   */
  #inSlot<T>(work: (repositoryPath: string) => Promise<T>): Promise<T> {
    const { repository, signal } = this.#request
    this.#watch.pause()
    return this.#parts.fetchSlots.run(repository.id, signal, () => work(this.#parts.files.path(repository)))
  }
}

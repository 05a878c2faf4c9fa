import { availableParallelism } from 'node:os'
import { Piscina } from 'piscina'
import type { WritableFile } from '../../storage/file-system.ts'
import type { BrowseResult, BrowseTask } from './browse-task.ts'
import { type TaskProgress, withServedFile } from './remote-file.ts'
import type {
  BuildResult,
  BuildTask,
  DeepenResult,
  DeepenTask,
  HelpsResult,
  HelpsTask,
  IndexResult,
  IndexTask,
  MeasureResult,
  MeasureTask,
  NegotiateTask,
  CountResult,
  CountTask,
  PrunePlan,
  PrunePlanTask,
  RepackResult,
  RepackTask,
} from './tasks.ts'

/** Tasks of one kind at a time: bulkheads in transfer.ts hand them out. */
export const SLOTS = Math.max(2, availableParallelism())
/**
 * Objects are inflated, looked at and dropped, so a small nursery does: measured with a push and a clone of 165,000
 * objects, 205 MB above idle instead of 324 at the default, in the same time.
 */
const YOUNG_GENERATION_MB = 8
/** A thread keeps its caches for as long as somebody may come back; the last one stays, and is told when nobody does. */
const IDLE_MS = 30_000

/** The caller opens the file that the task writes, and keeps it. */
export interface TaskFile {
  readonly file: Pick<WritableFile, 'write'>
  onProgress(progress: TaskProgress): void
}

type RunOptions = Pick<NonNullable<Parameters<Piscina['run']>[1]>, 'signal' | 'transferList'>

/**
 * The threads in which everything heavy happens: walking, inflating, hashing (DESIGN §5). The event loop stays free;
 * a task whose signal aborts is ended with its thread.
 */
export class GitWorkers {
  readonly #pool: Piscina
  #closed = false

  constructor() {
    const extension = import.meta.url.endsWith('.ts') ? 'ts' : 'js'
    this.#pool = new Piscina({
      filename: new URL(`git.worker.${extension}`, import.meta.url).href,
      minThreads: 1,
      resourceLimits: { maxYoungGenerationSizeMb: YOUNG_GENERATION_MB },
      idleTimeout: IDLE_MS,
      // One for each slot of fetches and pushes, so that a task with a slot never waits, one for browsing, and one for
      // maintenance, which does one thing at a time.
      maxThreads: 2 * SLOTS + 2,
      // Queues are bounded where work comes in (resilience/bulkhead.ts).
      maxQueue: Number.POSITIVE_INFINITY,
    })
  }

  index(task: Omit<IndexTask, 'port'>, file: TaskFile, signal: AbortSignal): Promise<IndexResult> {
    return this.#runWithFile('index', task, file, signal)
  }

  build(task: Omit<BuildTask, 'port'>, file: TaskFile, signal: AbortSignal): Promise<BuildResult> {
    return this.#runWithFile('build', task, file, signal)
  }

  repack(task: Omit<RepackTask, 'port'>, file: TaskFile, signal: AbortSignal): Promise<RepackResult> {
    return this.#runWithFile('repack', task, file, signal)
  }

  planPrune(task: PrunePlanTask, signal: AbortSignal): Promise<PrunePlan> {
    return this.#pool.run(task, { name: 'planPrune', signal })
  }

  count(task: CountTask, signal: AbortSignal): Promise<CountResult> {
    return this.#pool.run(task, { name: 'count', signal })
  }

  helps(task: HelpsTask, signal: AbortSignal): Promise<HelpsResult> {
    return this.#run('helps', task, { signal })
  }

  negotiate(task: NegotiateTask, signal: AbortSignal): Promise<boolean> {
    return this.#run('negotiate', task, { signal })
  }

  deepen(task: DeepenTask, signal: AbortSignal): Promise<DeepenResult> {
    return this.#run('deepen', task, { signal })
  }

  measure(task: MeasureTask, signal: AbortSignal): Promise<MeasureResult> {
    return this.#run('measure', task, { signal })
  }

  browse(task: BrowseTask, signal: AbortSignal): Promise<BrowseResult> {
    return this.#run('browse', task, { signal })
  }

  /**
   * When there is nothing to do: the thread that stays when the others end forgets what it has read, up to 32 MiB of
   * objects, and collects its garbage. Its modules stay, as to load them takes 200 ms of processor time.
   */
  rest(): Promise<void> {
    return this.#run('rest', {}, {})
  }

  async close(): Promise<void> {
    this.#closed = true
    await this.#pool.destroy()
  }

  /** The pool alone would begin threads anew for what comes after it was destroyed. */
  async #run<Result>(name: string, task: object, options: RunOptions): Promise<Result> {
    if (this.#closed) throw new Error('The worker threads are ended')
    return (await this.#pool.run(task, { name, ...options })) as Result
  }

  #runWithFile<Result>(
    name: 'index' | 'build' | 'repack',
    task: object,
    { file, onProgress }: TaskFile,
    signal: AbortSignal,
  ): Promise<Result> {
    return withServedFile(file, onProgress, (port) =>
      this.#run<Result>(name, { ...task, port }, { signal, transferList: [port] }),
    )
  }
}

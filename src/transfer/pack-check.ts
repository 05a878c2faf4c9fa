import { RequestError } from '../errors.ts'
import type { WritableFile } from '../storage/file-system.ts'
import type { PackIntake } from './receive-pack.ts'
import { Arrival } from './workers/arrival.ts'
import type { TaskFile } from './workers/pool.ts'
import type { TaskProgress } from './workers/remote-file.ts'
import type { IndexResult } from './workers/tasks.ts'

/** Less is through in a moment once it is there. */
const EARLY_BYTES = 1024 * 1024
/** Whoever takes longer to send that is slower than any check: a thread would only wait for him. */
const EARLY_MS = 250

export type Accepted = Extract<IndexResult, { accepted: true }> & {
  /** How often something was taken from the repository before the check began: what is taken after that, it may count on. */
  readonly withdrawals: number
}

/**
 * The check of one pack in a worker thread. Where one is free it begins while the pack is still coming, and has a head
 * start. That can only say yes: in every other case, also where it saw that something is wrong, the pack is checked once
 * more when it is whole, so that what clients read does not depend on how fast they send.
 */
export class PackCheck {
  readonly #file: WritableFile
  readonly #intake: PackIntake
  readonly #task: Parameters<PackIntake['parts']['workers']['index']>[0]
  readonly #beganAtMs = performance.now()
  readonly #ending = new AbortController()
  readonly #arrival = new Arrival()
  #tried = false
  #early: Promise<IndexResult> | undefined
  #withdrawals = 0
  #whole = false
  /** The check has begun to complete a thin pack: what is in the file is not what the client sent any more. */
  #changed = false

  constructor(file: WritableFile, packPath: string, intake: PackIntake) {
    const { repository, tips, parts } = intake
    const { limits } = parts
    this.#file = file
    this.#intake = intake
    this.#task = {
      repositoryPath: parts.files.path(repository),
      packPath,
      limits: {
        objectsMax: limits.packObjectsMax,
        objectBytesMax: limits.objectBytesMax,
        inflatedBytesMax: limits.packInflatedBytesMax,
        deltaDepthMax: limits.deltaDepthMax,
      },
      tips: Array.from(new Set(tips)),
    }
  }

  /**
   * @param bytes that are in the file, from its beginning on
   * @param objects that it declares
   */
  reached(bytes: number, objects: number): void {
    this.#arrival.reached(bytes)
    if (this.#tried || bytes < EARLY_BYTES) return
    this.#tried = true
    if (performance.now() - this.#beganAtMs > EARLY_MS) return
    const { repository, parts } = this.#intake
    this.#withdrawals = parts.files.packs.withdrawals(repository)
    const task = { ...this.#task, arrival: this.#arrival.shared }
    const { signal } = this.#ending
    this.#early = parts.packSlots.runEarly(repository.id, objects, this.#arrival, () =>
      parts.workers.index(task, this.#taskFile(), signal),
    )
    // It is awaited when the pack is whole; of one that never is, nobody has to hear what became of it.
    this.#early?.catch(() => {})
  }

  /**
   * When the whole pack is there.
   *
   * @throws RequestError bad_request: the sentence says what is wrong with the pack
   */
  async finish(objects: number): Promise<Accepted> {
    this.#whole = true
    const early = await this.#finishEarly()
    const result = early === undefined || (!early.accepted && early.early) ? await this.#checkWhole(objects) : early
    this.#intake.watch.progress()
    if (!result.accepted) throw new RequestError({ code: 'bad_request' }, result.reason)
    return { ...result, withdrawals: this.#withdrawals }
  }

  /** After the last use, however it ended: no thread reads the file then. */
  async close(): Promise<void> {
    this.#arrival.giveUp()
    await this.#early?.catch(() => {})
  }

  async #finishEarly(): Promise<IndexResult | undefined> {
    if (this.#early === undefined) return undefined
    const { signal } = this.#intake.watch
    const end = (): void => this.#ending.abort(signal.reason)
    if (signal.aborted) end()
    signal.addEventListener('abort', end, { once: true })
    const { repository, parts } = this.#intake
    // It may have taken long to come: what was taken away meanwhile costs the head start, and not the push.
    if (parts.files.packs.withdrawals(repository) === this.#withdrawals) this.#arrival.end()
    else this.#arrival.giveUp()
    try {
      return await this.#early
    } catch (err) {
      if (signal.aborted || this.#changed) throw err
      parts.logger.warn({ err }, 'A pack is checked once more: the check that began while it came failed')
      return undefined
    } finally {
      signal.removeEventListener('abort', end)
    }
  }

  #checkWhole(objects: number): Promise<IndexResult> {
    const { repository, watch, parts } = this.#intake
    // Waiting for a slot is not standing still: the queues are bounded, and the client may leave them.
    watch.pause()
    return parts.packSlots.run(repository.id, objects, watch.signal, async () => {
      watch.progress()
      this.#withdrawals = parts.files.packs.withdrawals(repository)
      return parts.workers.index(this.#task, this.#taskFile(), watch.signal)
    })
  }

  #taskFile(): TaskFile {
    return {
      file: {
        write: (bytes, position) => {
          this.#changed = true
          return this.#file.write(bytes, position)
        },
      },
      onProgress: (progress: TaskProgress) => {
        // Before, what moves is what the client sends, and it is not asked to read while it does.
        if (!this.#whole) return
        this.#intake.watch.progress()
        this.#intake.onProgress(progress)
      },
    }
  }
}

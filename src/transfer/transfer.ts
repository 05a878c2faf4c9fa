import type { Speaker } from '../git/protocol/advertisement.ts'
import { ProtocolError } from '../git/protocol/error.ts'
import type { Logger } from '../observability/logging.ts'
import type { Metrics } from '../observability/metrics.ts'
import { Bulkhead } from '../resilience/bulkhead.ts'
import type { DataPaths } from '../storage/data-directory.ts'
import type { FileSystem } from '../storage/file-system.ts'
import type { KeyedMutex } from '../storage/keyed-mutex.ts'
import type { ObserveStorage } from '../storage/observe.ts'
import type { RefStore } from '../storage/repositories/ref-store.ts'
import type { RepositoryFiles } from '../storage/repositories/repository-files.ts'
import type { WriteGate } from '../storage/write-gate.ts'
import { Advertiser, encodeErr } from './advertiser.ts'
import { Fetch } from './fetch.ts'
import type { GitRequest, RepositoryRef, TransferLimits } from './git-request.ts'
import { KnownFetches } from './known-fetches.ts'
import { observeOperation } from './operation.ts'
import { PackCache, type ReadyPack } from './pack-cache.ts'
import { PackSlots } from './pack-slots.ts'
import { Push } from './push.ts'
import { RefProjector } from './ref-projector.ts'
import { type MirrorUpdate, type Need, openReplicaPack, updateMirror } from './replica.ts'
import { type GitWorkers, SLOTS } from './workers/pool.ts'

/** What may wait for a worker thread, beyond what runs. */
const QUEUE_MAX = 200

export interface TransferOptions {
  readonly limits: TransferLimits
  readonly paths: DataPaths
  readonly fileSystem: FileSystem
  readonly files: RepositoryFiles
  readonly refs: RefStore
  readonly workers: Pick<GitWorkers, 'index' | 'build' | 'negotiate' | 'deepen' | 'measure'>
  readonly writeGate: WriteGate
  /** By `owner/name`: shared with whoever else changes what lies in a repository's folder. */
  readonly locks: KeyedMutex
  readonly observe: ObserveStorage
  readonly metrics: Metrics
  readonly logger: Logger
  /** The configured one, for repositories whose HEAD nobody chose. */
  readonly defaultBranch: string | undefined
  /** Told after each change of refs here, when it is durable; returns at once. */
  readonly onRefsChanged: (repository: RepositoryRef) => void
  /** Told after each pack that came with a change of refs; returns at once. */
  readonly onPackCame: (repository: RepositoryRef) => void
  readonly speaker: Speaker
}

export interface TransferParts extends TransferOptions {
  readonly advertiser: Advertiser
  readonly packs: PackCache
  readonly knownFetches: KnownFetches
  readonly fetchSlots: Bulkhead
  readonly packSlots: PackSlots
  readonly projector: RefProjector
  /** Runs with a folder of its own, which is gone afterwards however it ends. */
  quarantine<T>(work: (directory: string) => Promise<T>): Promise<T>
}

/** @throws ProtocolError repository_read_only: the sentence says where to push instead */
function assertPushable({ readOnly }: Pick<GitRequest, 'readOnly'>): void {
  if (readOnly !== undefined) throw new ProtocolError({ code: 'repository_read_only' }, readOnly)
}

/** Fetches and pushes as operations on streams: what the git routes call. */
export class Transfer {
  readonly projector: RefProjector
  readonly #parts: TransferParts

  constructor(options: TransferOptions) {
    const { fileSystem, files, paths, logger, metrics, limits } = options
    const slots = { slotsMax: SLOTS, slotsPerKeyMax: SLOTS, queueMax: QUEUE_MAX }
    this.projector = new RefProjector(options)
    this.#parts = {
      ...options,
      advertiser: new Advertiser(options.speaker, limits.advertisedRefsMax),
      packs: new PackCache(fileSystem, paths.quarantine, (err) =>
        logger.warn({ err }, 'A cached pack was not removed'),
      ),
      knownFetches: new KnownFetches(),
      fetchSlots: new Bulkhead({ name: 'fetch', ...slots }, metrics),
      packSlots: new PackSlots(QUEUE_MAX, metrics),
      projector: this.projector,
      async quarantine(work) {
        const directory = await files.openQuarantine()
        try {
          return await work(directory)
        } finally {
          await files.closeQuarantine(directory)
        }
      },
    }
  }

  /** The longest time in which a transfer may stand still. */
  get progressTimeoutMs(): number {
    return this.#parts.limits.progressTimeoutMs
  }

  /** `GET info/refs`. */
  async advertise(request: Omit<GitRequest, 'body'>): Promise<void> {
    const { service, version, answer, repository } = request
    const { advertiser, refs, metrics } = this.#parts
    if (version === '2' && service === 'git-upload-pack') {
      // What the server can do, and no ref yet: no operation has begun.
      answer.begin(advertiser.v2.length)
      return answer.end(advertiser.v2)
    }
    // Told here, a person reads why: git shows what comes instead of this listing, and not what comes instead of a report.
    if (service === 'git-receive-pack') this.#parts.writeGate.assertWritable()
    await observeOperation(request, metrics, async () => {
      let bytes: Buffer
      let refused = false
      try {
        if (service === 'git-receive-pack') assertPushable(request)
        bytes = advertiser.advertise(service, version === '2' ? '0' : version, refs.snapshot(repository.id))
      } catch (error) {
        if (!(error instanceof ProtocolError)) throw error
        refused = true
        bytes = encodeErr(error.message)
      }
      answer.begin(bytes.length)
      await answer.end(bytes)
      return refused ? 'refused' : 'ok'
    })
  }

  /** For a mirror of ours. @throws as openReplicaPack */
  openReplicaPack(repository: RepositoryRef, need: Need, signal: AbortSignal): Promise<ReadyPack> {
    return openReplicaPack(repository, need, signal, this.#parts)
  }

  /** As a mirror. @throws as updateMirror */
  updateMirror(update: MirrorUpdate): Promise<void> {
    return updateMirror(update, this.#parts)
  }

  /** `POST git-upload-pack`. */
  async fetch(request: GitRequest): Promise<void> {
    await observeOperation(request, this.#parts.metrics, () => new Fetch(request, this.#parts).run())
  }

  /** `POST git-receive-pack`. @throws RequestError unavailable: writes are refused now */
  async push(request: GitRequest): Promise<void> {
    await observeOperation(request, this.#parts.metrics, () => {
      this.#parts.writeGate.assertWritable()
      return new Push(request, this.#parts).run()
    })
  }
}

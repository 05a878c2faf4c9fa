import { newOperation, runInContext } from '../../observability/context.ts'
import type { Logger } from '../../observability/logging.ts'
import { withSpan } from '../../observability/tracing.ts'
import { type ChainEnd, LogError } from '../../storage/repositories/ref-log.ts'
import type { RefLog } from '../../storage/repositories/ref-log-store.ts'
import type { RepositoryRef } from '../../transfer/git-request.ts'
import type { PackSink } from '../../transfer/pack-sink.ts'
import type { Need } from '../../transfer/replica.ts'
import { ReplicaError } from '../../transfer/replica-rules.ts'
import type { Transfer } from '../../transfer/transfer.ts'
import type { ExchangeClient } from '../exchange-client.ts'
import { type HomeLogParts, readHomeLog } from './home-log.ts'

export interface MirrorParts extends HomeLogParts {
  readonly client: Pick<ExchangeClient, 'ask' | 'stateOf' | 'forget'>
  readonly log: RefLog
  readonly transfer: Pick<Transfer, 'updateMirror'>
  readonly logger: Logger
  /** A pack that says it is larger is not begun. */
  readonly packBytesMax: number
}

/** One repository that another node orders, and how far we are behind it. */
export class RepositoryMirror {
  readonly repository: RepositoryRef
  /** Its id at the home. */
  readonly homeId: string
  readonly #peer: string
  readonly #parts: MirrorParts
  #known: ChainEnd | undefined
  /** By `performance.now()`: when we first heard of an entry that is not here yet. */
  #behindSinceMs: number | undefined
  #running: Promise<void> | undefined
  /** The one after it, for whatever becomes known meanwhile. */
  #next: Promise<void> | undefined

  constructor(repository: RepositoryRef, { peer, homeId }: { peer: string; homeId: string }, parts: MirrorParts) {
    this.repository = repository
    this.homeId = homeId
    this.#peer = peer
    this.#parts = parts
  }

  get behindSinceMs(): number | undefined {
    return this.#behindSinceMs
  }

  /** Sequence of the last entry we know of. */
  get knownSequence(): number | undefined {
    return this.#known?.sequence
  }

  /** @returns undefined once the repository is gone here */
  get end(): ChainEnd | undefined {
    return this.#parts.log.end(this.repository.id)
  }

  /**
   * The home says where its log ends.
   *
   * @throws LogError chain_broken: it is not the log that we have followed (it may have been restored from a backup)
   */
  learn(head: ChainEnd): void {
    const { end } = this
    if (end === undefined) return
    // What was said before we came to where we are is no news; it may come late.
    if (head.sequence < end.sequence) return
    if (head.sequence === end.sequence && !end.hash.equals(head.hash)) {
      // There is an entry that can never be applied.
      this.#behindSinceMs ??= performance.now()
      throw new LogError({ code: 'chain_broken' }, `The home's entry ${head.sequence} is another one than ours`)
    }
    if (this.#known === undefined || head.sequence > this.#known.sequence) this.#known = head
    if (this.#known.sequence > end.sequence) this.#behindSinceMs ??= performance.now()
    else this.#behindSinceMs = undefined
  }

  /** The home shows it to nobody any more: what was not applied by now never will be, unless it comes back. */
  giveUp(): void {
    this.#known = undefined
    this.#behindSinceMs = undefined
  }

  /** Brings it up to what is known by now, one attempt at a time. */
  sync(signal: AbortSignal): Promise<void> {
    // What became known in its last moment it may not have seen. One more is enough for all who wait.
    if (this.#running !== undefined) {
      this.#next ??= this.#running.finally(() => (this.#next = undefined)).then(() => this.sync(signal))
      return this.#next
    }
    this.#running = runInContext(
      { ...newOperation('replication'), repository: `${this.repository.owner}/${this.repository.name}` },
      () => withSpan('replication.sync', { peer: this.#peer }, () => this.#sync(signal)),
    ).finally(() => {
      this.#running = undefined
    })
    return this.#running
  }

  async #sync(signal: AbortSignal): Promise<void> {
    const { log, logger, transfer, limits } = this.#parts
    const { repository, homeId } = this
    for (;;) {
      const end = log.end(repository.id)
      if (end === undefined || this.#known === undefined) return
      if (end.sequence >= this.#known.sequence) {
        this.#behindSinceMs = undefined
        return
      }
      const startedAtMs = performance.now()
      const home = { repository, homeId, peer: this.#peer, known: () => this.#known ?? end }
      const read = await readHomeLog(home, end, this.#parts, signal)
      if (read === undefined) continue
      const fetch = (need: Need, sink: PackSink): Promise<void> => this.#fetch(need, sink, signal)
      await transfer.updateMirror({ repository, from: end, ...read, refsMax: limits.refsMax, signal, fetch })
      const duration_ms = Math.round(performance.now() - startedAtMs)
      const { sequence } = log.end(repository.id) ?? end
      const entries = sequence - end.sequence
      logger.info({ peer: this.#peer, sequence, entries, duration_ms }, 'A mirror was brought up to date')
    }
  }

  /** An attempt that broke off goes on where it was, as long as the home has the same pack. */
  #fetch({ wants, haves }: Need, sink: PackSink, signal: AbortSignal): Promise<void> {
    const bytesOf = (oid: string): Buffer => Buffer.from(oid, 'hex')
    let checksum: Uint8Array | null = null
    return this.#parts.client.ask({
      peer: this.#peer,
      exchange: 'pack',
      signal,
      body: () => ({
        repository: this.homeId,
        wants: wants.map(bytesOf),
        haves: haves.map(bytesOf),
        offset: sink.bytes,
        checksum,
      }),
      take: async (answer, channel, attempt) => {
        if (answer.bytes > this.#parts.packBytesMax) {
          throw new ReplicaError(
            { code: 'pack_oversize' },
            `The pack has ${answer.bytes} bytes; the limit is ${this.#parts.packBytesMax}`,
          )
        }
        if (answer.offset !== sink.bytes || answer.offset > answer.bytes) {
          throw new ReplicaError({ code: 'pack_changed' }, 'The home has another pack by now; it is asked for anew')
        }
        checksum = answer.checksum
        for await (const piece of channel.rawBytes(answer.bytes - answer.offset)) {
          await sink.write(piece)
          attempt.progress()
        }
      },
    })
  }
}

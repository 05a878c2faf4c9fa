import { setImmediate } from 'node:timers/promises'
import { peerIdFromString } from '@libp2p/peer-id'
import { newOperation, runInContext } from '../../observability/context.ts'
import type { Logger } from '../../observability/logging.ts'
import { withSpan } from '../../observability/tracing.ts'
import {
  type ChainEnd,
  LogError,
  type SignedEntry,
  verifierOf,
  type VerifiedEntry,
  verifyChain,
} from '../../storage/repositories/ref-log.ts'
import type { RefLog } from '../../storage/repositories/ref-log-store.ts'
import type { RepositoryRef } from '../../transfer/git-request.ts'
import type { PackSink } from '../../transfer/pack-sink.ts'
import type { Need } from '../../transfer/replica.ts'
import { ReplicaError } from '../../transfer/replica-rules.ts'
import type { Transfer } from '../../transfer/transfer.ts'
import type { ExchangeClient } from '../exchange-client.ts'
import { WANTS_MAX } from '../wire/messages.ts'

/** Entries are gathered before they are applied as one batch: the objects of states in between may be gone. */
const BATCH_BYTES_MAX = 64 * 1024 * 1024
/** What they take in memory is a multiple of their bytes, the more so the smaller they are. */
const BATCH_ENTRIES_MAX = 50_000
const BATCH_CHANGES_MAX = 300_000
/** Checking a signature takes a tenth of a millisecond; others get their turn in between. */
const CHECKS_PER_TURN = 100

export interface MirrorParts {
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
    const { log, logger } = this.#parts
    for (;;) {
      const end = log.end(this.repository.id)
      if (end === undefined || this.#known === undefined) return
      if (end.sequence >= this.#known.sequence) {
        this.#behindSinceMs = undefined
        return
      }
      const startedAtMs = performance.now()
      const entries = await this.#entriesAfter(end, this.#known.sequence, signal)
      const { transfer } = this.#parts
      const fetch = (need: Need, sink: PackSink): Promise<void> => this.#fetch(need, sink, signal)
      await transfer.updateMirror({ repository: this.repository, from: end, entries, signal, fetch })
      const duration_ms = Math.round(performance.now() - startedAtMs)
      const sequence = entries.at(-1)?.sequence
      logger.info(
        { peer: this.#peer, sequence, entries: entries.length, duration_ms },
        'A mirror was brought up to date',
      )
    }
  }

  /** @throws LogError: what the home sent is not the continuation of its log */
  async #entriesAfter(end: ChainEnd, target: number, signal: AbortSignal): Promise<VerifiedEntry[]> {
    const key = peerIdFromString(this.#peer).publicKey
    if (key === undefined) throw new LogError({ code: 'signature_wrong' }, 'The peer id of the home names no key')
    const isSigned = verifierOf(key.raw)
    const all: VerifiedEntry[] = []
    let last: ChainEnd = end
    const size = { bytes: 0, changes: 0 }
    const isFull = (): boolean =>
      size.bytes >= BATCH_BYTES_MAX || size.changes >= BATCH_CHANGES_MAX || all.length >= BATCH_ENTRIES_MAX
    while (last.sequence < target && !isFull()) {
      const got = await this.#askForEntries(last.sequence, signal)
      if (got.length === 0) {
        throw new LogError(
          { code: 'sequence_gap' },
          `The home announced entry ${target} and has none after ${last.sequence}`,
        )
      }
      for (const signed of got) {
        // Those that are left are asked for again.
        if (isFull()) break
        for (const entry of verifyChain([signed], last, { repository: this.homeId, isSigned })) {
          all.push(entry)
          last = entry
          size.changes += entry.changes.length
        }
        size.bytes += signed.bytes.length
        if (all.length % CHECKS_PER_TURN === 0) await setImmediate()
      }
      signal.throwIfAborted()
    }
    return all
  }

  #askForEntries(after: number, signal: AbortSignal): Promise<SignedEntry[]> {
    return this.#parts.client.ask({
      peer: this.#peer,
      exchange: 'log',
      signal,
      body: () => ({ repository: this.homeId, after }),
      take: async ({ entries }) => entries.map(([bytes, signature]) => ({ bytes, signature })),
    })
  }

  /** An attempt that broke off goes on where it was, as long as the home has the same pack. */
  #fetch({ wants, haves }: Need, sink: PackSink, signal: AbortSignal): Promise<void> {
    if (wants.length > WANTS_MAX) {
      throw new ReplicaError(
        { code: 'refs_refused' },
        `A mirror takes at most ${WANTS_MAX} new objects of refs at once`,
      )
    }
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

import { setImmediate } from 'node:timers/promises'
import { peerIdFromString } from '@libp2p/peer-id'
import { RequestError } from '../../errors.ts'
import {
  type ChainEnd,
  LogError,
  type SignedEntry,
  verifierOf,
  type VerifiedEntry,
  verifyChain,
} from '../../storage/repositories/ref-log.ts'
import type { LoggedEntry, StagedEntries } from '../../storage/repositories/staged-entries.ts'
import type { RepositoryRef } from '../../transfer/git-request.ts'
import type { ExchangeClient } from '../exchange-client.ts'
import type { MirrorLimits } from './mirror-limits.ts'

/** Checking a signature takes a tenth of a millisecond; others get their turn in between. */
const CHECKS_PER_TURN = 100

export interface HomeLogParts {
  readonly client: Pick<ExchangeClient, 'ask'>
  readonly staged: StagedEntries
  readonly limits: MirrorLimits
}

/** A repository here, and where its log comes from. */
export interface FollowedLog {
  readonly repository: RepositoryRef
  /** Its id at the home. */
  readonly homeId: string
  /** Peer id of the home. */
  readonly peer: string
  /** Where the home says that it ends; it may say more while it is read. */
  known(): ChainEnd
}

export interface ReadLog {
  /** All of them, in order. */
  readonly entries: Iterable<LoggedEntry>
  /** The last ones, which are in memory alone. */
  readonly fresh: readonly VerifiedEntry[]
}

/**
 * Reads the log of a home to its end, from where the mirror is: the objects of states in between may be gone, so there is
 * no use for a part of it. What is too much to hold at once is staged on the way, each entry once it is verified; what an
 * earlier attempt has staged is not asked for again.
 *
 * @param end where the mirror is, before what is known
 * @returns undefined: what was staged was not the home's log any more, and is gone
 * @throws LogError what the home sent is not the continuation of its log; RequestError conflict, and as `StagedEntries.add`
 */
export async function readHomeLog(
  log: FollowedLog,
  end: ChainEnd,
  parts: HomeLogParts,
  signal: AbortSignal,
): Promise<ReadLog | undefined> {
  const { staged } = parts
  const { id } = log.repository
  const before = staged.end(id, end.sequence)
  const known = log.known()
  if (before !== undefined && known.sequence <= before.sequence) {
    // It is late news, or the home has lost what came after it: as it says, so it is for now.
    if (staged.has(id, known)) return { entries: staged.read(id, end.sequence, known.sequence), fresh: [] }
    await staged.drop(id)
    return undefined
  }
  const reader = new HomeLogReader(log, before ?? end, parts)
  try {
    await reader.run(signal)
  } catch (error) {
    // It may have another log by now, from a backup: the next time it is read from where the mirror is.
    if (isAnotherLog(error) && staged.end(id, end.sequence) !== undefined) await staged.drop(id)
    throw error
  }
  const { fresh } = reader
  return { entries: entriesOf(), fresh }

  function* entriesOf(): Generator<LoggedEntry> {
    yield* staged.read(id, end.sequence, (fresh[0]?.sequence ?? 0) - 1)
    yield* fresh
  }
}

function isAnotherLog(error: unknown): boolean {
  return error instanceof LogError && (error.detail.code === 'chain_broken' || error.detail.code === 'sequence_gap')
}

class HomeLogReader {
  readonly #log: FollowedLog
  readonly #parts: HomeLogParts
  readonly #isSigned: (entry: SignedEntry) => boolean
  #last: ChainEnd
  #fresh: VerifiedEntry[] = []
  #bytes = 0
  #changes = 0

  constructor(log: FollowedLog, last: ChainEnd, parts: HomeLogParts) {
    this.#log = log
    this.#last = last
    this.#parts = parts
    const key = peerIdFromString(log.peer).publicKey
    if (key === undefined) throw new LogError({ code: 'signature_wrong' }, 'The peer id of the home names no key')
    this.#isSigned = verifierOf(key.raw)
  }

  /** Verified, and not staged. */
  get fresh(): readonly VerifiedEntry[] {
    return this.#fresh
  }

  async run(signal: AbortSignal): Promise<void> {
    for (;;) {
      const { sequence: target } = this.#log.known()
      if (this.#last.sequence >= target) return
      const got = await this.#ask(signal)
      if (got.length === 0) {
        throw new LogError(
          { code: 'sequence_gap' },
          `The home announced entry ${target} and has none after ${this.#last.sequence}`,
        )
      }
      for (const [at, signed] of got.entries()) {
        if (this.#isFull()) await this.#stage()
        this.#take(signed)
        if (at % CHECKS_PER_TURN === CHECKS_PER_TURN - 1) await setImmediate()
      }
      signal.throwIfAborted()
    }
  }

  #isFull(): boolean {
    const { bytesMax, changesMax, entriesMax } = this.#parts.limits
    return this.#bytes >= bytesMax || this.#changes >= changesMax || this.#fresh.length >= entriesMax
  }

  async #stage(): Promise<void> {
    if (!(await this.#parts.staged.add(this.#log.repository.id, this.#fresh))) {
      throw new RequestError({ code: 'conflict' }, 'The mirror was changed meanwhile')
    }
    this.#fresh = []
    this.#bytes = 0
    this.#changes = 0
  }

  #take(signed: SignedEntry): void {
    const rules = { repository: this.#log.homeId, isSigned: this.#isSigned }
    for (const entry of verifyChain([signed], this.#last, rules)) {
      this.#fresh.push(entry)
      this.#last = entry
      this.#changes += entry.changes.length
    }
    this.#bytes += signed.bytes.length
  }

  #ask(signal: AbortSignal): Promise<SignedEntry[]> {
    const { homeId, peer } = this.#log
    return this.#parts.client.ask({
      peer,
      exchange: 'log',
      signal,
      body: () => ({ repository: homeId, after: this.#last.sequence }),
      take: async ({ entries }) => entries.map(([bytes, signature]) => ({ bytes, signature })),
    })
  }
}

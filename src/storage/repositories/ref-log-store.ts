import { RequestError } from '../../errors.ts'
import type { Database } from '../database/database.ts'
import type { ReadStatement } from '../database/reader.ts'
import type { Statement } from '../database/write.ts'
import type { Lease } from '../lease.ts'
import {
  type ChainEnd,
  CHANGES_MAX,
  encodeEntry,
  ENTRY_BYTES_MAX,
  hashEntry,
  type LogEntry,
  type LogSigner,
  NO_HASH,
  type SignedEntry,
  type VerifiedEntry,
} from './ref-log.ts'
import { continuationStatements, decodeChanges, entryStatement, moveStatement, rowStatement } from './ref-log-rows.ts'

/** A change of refs or of HEAD that is to have its line in the log. */
export interface LoggedChange {
  readonly repositoryId: string
  readonly updates: readonly RefChangeOf[]
  readonly userId: string | null
  /** Set where HEAD is to point to something else. */
  readonly head?: string
  /** Moves the time of the last push. */
  readonly isPush: boolean
}

interface RefChangeOf {
  readonly name: string
  readonly oldOid: string | undefined
  readonly newOid: string | undefined
}

/** One step of a mirror: entries that follow each other. */
export interface MirroredBatch {
  readonly repositoryId: string
  /** Where the mirror is. */
  readonly from: ChainEnd
  /** Where it arrives. */
  readonly to: Arrival
  /** Verified, up to `to`; those before them were staged (`StagedEntries`). */
  readonly entries: readonly VerifiedEntry[]
}

export interface Arrival extends ChainEnd {
  /** Of the entry, by the home's clock. */
  readonly timeMs: number
  /** What HEAD points to there; undefined: as before */
  readonly head: string | undefined
}

/** Where a repository's log ends. */
export interface LogEnd extends ChainEnd {
  /** Peer id of its home; null: this node. */
  readonly home: string | null
}

interface EntryRow {
  sequence: number
  time: number
  changes: string
  head: string | null
  hash: Uint8Array | null
  signature: Uint8Array | null
}

/** Entries that are signed in one transaction at the start after an upgrade. */
const SEALED_AT_ONCE = 500

/** The log of ref transactions in the database: what is appended, and what other nodes are given of it. */
export class RefLog {
  readonly #database: Pick<Database, 'read' | 'reader' | 'write'>
  readonly #signer: LogSigner
  readonly #end: ReadStatement
  readonly #entry: ReadStatement

  constructor(database: Pick<Database, 'read' | 'reader' | 'write'>, signer: LogSigner) {
    this.#database = database
    this.#signer = signer
    this.#end = database.reader.prepare(
      'SELECT sequence, log_hash, home FROM repositories WHERE id = ? AND deleted_at IS NULL',
    )
    this.#entry = database.reader.prepare(
      `SELECT sequence, time, changes, head, hash, signature FROM ref_transactions
        WHERE repository_id = ? AND sequence = ?`,
    )
  }

  /** @returns undefined where there is no such repository */
  end(repositoryId: string): LogEnd | undefined {
    const row = this.#end.get(repositoryId) as
      | { sequence: number; log_hash: Uint8Array | null; home: string | null }
      | undefined
    if (row === undefined) return undefined
    const hash = row.log_hash === null ? NO_HASH : Buffer.from(row.log_hash)
    return { sequence: row.sequence, hash, home: row.home }
  }

  /**
   * Entries after number `after`, for as many bytes as asked for, but at least one where there is one.
   *
   * @param repositoryId of a repository whose home is here
   */
  read(repositoryId: string, after: number, bytesWanted: number): SignedEntry[] {
    let previous = after === 0 ? NO_HASH : this.#row(repositoryId, after)?.hash
    const entries: SignedEntry[] = []
    for (let sequence = after + 1, bytes = 0; previous && bytes < bytesWanted; sequence++) {
      const row = this.#row(repositoryId, sequence)
      if (row === undefined || row.hash === null || row.signature === null) break
      const encoded = encodeEntry(toEntry(repositoryId, row, Buffer.from(previous)))
      entries.push({ bytes: encoded, signature: row.signature })
      bytes += encoded.length
      previous = row.hash
    }
    return entries
  }

  /**
   * For a transaction of the repository's home. The first statement fails where the log does not end there any more.
   *
   * @throws RequestError bad_request: the entry would be too large
   */
  appendStatements(change: LoggedChange, end: ChainEnd): Statement[] {
    const { repositoryId, userId, head } = change
    if (change.updates.length > CHANGES_MAX) {
      throw new RequestError({ code: 'bad_request' }, `A push changes at most ${CHANGES_MAX} refs; push them in parts`)
    }
    const now = Date.now()
    const changes = change.updates.map(({ name, oldOid, newOid }) => ({ ref: name, oldOid, newOid }))
    const sequence = end.sequence + 1
    const entry = { repository: repositoryId, sequence, timeMs: now, previous: end.hash, head, changes }
    const bytes = encodeEntry(entry)
    if (bytes.length > ENTRY_BYTES_MAX) {
      const message = `The names of the changed refs take more than ${ENTRY_BYTES_MAX} bytes; push them in parts`
      throw new RequestError({ code: 'bad_request' }, message)
    }
    const hash = hashEntry(bytes)
    const pushedAt = change.isPush ? now : null
    return [
      moveStatement({ repositoryId, end, sequence, hash, head, now, pushedAt }),
      rowStatement(repositoryId, { ...entry, hash, signature: this.#signer.sign(bytes) }, userId),
    ]
  }

  /** For a mirror, whose repository goes from `from` to `to`. The first statement fails where it is not at `from` any more. */
  mirrorStatements({ repositoryId, from, to, entries }: MirroredBatch): Statement[] {
    const { sequence, hash, timeMs, head } = to
    return [
      moveStatement({ repositoryId, end: from, sequence, hash, head, now: Date.now(), pushedAt: timeMs }),
      ...continuationStatements(repositoryId, entries),
      entryStatement(repositoryId, to),
    ]
  }

  /**
   * Signs what was written before there were signatures, so that mirrors can follow a log from its beginning. For the
   * start, before anybody can push.
   *
   * @returns how many entries
   */
  async sealOld(lease: Pick<Lease, 'guard'>): Promise<number> {
    const repositories = await this.#database.read
      .selectFrom('repositories')
      .select(['id', 'sequence', 'head', 'head_unborn'])
      .where('sequence', '>', 0)
      .where('log_hash', 'is', null)
      .execute()
    let sealed = 0
    for (const { id, sequence: last, head, head_unborn } of repositories) {
      let previous: Buffer = NO_HASH
      let statements: Statement[] = []
      for (let sequence = 1; sequence <= last; sequence++) {
        const row = this.#row(id, sequence)
        if (row === undefined) throw new TypeError(`The log of repository ${id} has no entry ${sequence}`)
        // When HEAD was chosen was not written down; where it points now is what the last entry says.
        const shown = sequence === last && head_unborn === 0 ? head : row.head
        const bytes = encodeEntry(toEntry(id, { ...row, head: shown }, previous))
        previous = hashEntry(bytes)
        statements.push({
          sql: 'UPDATE ref_transactions SET head = ?, hash = ?, signature = ? WHERE repository_id = ? AND sequence = ?',
          parameters: [shown, previous, this.#signer.sign(bytes), id, sequence],
        })
        sealed++
        if (statements.length < SEALED_AT_ONCE && sequence < last) continue
        if (sequence === last)
          statements.push({ sql: 'UPDATE repositories SET log_hash = ? WHERE id = ?', parameters: [previous, id] })
        await this.#database.write([lease.guard(), ...statements])
        statements = []
      }
    }
    return sealed
  }

  #row(repositoryId: string, sequence: number): EntryRow | undefined {
    return this.#entry.get(repositoryId, sequence) as EntryRow | undefined
  }
}

function toEntry(repository: string, row: EntryRow, previous: Buffer): LogEntry {
  const { sequence, time: timeMs, head } = row
  return { repository, sequence, timeMs, previous, head: head ?? undefined, changes: decodeChanges(row.changes) }
}

import { RequestError } from '../../errors.ts'
import { annotateContext } from '../../observability/context.ts'
import type { Database } from '../../storage/database/database.ts'
import type { ReadStatement } from '../../storage/database/reader.ts'
import { NO_HASH } from '../../storage/repositories/ref-log.ts'
import type { RefLog } from '../../storage/repositories/ref-log-store.ts'
import type { RepositoryRef } from '../../transfer/git-request.ts'
import type { ReadyPack } from '../../transfer/pack-cache.ts'
import { type PackReader, readPack } from '../../transfer/pack-reader.ts'
import type { Transfer } from '../../transfer/transfer.ts'
import type { Handlers, Served } from '../exchange-server.ts'
import { type Head, HEADS_PER_ANSWER_MAX } from '../wire/messages.ts'

/** Entries are gathered into one answer up to this. */
const LOG_ANSWER_BYTES = 1024 * 1024
const PIECE_BYTES = 256 * 1024
const CHECKSUM_BYTES = 20

export interface HomeParts {
  readonly database: Database
  readonly log: RefLog
  readonly transfer: Transfer
  readonly publicUrl: string | undefined
}

interface HeadRow {
  id: string
  owner: string
  name: string
  description: string
  head: string
  sequence: number
  log_hash: Uint8Array | null
}

interface Page {
  readonly heads: readonly HeadRow[]
  /** What to ask after for the rest; null: that was all. */
  readonly next: string | null
}

const SELECT = `SELECT r.id, o.name AS owner, r.name, r.description, r.head, r.sequence, r.log_hash
  FROM owners o JOIN repositories r ON r.owner_id = o.id`
/** What any peer may see: repositories of ours that everybody may read. */
const PUBLIC = 'r.private = 0 AND r.home IS NULL AND r.deleted_at IS NULL'

/**
 * This node as the home of its repositories: what other nodes may ask, and all of it only reads. What a peer may not see
 * and what does not exist are the same (I12).
 */
export class Home {
  readonly #parts: HomeParts
  readonly #page: ReadStatement
  readonly #named: ReadStatement
  readonly #byId: ReadStatement

  constructor(parts: HomeParts) {
    this.#parts = parts
    const { reader } = parts.database
    this.#page = reader.prepare(
      `${SELECT} WHERE ${PUBLIC} AND (o.name, r.name) > (?, ?) ORDER BY o.name, r.name LIMIT ${HEADS_PER_ANSWER_MAX}`,
    )
    this.#named = reader.prepare(`${SELECT} WHERE ${PUBLIC} AND o.name = ? AND r.name = ?`)
    this.#byId = reader.prepare(`${SELECT} WHERE ${PUBLIC} AND r.id = ?`)
  }

  get handlers(): Handlers {
    return {
      status: (served) => this.#status(served),
      log: (served) => this.#log(served),
      pack: (served) => this.#pack(served),
    }
  }

  /** @returns undefined where not every peer may know of it */
  headOf(repositoryId: string): Head | undefined {
    const row = this.#byId.get(repositoryId) as HeadRow | undefined
    return row === undefined ? undefined : toHead(row)
  }

  async #status({ request, answer }: Served<'status'>): Promise<void> {
    const { heads, next } = request.names === null ? this.#all(request.after) : this.#of(request.names, request.after)
    await answer({ url: this.#parts.publicUrl ?? null, heads: heads.map(toHead), next })
  }

  async #log({ request, answer }: Served<'log'>): Promise<void> {
    const { id } = this.#existing(request.repository)
    const entries = this.#parts.log.read(id, request.after, LOG_ANSWER_BYTES)
    await answer({ entries: entries.map(({ bytes, signature }) => [bytes, signature]) })
  }

  async #pack(served: Served<'pack'>): Promise<void> {
    const { request, signal } = served
    const repository = this.#existing(request.repository)
    const hex = (oid: Uint8Array): string => Buffer.from(oid).toString('hex')
    const need = { wants: request.wants.map(hex), haves: request.haves.map(hex) }
    const pack = await this.#parts.transfer.openReplicaPack(repository, need, signal)
    try {
      await sendPack(pack, served)
    } finally {
      await pack.reader.close()
    }
  }

  /** @throws RequestError not_found */
  #existing(repositoryId: string): RepositoryRef {
    const row = this.#byId.get(repositoryId) as HeadRow | undefined
    if (row === undefined) throw new RequestError({ code: 'not_found' }, 'There is no such repository')
    annotateContext({ repository: `${row.owner}/${row.name}` })
    return { id: row.id, owner: row.owner, name: row.name }
  }

  #all(after: string | null): Page {
    const [owner = '', name = ''] = (after ?? '').split('/')
    const heads = this.#page.all(owner, name) as unknown as HeadRow[]
    const last = heads.at(-1)
    const isMore = heads.length === HEADS_PER_ANSWER_MAX && last !== undefined
    return { heads, next: isMore ? `${last.owner}/${last.name}` : null }
  }

  #of(names: readonly string[], after: string | null): Page {
    const left = after === null ? names : names.slice(names.indexOf(after) + 1)
    const page = left.slice(0, HEADS_PER_ANSWER_MAX)
    const heads = page.flatMap((fullName) => {
      const [owner = '', name = ''] = fullName.split('/')
      return (this.#named.get(owner, name) as HeadRow | undefined) ?? []
    })
    return { heads, next: left.length > page.length ? (page.at(-1) ?? null) : null }
  }
}

function toHead({ id, owner, name, description, head, sequence, log_hash }: HeadRow): Head {
  return { repository: id, owner, name, description, head, sequence, hash: log_hash ?? NO_HASH }
}

/** The asker may have the beginning of it already: of this very pack, as its trailer says. */
async function sendPack({ reader, bytes, objects }: ReadyPack, served: Served<'pack'>): Promise<void> {
  const { request, answer, sendBytes } = served
  const checksum = await readAt(reader, bytes - CHECKSUM_BYTES, CHECKSUM_BYTES)
  const goesOn = request.checksum !== null && checksum.equals(request.checksum) && request.offset <= bytes
  const offset = goesOn ? request.offset : 0
  await answer({ bytes, objects, offset, checksum })
  const readPiece = (position: number): Promise<Buffer> => {
    const piece = readAt(reader, position, Math.min(PIECE_BYTES, bytes - position))
    // It is awaited in a moment; should it fail before that, nobody else has to hear of it.
    piece.catch(() => {})
    return piece
  }
  // The next piece is read while this one is sent.
  let next = offset < bytes ? readPiece(offset) : null
  try {
    for (let position = offset; next !== null;) {
      const piece = await next
      position += piece.length
      next = position < bytes ? readPiece(position) : null
      await sendBytes(piece)
    }
  } finally {
    // Whoever waits for us closes the file: nothing of ours is under way then.
    await next?.catch(() => {})
  }
}

/** Each time into memory of its own: the stream keeps what it was given until the network takes it. */
async function readAt(reader: PackReader, position: number, bytes: number): Promise<Buffer> {
  const buffer = Buffer.allocUnsafeSlow(bytes)
  await readPack(reader, [buffer], bytes, position)
  return buffer
}

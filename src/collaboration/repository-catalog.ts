import { annotateContext } from '../observability/context.ts'
import type { ReadStatement } from '../storage/database/reader.ts'
import type { RememberedStatement } from '../storage/database/remembered.ts'
import type { Database } from '../storage/database/database.ts'
import type { Caller } from './caller.ts'
import type { MirrorFacts } from '../storage/repositories/mirror-row.ts'
import { offsetOf, type PageOf, type PageRequest } from './page.ts'

/** A repository that the caller may read; there is no other way to get one. */
export interface FoundRepository {
  readonly id: string
  readonly owner: string
  readonly ownerId: string
  readonly name: string
  readonly description: string
  readonly private: boolean
  /** What HEAD points to: `refs/heads/main`, whether that branch exists or not. */
  readonly head: string
  /** No ref at all. */
  readonly empty: boolean
  readonly createdAtMs: number
  readonly updatedAtMs: number
  readonly pushedAtMs: number | null
  /** Whether the caller may push to it and change it. */
  readonly canWrite: boolean
  /** Set where another node orders its refs, and this one only follows. */
  readonly mirrorOf: Home | undefined
}

export interface Home {
  readonly peer: string
  /** Where people reach it, if it says so. */
  readonly url: string | undefined
}

interface RepositoryRow {
  id: string
  owner: string
  owner_id: string
  name: string
  description: string
  private: number
  head: string
  empty: number
  created_at: number
  updated_at: number
  pushed_at: number | null
  home: string | null
  home_url: string | null
}

const COLUMNS = `r.id, o.name AS owner, r.owner_id, r.name, r.description, r.private, r.head,
  NOT EXISTS (SELECT 1 FROM refs WHERE repository_id = r.id) AS empty, r.created_at, r.updated_at, r.pushed_at, r.home,
  r.home_url`
const FROM = 'FROM owners o JOIN repositories r ON r.owner_id = o.id'
/** The two parameters are the caller's id, or null, and whether it is an administrator. */
const VISIBLE = 'r.deleted_at IS NULL AND (r.private = 0 OR r.owner_id = ? OR ?)'
const OF_OWNER = '(? IS NULL OR o.name = ?)'

/**
 * Which repositories there are for whom. A repository that is hidden from the caller and one that does not exist are
 * the same here (I12): nothing that reads through the catalog can tell them apart.
 */
export class RepositoryCatalog {
  readonly #one: RememberedStatement
  readonly #page: ReadStatement
  readonly #pageCount: ReadStatement
  readonly #count: ReadStatement
  readonly #facts: ReadStatement

  constructor(database: Database) {
    const { reader } = database
    this.#one = reader.remember(
      `SELECT ${COLUMNS}, ${VISIBLE} AS visible ${FROM} WHERE o.name = ? AND r.name = ? AND r.deleted_at IS NULL`,
    )
    this.#page = reader.prepare(
      `SELECT ${COLUMNS} ${FROM} WHERE ${OF_OWNER} AND ${VISIBLE} ORDER BY o.name, r.name LIMIT ? OFFSET ?`,
    )
    this.#pageCount = reader.prepare(`SELECT count(*) AS count ${FROM} WHERE ${OF_OWNER} AND ${VISIBLE}`)
    this.#facts = reader.prepare(
      'SELECT description, home_url, private FROM repositories WHERE id = ? AND home IS NOT NULL AND deleted_at IS NULL',
    )
    this.#count = reader.prepare('SELECT count(*) AS count FROM repositories WHERE deleted_at IS NULL')
  }

  /**
   * On the path of every git request. Log lines name the repository also when the caller is
   * told nothing of it, but never one that is not there: whatever a client made up as a name stays out of the logs (I9).
   */
  find(owner: string, name: string, caller: Caller | undefined): FoundRepository | undefined {
    const row = this.#one.get(...viewer(caller), owner, name) as (RepositoryRow & { visible: number }) | undefined
    if (row === undefined) return undefined
    annotateContext({ repository: `${row.owner}/${row.name}` })
    return row.visible === 1 ? toFound(row, caller) : undefined
  }

  /** What the caller may read, sorted by owner and name. An owner that is not there has no repositories. */
  list(
    { owner, ...page }: PageRequest & { readonly owner?: string | undefined },
    caller: Caller | undefined,
  ): PageOf<FoundRepository> {
    const filter = [owner ?? null, owner ?? null, ...viewer(caller)]
    const rows = this.#page.all(...filter, page.perPage, offsetOf(page)) as unknown as RepositoryRow[]
    const { count } = this.#pageCount.get(...filter) as { count: number }
    return { items: rows.map((row) => toFound(row, caller)), total: count }
  }

  /** Whether all of this is so already of a mirror; also where it is gone. */
  isDescribed(id: string, { description, homeUrl, hidden }: MirrorFacts): boolean {
    const row = this.#facts.get(id) as { description: string; home_url: string | null; private: number } | undefined
    if (row === undefined) return true
    return (
      (description === undefined || description === row.description) &&
      (homeUrl === undefined || homeUrl === row.home_url) &&
      (hidden === undefined || Number(hidden) === row.private)
    )
  }

  /** Of all of them. */
  count(): number {
    return (this.#count.get() as { count: number }).count
  }
}

/** What who wants to change a mirror is told. */
export function mirrorSentence({ owner, name }: FoundRepository, { peer, url }: Home): string {
  const home = url === undefined ? `peer ${peer}` : `${url}/git/${owner}/${name}`
  return `${owner}/${name} is a mirror here; its home takes changes: ${home}`
}

function viewer(caller: Caller | undefined): [string | null, number] {
  return [caller?.userId ?? null, caller?.admin === true ? 1 : 0]
}

function toFound(row: RepositoryRow, caller: Caller | undefined): FoundRepository {
  return {
    id: row.id,
    owner: row.owner,
    ownerId: row.owner_id,
    name: row.name,
    description: row.description,
    private: row.private === 1,
    head: row.head,
    empty: row.empty === 1,
    createdAtMs: row.created_at,
    updatedAtMs: row.updated_at,
    pushedAtMs: row.pushed_at,
    mirrorOf: row.home === null ? undefined : { peer: row.home, url: row.home_url ?? undefined },
    canWrite: caller !== undefined && (caller.admin || caller.userId === row.owner_id),
  }
}

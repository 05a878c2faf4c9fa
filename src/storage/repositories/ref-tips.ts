import { NO_OID } from '../../git/object/no-oid.ts'
import type { Database } from '../database/database.ts'
import type { ReadStatement } from '../database/reader.ts'

/** Entries of a log that are read at once: others want the event loop, too. */
const ENTRIES_AT_ONCE = 1_000

/** What the refs of repositories point to, and pointed to: where everything that is to stay is reached from. */
export class RefTips {
  readonly #tips: ReadStatement
  readonly #sequence: ReadStatement
  readonly #changes: ReadStatement

  constructor({ reader }: Pick<Database, 'reader'>) {
    this.#tips = reader.prepare('SELECT DISTINCT oid FROM refs WHERE repository_id = ?')
    this.#sequence = reader.prepare('SELECT sequence FROM repositories WHERE id = ?')
    this.#changes = reader.prepare(`SELECT sequence, time, changes FROM ref_transactions
      WHERE repository_id = ? AND sequence < ? ORDER BY sequence DESC LIMIT ${ENTRIES_AT_ONCE}`)
  }

  /** @returns 40 hex digits each */
  of(repositoryId: string): string[] {
    return this.#tips.all(repositoryId).map(({ oid }) => String(oid))
  }

  /** Of the last transaction; any change of refs makes it another. */
  sequence(repositoryId: string): number {
    const row = this.#sequence.get(repositoryId) as { readonly sequence: number } | undefined
    return row?.sequence ?? 0
  }

  /**
   * What refs pointed to at any time since then, by the log: what they do now is mostly not among it.
   *
   * @param sinceMs since 1970
   * @returns 40 hex digits each, a part of the log at a time
   */
  *since(repositoryId: string, sinceMs: number): Generator<readonly string[]> {
    // Behind it, a mirror may have entries that it does not show yet.
    for (let before = this.sequence(repositoryId) + 1; ;) {
      const entries = this.#changes.all(repositoryId, before) as { sequence: number; time: number; changes: string }[]
      const recent = entries.filter(({ time }) => time >= sinceMs)
      const changes = recent.flatMap((entry) => JSON.parse(entry.changes) as { old: string; new: string }[])
      yield changes.flatMap((change) => [change.old, change.new]).filter((oid) => oid !== NO_OID)
      // Clocks may be wrong for an entry or two; a whole part that is older is not followed by younger ones.
      if (entries.length < ENTRIES_AT_ONCE || recent.length === 0) return
      before = entries.at(-1)?.sequence ?? 0
    }
  }
}

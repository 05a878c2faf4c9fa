import type { Database } from '../../storage/database/database.ts'
import type { ReadStatement } from '../../storage/database/reader.ts'

/** What an operator wants mirrored here. */
export interface Subscription {
  /** Peer id of the home. */
  readonly peer: string
  /** Multiaddr to reach it at; undefined: it is a bootstrap peer, or connects to us. */
  readonly address: string | undefined
  /** undefined: every repository of that peer that everybody may read */
  readonly repository: { readonly owner: string; readonly name: string } | undefined
}

/** A later address takes the place of an earlier one. */
export async function addSubscription(database: Database, { peer, address, repository }: Subscription): Promise<void> {
  await database.write([
    {
      sql: `INSERT INTO mirror_subscriptions (peer, address, owner, name, created_at) VALUES (?, ?, ?, ?, ?)
        ON CONFLICT DO UPDATE SET address = CASE WHEN excluded.address = '' THEN address ELSE excluded.address END`,
      parameters: [peer, address ?? '', repository?.owner ?? '', repository?.name ?? '', Date.now()],
    },
  ])
}

/** @returns false where there was none */
export async function removeSubscription(
  database: Database,
  { peer, repository }: Omit<Subscription, 'address'>,
): Promise<boolean> {
  const outcome = await database.write([
    {
      sql: 'DELETE FROM mirror_subscriptions WHERE peer = ? AND owner = ? AND name = ?',
      parameters: [peer, repository?.owner ?? '', repository?.name ?? ''],
      expectChanges: 1,
    },
  ])
  return outcome.committed
}

/** Reads them; cheap enough for every second. */
export class Subscriptions {
  readonly #all: ReadStatement

  constructor(database: Database) {
    this.#all = database.reader.prepare(
      'SELECT peer, address, owner, name FROM mirror_subscriptions ORDER BY peer, owner, name',
    )
  }

  list(): Subscription[] {
    const rows = this.#all.all() as unknown as { peer: string; address: string; owner: string; name: string }[]
    return rows.map(({ peer, address, owner, name }) => ({
      peer,
      address: address === '' ? undefined : address,
      repository: name === '' ? undefined : { owner, name },
    }))
  }
}

import { type Address, reachableHost } from '../config/network-values.ts'
import type { Database } from './database/database.ts'

/** Where the running node's internal listener is, so that commands on the same data find it. */
export const INTERNAL_ADDRESS_KEY = 'internal_address'

export async function setInternalAddress(database: Database, { host, port }: Address): Promise<void> {
  await database.write([
    {
      sql: 'INSERT INTO settings (key, value) VALUES (?, ?) ON CONFLICT DO UPDATE SET value = excluded.value',
      parameters: [INTERNAL_ADDRESS_KEY, JSON.stringify({ host: reachableHost(host), port })],
    },
  ])
}

/** @returns undefined where no node has ever run on this data; it may have ended since */
export function internalAddress(database: Database): Address | undefined {
  const row = database.reader.prepare('SELECT value FROM settings WHERE key = ?').get(INTERNAL_ADDRESS_KEY) as
    | { value: string }
    | undefined
  return row === undefined ? undefined : (JSON.parse(row.value) as Address)
}

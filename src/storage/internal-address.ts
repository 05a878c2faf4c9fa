import type { Database } from './database/database.ts'

/** Where the running node's internal listener is, so that commands on the same data find it. */
const KEY = 'internal_address'
const LOOPBACK: Readonly<Record<string, string>> = { '0.0.0.0': '127.0.0.1', '::': '::1' }

export async function setInternalAddress(
  database: Database,
  { host, port }: { readonly host: string; readonly port: number },
): Promise<void> {
  await database.write([
    {
      sql: 'INSERT INTO settings (key, value) VALUES (?, ?) ON CONFLICT DO UPDATE SET value = excluded.value',
      parameters: [KEY, JSON.stringify({ host: LOOPBACK[host] ?? host, port })],
    },
  ])
}

/** @returns undefined where no node has ever run on this data; it may have ended since */
export function internalAddress(database: Database): { readonly host: string; readonly port: number } | undefined {
  const row = database.reader.prepare('SELECT value FROM settings WHERE key = ?').get(KEY) as
    | { value: string }
    | undefined
  return row === undefined ? undefined : (JSON.parse(row.value) as { host: string; port: number })
}

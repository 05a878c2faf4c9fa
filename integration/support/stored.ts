/** Everything a node keeps, as it can be compared: what was refused must have left nothing (I4). */
import { readdirSync, readFileSync, statSync } from 'node:fs'
import { join, relative } from 'node:path'
import { DatabaseSync } from 'node:sqlite'

export interface Stored {
  /** Path and size of every file, and the contents of those that are refs. */
  readonly files: readonly string[]
  /** Number of rows by table. */
  readonly rows: Readonly<Record<string, number>>
  readonly refs: readonly string[]
}

/** Packs that were made for fetches are kept for the next ones that ask alike. */
const KEPT_FOR_FETCHES = /^quarantine\/[^/]+\.pack$/

const FOLDERS = ['repositories', 'quarantine', 'trash'] as const

export function storedIn(dataDirectory: string): Stored {
  const files = FOLDERS.flatMap((folder) => listing(dataDirectory, join(dataDirectory, folder))).sort()
  return { files, ...rowsIn(join(dataDirectory, 'guts.db')) }
}

/** Each push has a folder. */
export function pushesUnderWay(dataDirectory: string): string[] {
  const entries = readdirSync(join(dataDirectory, 'quarantine'), { withFileTypes: true })
  return entries.filter((entry) => entry.isDirectory()).map((entry) => entry.name)
}

function listing(root: string, folder: string): string[] {
  return readdirSync(folder, { recursive: true, withFileTypes: true }).flatMap((entry) => {
    const path = join(entry.parentPath, entry.name)
    const shown = relative(root, path)
    if (KEPT_FOR_FETCHES.test(shown)) return []
    if (entry.isDirectory()) return [`${shown}/`]
    const isRef = /\.git\/(?:HEAD$|packed-refs$|refs\/)/.test(shown)
    return [isRef ? `${shown} ${readFileSync(path, 'utf8')}` : `${shown} ${statSync(path).size}`]
  })
}

function rowsIn(database: string): Pick<Stored, 'rows' | 'refs'> {
  const db = new DatabaseSync(database, { readOnly: true })
  try {
    const tables = db.prepare("select name from sqlite_master where type = 'table' order by name").all()
    const rows = tables.map(({ name }) => {
      const count = db.prepare(`select count(*) as count from "${String(name)}"`).get()
      return [String(name), Number(count?.['count'])] as const
    })
    const refs = db.prepare('select repository_id, name, oid from refs order by 1, 2').all()
    return { rows: Object.fromEntries(rows), refs: refs.map((row) => Object.values(row).map(String).join(' ')) }
  } finally {
    db.close()
  }
}

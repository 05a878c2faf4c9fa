import { stat } from 'node:fs/promises'
import { hasErrorCode } from '../errors.ts'
import type { Metrics } from '../observability/metrics.ts'
import type { DataPaths } from './data-directory.ts'
import type { Database } from './database/database.ts'
import type { DiskSpace } from './disk-space.ts'

export interface StorageGaugesParts {
  readonly paths: DataPaths
  readonly database: Database
  readonly diskSpace: DiskSpace
  readonly metrics: Pick<Metrics, 'storageFree' | 'storageObjects' | 'storagePacks' | 'storageSize' | 'onCollect'>
}

/** SQLite keeps a log and an index of it beside the database. */
const DATABASE_SUFFIXES = ['', '-wal', '-shm']

/** What is stored, for each scrape: objects and packs from the database, where each push puts them. */
export function feedStorageGauges({ paths, database, diskSpace, metrics }: StorageGaugesParts): void {
  const statement = database.reader.prepare(`SELECT count(*) AS packs, coalesce(sum(bytes), 0) AS bytes,
    coalesce(sum(commits), 0) AS "commit", coalesce(sum(trees), 0) AS tree,
    coalesce(sum(blobs), 0) AS blob, coalesce(sum(tags), 0) AS tag FROM packs`)
  metrics.onCollect(async () => {
    const row = statement.get() as {
      packs: number
      bytes: number
      commit: number
      tree: number
      blob: number
      tag: number
    }
    const { packs, bytes, ...counts } = row
    metrics.storagePacks.set(packs)
    for (const type of ['commit', 'tree', 'blob', 'tag'] as const) metrics.storageObjects.set({ type }, counts[type])
    const sizes = await Promise.all(DATABASE_SUFFIXES.map((suffix) => sizeOf(paths.database + suffix)))
    metrics.storageSize.set(sizes.reduce((sum, size) => sum + size, bytes))
    metrics.storageFree.set((await diskSpace.look()).freeBytes)
  })
}

async function sizeOf(path: string): Promise<number> {
  try {
    return (await stat(path)).size
  } catch (error) {
    if (hasErrorCode(error, 'ENOENT')) return 0
    throw error
  }
}

import { randomBytes, randomUUID } from 'node:crypto'
import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import type { HealthCheck } from '../health/check.ts'
import type { Metrics } from '../observability/metrics.ts'
import { untilAborted } from '../resilience/timeout.ts'
import type { DataPaths } from './data-directory.ts'
import type { Database } from './database/database.ts'
import type { DiskSpace } from './disk-space.ts'
import type { FileSystem } from './file-system.ts'
import type { Lease } from './lease.ts'

export interface StorageCheckParts {
  readonly paths: DataPaths
  readonly fileSystem: FileSystem
  readonly database: Database
  readonly diskSpace: DiskSpace
  readonly metrics: Pick<Metrics, 'storageOperationDuration'>
}

const PROBE_BYTES = 512
const PROBE_KEY = 'health_check'

/** Does what a push needs: writes, syncs and reads a file back, commits to the database, and looks at the room left. */
export function storageCheck(parts: StorageCheckParts): HealthCheck {
  return {
    name: 'storage',
    async check(signal) {
      const startedAtMs = performance.now()
      try {
        // A disk or a lock that hangs must not hang the check.
        const outcomes = await untilAborted(
          signal,
          Promise.all([probeFiles(parts), probeDatabase(parts.database), parts.diskSpace.look()]),
        )
        const latency_ms = Math.round(performance.now() - startedAtMs)
        return { status: outcomes[2].low ? 'down' : 'up', latency_ms }
      } finally {
        const seconds = (performance.now() - startedAtMs) / 1_000
        parts.metrics.storageOperationDuration.observe({ operation: 'health_check' }, seconds)
      }
    },
  }
}

/** Up while this process holds the fenced lease on its data, and has renewed it lately. */
export function consensusCheck(lease: Pick<Lease, 'held'>): HealthCheck {
  return {
    name: 'consensus',
    async check() {
      return { status: lease.held ? 'up' : 'down', leader: lease.held }
    },
  }
}

/** Writes, syncs and reads back one small file: in the quarantine, where the next start removes what a crash may leave. */
export async function probeFiles({
  paths,
  fileSystem,
}: Pick<StorageCheckParts, 'paths' | 'fileSystem'>): Promise<void> {
  const path = join(paths.quarantine, `${randomUUID()}.probe`)
  const bytes = randomBytes(PROBE_BYTES)
  const file = await fileSystem.create(path)
  try {
    try {
      await file.write(bytes, 0)
      await file.sync()
    } finally {
      await file.close()
    }
    if (!bytes.equals(await readFile(path))) throw new Error('A file was read back with other bytes than were written')
  } finally {
    await fileSystem.unlink(path)
  }
}

async function probeDatabase(database: Database): Promise<void> {
  const value = randomUUID()
  await database.write([
    {
      sql: 'INSERT INTO settings (key, value) VALUES (?, ?) ON CONFLICT (key) DO UPDATE SET value = excluded.value',
      parameters: [PROBE_KEY, value],
      expectChanges: 1,
    },
  ])
  const row = await database.read.selectFrom('settings').select('value').where('key', '=', PROBE_KEY).executeTakeFirst()
  if (row?.value !== value) throw new Error('The database gave back another value than was written')
}

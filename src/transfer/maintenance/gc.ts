import { setTimeout as delay } from 'node:timers/promises'

import { RequestError } from '../../errors.ts'
import { type DataPaths, DirectoryLock } from '../../storage/data-directory.ts'
import type { Database } from '../../storage/database/database.ts'
import { DiskSpace } from '../../storage/disk-space.ts'
import { StorageError } from '../../storage/error.ts'
import { diskFileSystem } from '../../storage/file-system.ts'
import { KeyedMutex } from '../../storage/keyed-mutex.ts'
import { Lease } from '../../storage/lease.ts'
import { MaintenanceRequests } from '../../storage/maintenance-requests.ts'
import { PackRows, type RepositoryRow } from '../../storage/repositories/pack-rows.ts'
import { RefTips } from '../../storage/repositories/ref-tips.ts'
import { RepositoryFiles } from '../../storage/repositories/repository-files.ts'
import { GitWorkers } from '../workers/pool.ts'
import { HelpsKeeper } from './helps.ts'
import { prune, type Pruned } from './prune.ts'

const LOOK_EVERY_MS = 200

export interface GcPlace {
  readonly paths: DataPaths
  readonly database: Database
  readonly minFreeBytes: number | undefined
  readonly pruneGraceS: number
}

/**
 * Brings all packs of a repository together, apart from what no ref reaches, and prunes that: in this process, or, where a
 * node runs on this data, there, for it alone may change what lies in it.
 *
 * @returns undefined where everything is as it should be
 * @throws RequestError conflict: the node could not do it; what `repack` throws
 */
export async function gcRepository(repository: RepositoryRow, place: GcPlace): Promise<Pruned | undefined> {
  const requests = new MaintenanceRequests(place.database)
  let asked: string | undefined
  try {
    for (;;) {
      // Also while the node is asked: it may end.
      const lock = takeLock(place.paths)
      if (lock !== undefined) {
        try {
          return await gcHere(repository, place)
        } finally {
          lock.release()
        }
      }
      asked ??= await requests.ask(repository.id)
      const outcome = requests.outcome(asked)
      if (outcome === 'gone') throw new RequestError({ code: 'not_found' }, 'The repository was deleted meanwhile')
      if (outcome?.done === true) return (outcome.result ?? undefined) as Pruned | undefined
      if (outcome !== undefined) throw new RequestError({ code: 'conflict' }, outcome.reason)
      await delay(LOOK_EVERY_MS)
    }
  } finally {
    if (asked !== undefined) await requests.forget(asked)
  }
}

function takeLock(paths: DataPaths): DirectoryLock | undefined {
  try {
    return DirectoryLock.take(paths)
  } catch (error) {
    if (error instanceof StorageError && error.detail.code === 'data_directory_in_use') return undefined
    throw error
  }
}

async function gcHere(
  repository: RepositoryRow,
  { paths, database, minFreeBytes, pruneGraceS }: GcPlace,
): Promise<Pruned | undefined> {
  await using stack = new AsyncDisposableStack()
  const lease = new Lease(database, () => {})
  await lease.start()
  stack.defer(() => lease.stop())
  const files = new RepositoryFiles(paths, diskFileSystem)
  stack.defer(() => files.close())
  const workers = new GitWorkers()
  stack.defer(() => workers.close())
  const parts = {
    fileSystem: diskFileSystem,
    files,
    rows: new PackRows(database, lease),
    tips: new RefTips(database),
    pruneGraceS,
    workers,
    locks: new KeyedMutex(),
    // An operator who asks for it in maintenance means it; the lease is asked for in the database.
    writeGate: { assertWritable() {} },
    async roomBytes() {
      const { freeBytes, limitBytes } = await new DiskSpace(paths.root, minFreeBytes).look()
      return freeBytes - limitBytes
    },
  }
  const { signal } = new AbortController()
  const pruned = await prune(repository, { aim: 'all', nowMs: Date.now() }, parts, signal)
  await new HelpsKeeper({ ...parts, onWritten() {} }).keep(repository, true, signal)
  return pruned
}

import type { KeyedMutex } from '../../storage/keyed-mutex.ts'
import type { PackRows, RepositoryRow } from '../../storage/repositories/pack-rows.ts'
import type { RepositoryFiles } from '../../storage/repositories/repository-files.ts'
import { listStoredPacks } from '../../storage/repositories/stored-packs.ts'
import type { GitWorkers } from '../workers/pool.ts'

export interface CountParts {
  readonly files: RepositoryFiles
  readonly rows: PackRows
  readonly workers: Pick<GitWorkers, 'count'>
  readonly locks: KeyedMutex
}

/**
 * Makes the database say of a repository's packs what lies there, after an operator's git has put others in their place.
 *
 * @returns whether it said something else
 * @throws PackError, StorageError: something stored is damaged, the lease was lost …
 */
export async function countPacks(
  repository: RepositoryRow,
  { files, rows, workers, locks }: CountParts,
  signal: AbortSignal,
): Promise<boolean> {
  const key = `${repository.owner}/${repository.name}`
  // A push has its pack there a moment before its row, and holds the lock meanwhile.
  const { gone, uncounted } = await locks.run(key, async () => {
    const stored = await listStoredPacks(files.path(repository))
    const names = stored.map(({ name }) => name)
    const known = rows.of(repository.id).map(({ name }) => name)
    return {
      gone: known.filter((name) => !names.includes(name)),
      uncounted: stored.filter(({ name }) => !known.includes(name)),
    }
  })
  if (gone.length === 0 && uncounted.length === 0) return false
  const packs = uncounted.map(({ name }) => name)
  const counted =
    packs.length === 0 ? [] : await workers.count({ repositoryPath: files.path(repository), packs }, signal)
  const times = new Map(
    uncounted.map(({ name, kind, writtenAtMs }) => [name, kind === 'cruft' ? Math.floor(writtenAtMs) : null]),
  )
  await locks.run(key, async () => {
    rows.assertLive(repository.id)
    const here = new Set((await listStoredPacks(files.path(repository))).map(({ name }) => name))
    const found = counted.filter(({ name }) => here.has(name))
    await rows.replace(
      repository.id,
      gone.filter((name) => !here.has(name)),
      found.map((row) => ({ ...row, unreachableSinceMs: times.get(row.name) ?? null })),
    )
  })
  return true
}

import { withSpan } from '../../observability/tracing.ts'
import { StorageError } from '../../storage/error.ts'
import type { KeyedMutex } from '../../storage/keyed-mutex.ts'
import type { PackReplacement } from '../../storage/repositories/pack-files.ts'
import type { KnownPack, PackRows, RepositoryRow } from '../../storage/repositories/pack-rows.ts'
import type { RepositoryFiles } from '../../storage/repositories/repository-files.ts'
import { listStoredPacks, type StoredPack } from '../../storage/repositories/stored-packs.ts'
import type { WriteGate } from '../../storage/write-gate.ts'

export interface PublishParts {
  readonly files: RepositoryFiles
  readonly rows: PackRows
  /** By `owner/name`: shared with whoever else changes what lies in a repository's folder. */
  readonly locks: KeyedMutex
  readonly writeGate: WriteGate
}

export interface NewPacks extends PackReplacement {
  /** Under the lock: what the new packs were made of is as it was; else nothing is done. */
  isStill(): Promise<boolean>
  /** What the database is to say of them, and which rows go. @param stored the packs that there are, the new ones too */
  rowsOf(stored: readonly StoredPack[]): { readonly rows: readonly KnownPack[]; readonly gone: readonly string[] }
}

/**
 * New packs in the place of others: pushes wait for the renames, and nobody for anything else.
 *
 * @returns false where something has changed
 * @throws StorageError repository_missing, lease_lost …; RequestError unavailable: writes are refused now
 */
export function publishPacks(
  repository: RepositoryRow,
  packs: NewPacks,
  { files, rows, locks, writeGate }: PublishParts,
  signal: AbortSignal,
): Promise<boolean> {
  return locks.run(`${repository.owner}/${repository.name}`, () =>
    withSpan('maintenance.replace', { packs: packs.replaced.length }, async () => {
      signal.throwIfAborted()
      // Asked again: it may have taken long.
      writeGate.assertWritable()
      rows.assertLive(repository.id)
      if (!(await packs.isStill())) return false
      await files.packs.replace(repository, packs, async () => {
        const { rows: known, gone } = packs.rowsOf(await listStoredPacks(files.path(repository)))
        await rows.replace(repository.id, gone, known)
      })
      return true
    }),
  )
}

/** @throws StorageError disk_full, before anything is written */
export function assertRoom(neededBytes: number, roomBytes: number): void {
  if (neededBytes <= roomBytes) return
  throw new StorageError(
    { code: 'disk_full', freeBytes: roomBytes, limitBytes: neededBytes },
    `Writing packs anew needs ${neededBytes} bytes; there is room for ${roomBytes}`,
  )
}

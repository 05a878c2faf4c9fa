import { join } from 'node:path'

import type { DataPaths } from '../../storage/data-directory.ts'
import type { Database } from '../../storage/database/database.ts'
import type { RepositoryRow } from '../../storage/repositories/pack-rows.ts'
import { listStoredPacks } from '../../storage/repositories/stored-packs.ts'
import { choosePacks } from './geometry.ts'
import { PACKS_OUTSIDE_MAX } from './housekeeping.ts'

export interface RepositoryStats {
  readonly owner: string
  readonly name: string
  readonly refs: number
  readonly packs: number
  /** One that lies in two packs counts twice. */
  readonly objects: number
  /** Packs and their indexes. */
  readonly bytes: number
  readonly largest_pack_bytes: number
  /** Packs that an operator or git keeps as they are. */
  readonly packs_kept: number
  /** Packs that break the geometric progression. */
  readonly packs_outside: number
  /** With so many of them, a running node brings them together by itself. */
  readonly packs_outside_max: number
}

/** What is stored of a repository, by its folder and the database. */
export async function statsOf(
  { id, owner, name }: RepositoryRow,
  { paths, database }: { readonly paths: DataPaths; readonly database: Database },
): Promise<RepositoryStats> {
  const packs = await listStoredPacks(join(paths.repositories, owner, `${name}.git`))
  const row = database.reader.prepare('SELECT count(*) AS refs FROM refs WHERE repository_id = ?').get(id)
  return {
    owner,
    name,
    refs: (row as { refs: number }).refs,
    packs: packs.length,
    objects: packs.reduce((sum, pack) => sum + pack.objects, 0),
    bytes: packs.reduce((sum, pack) => sum + pack.bytes, 0),
    largest_pack_bytes: Math.max(0, ...packs.map(({ bytes }) => bytes)),
    packs_kept: packs.filter(({ marked }) => marked).length,
    packs_outside: choosePacks(packs.filter(({ marked }) => !marked)).length,
    packs_outside_max: PACKS_OUTSIDE_MAX,
  }
}

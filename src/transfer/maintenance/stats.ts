import { join } from 'node:path'

import type { DataPaths } from '../../storage/data-directory.ts'
import type { Database } from '../../storage/database/database.ts'
import type { RepositoryRow } from '../../storage/repositories/pack-rows.ts'
import { listStoredPacks, type StoredPack } from '../../storage/repositories/stored-packs.ts'
import { choosePacks } from './geometry.ts'
import { PACKS_OUTSIDE_MAX } from './runs.ts'

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
  /** Put apart because no ref reached them, for the time of the grace. */
  readonly unreachable_objects: number
  /** Packs of these and their indexes. */
  readonly unreachable_bytes: number
}

/** What is stored of a repository, by its folder and the database. */
export async function statsOf(
  { id, owner, name }: RepositoryRow,
  { paths, database }: { readonly paths: DataPaths; readonly database: Database },
): Promise<RepositoryStats> {
  const packs = await listStoredPacks(join(paths.repositories, owner, `${name}.git`))
  const of = (kind: StoredPack['kind']): StoredPack[] => packs.filter((pack) => pack.kind === kind)
  const row = database.reader.prepare('SELECT count(*) AS refs FROM refs WHERE repository_id = ?').get(id)
  return {
    owner,
    name,
    refs: (row as { refs: number }).refs,
    packs: packs.length,
    objects: packs.reduce((sum, pack) => sum + pack.objects, 0),
    bytes: packs.reduce((sum, pack) => sum + pack.bytes, 0),
    largest_pack_bytes: Math.max(0, ...packs.map(({ bytes }) => bytes)),
    packs_kept: of('kept').length,
    packs_outside: choosePacks(of('ordinary')).length,
    packs_outside_max: PACKS_OUTSIDE_MAX,
    unreachable_objects: of('cruft').reduce((sum, { objects }) => sum + objects, 0),
    unreachable_bytes: of('cruft').reduce((sum, { bytes }) => sum + bytes, 0),
  }
}

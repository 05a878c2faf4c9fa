/** For tests: packs as pushes leave them, and a repository with its rows that is maintained. */
import { readdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { crc32 } from 'node:zlib'
import { blob, type MadeObject, pack, whole } from '../../../integration/support/pack-maker.ts'
import { decodeMtimes } from '../../git/pack/mtimes-file.ts'
import { encodePackIndex, PackIndex } from '../../git/pack/index-file.ts'
import { diskFileSystem } from '../../storage/file-system.ts'
import { KeyedMutex } from '../../storage/keyed-mutex.ts'
import { Lease } from '../../storage/lease.ts'
import type { Database } from '../../storage/database/database.ts'
import { PackRows } from '../../storage/repositories/pack-rows.ts'
import { projectAll } from '../../storage/repositories/projection.ts'
import { signerOf } from '../../storage/repositories/ref-log.ts'
import { RefLog } from '../../storage/repositories/ref-log-store.ts'
import { RefStore } from '../../storage/repositories/ref-store.ts'
import { RefTips } from '../../storage/repositories/ref-tips.ts'
import { RepositoryFiles } from '../../storage/repositories/repository-files.ts'
import { openTestData } from '../../storage/testing.ts'
import type { GitWorkers } from '../workers/pool.ts'
import { countPacks } from './count-packs.ts'
import { prune, type Pruned, type PruneParts } from './prune.ts'
import type { PruneAim } from './pruning-limits.ts'

/** @returns its name. @param text of its one blob */
export function writePack(repositoryPath: string, text: string): string {
  return writePackOf(repositoryPath, [blob(text)])
}

/** @returns its name */
export function writePackOf(repositoryPath: string, objects: readonly MadeObject[]): string {
  const entries = objects.map((object) => whole(object))
  const bytes = pack(entries)
  let end = 12
  const offsets = Float64Array.from(entries, ({ length }) => (end += length) - length)
  const count = objects.length
  const oids = Buffer.concat(objects.map(({ oid }) => Buffer.from(oid, 'hex')))
  const crcs = Uint32Array.from(entries, (entry) => crc32(entry))
  const found = { count, oids, names: Int32Array.from(objects.keys()), crcs, offsets }
  const index = encodePackIndex(found, bytes.subarray(-20))
  const path = join(repositoryPath, 'objects/pack', `pack-${index.packName}`)
  writeFileSync(`${path}.pack`, bytes)
  writeFileSync(`${path}.idx`, index.bytes)
  return index.packName
}

export const SITE = { id: 'r', owner: 'alice', name: 'site' }
const SIGNAL = new AbortController().signal

export type MaintainedSite = Awaited<ReturnType<typeof openMaintainedSite>>

/** The rows of SITE, and of its owner. */
export async function insertSite(database: Database): Promise<void> {
  await database.write([
    { sql: `INSERT INTO owners (id, name, kind, created_at) VALUES ('o', 'alice', 'user', 1)`, parameters: [] },
    {
      sql: `INSERT INTO repositories (id, owner_id, name, description, private, head, created_at, updated_at)
        VALUES ('r', 'o', 'site', '', 0, 'refs/heads/main', 1, 1)`,
      parameters: [],
    },
  ])
}

/** A repository with its refs and packs in a database, as a node has them. */
export async function openMaintainedSite(pruneGraceS: number, workers: GitWorkers) {
  const stack = new AsyncDisposableStack()
  const data = stack.use(await openTestData())
  const lease = new Lease(data.database, () => {})
  await lease.start()
  stack.defer(() => lease.stop())
  const files = new RepositoryFiles(data.paths, diskFileSystem)
  stack.defer(() => files.close())
  await insertSite(data.database)
  await files.create(SITE, 'refs/heads/main')
  const path = files.path(SITE)
  const refs = new RefStore(data.database, lease, new RefLog(data.database, signerOf(Buffer.alloc(32, 1))))
  const parts: PruneParts = {
    fileSystem: diskFileSystem,
    files,
    rows: new PackRows(data.database, lease),
    tips: new RefTips(data.database),
    pruneGraceS,
    workers,
    locks: new KeyedMutex(),
    writeGate: { assertWritable() {} },
    roomBytes: async () => 2 ** 40,
  }
  return {
    path,
    parts,
    refs,
    /** @param wanted names of all refs, with what they are to point to */
    async setRefs(wanted: ReadonlyMap<string, string>): Promise<void> {
      const { byName } = refs.snapshot(SITE.id)
      const updates = [...new Set([...byName.keys(), ...wanted.keys()])]
        .map((name) => ({ name, oldOid: byName.get(name)?.oid, newOid: wanted.get(name), peeled: null }))
        .filter(({ oldOid, newOid }) => oldOid !== newOid)
      if (updates.length > 0) await refs.apply({ repositoryId: SITE.id, updates, userId: null })
      await projectAll(diskFileSystem, path, refs.snapshot(SITE.id).refs)
    },
    async count(): Promise<void> {
      await countPacks(SITE, { ...parts, workers }, SIGNAL)
    },
    prune: (aim: PruneAim = 'all', others: Partial<PruneParts> = {}): Promise<Pruned | undefined> =>
      prune(SITE, { aim, nowMs: Date.now() }, { ...parts, ...others }, SIGNAL),
    /** By the name of each pack: its objects, with their times where it has any. */
    packs: (): Map<string, Map<string, number | undefined>> => packsIn(path),
    [Symbol.asyncDispose]: () => stack.disposeAsync(),
  }
}

export function packsIn(repositoryPath: string): Map<string, Map<string, number | undefined>> {
  const directory = join(repositoryPath, 'objects/pack')
  const names = readdirSync(directory)
  const packs = names.filter((name) => name.endsWith('.idx')).map((name) => name.slice(0, -'.idx'.length))
  return new Map(
    packs.sort().map((name) => {
      const index = new PackIndex(readFileSync(join(directory, `${name}.idx`)))
      const mark = { objects: index.count, checksum: index.packChecksum }
      const times = names.includes(`${name}.mtimes`)
        ? decodeMtimes(readFileSync(join(directory, `${name}.mtimes`)), mark)
        : undefined
      return [name, new Map(Array.from({ length: index.count }, (_, rank) => [index.oidAt(rank), times?.[rank]]))]
    }),
  )
}

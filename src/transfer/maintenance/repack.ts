import { join } from 'node:path'
import { withSpan } from '../../observability/tracing.ts'
import { type FileSystem, writeDurably } from '../../storage/file-system.ts'
import type { KnownPack, RepositoryRow } from '../../storage/repositories/pack-rows.ts'
import { listStoredPacks, type StoredPack } from '../../storage/repositories/stored-packs.ts'
import type { GitWorkers } from '../workers/pool.ts'
import type { RepackResult, TakenPack } from '../workers/tasks.ts'
import { choosePacks } from './geometry.ts'
import { assertRoom, publishPacks, type PublishParts } from './publish.ts'

export interface RepackParts extends PublishParts {
  readonly fileSystem: FileSystem
  readonly workers: Pick<GitWorkers, 'repack'>
  /** How much may be written now, in bytes. */
  readonly roomBytes: () => Promise<number>
}

export interface Repacked {
  /** Packs that others took the place of. */
  readonly packs: number
  /** In the new ones. */
  readonly objects: number
  readonly bytesBefore: number
  readonly bytesAfter: number
}

/**
 * Those that make a geometric progression of all, when they become one.
 *
 * @returns none, or two and more: those that an operator or git keeps are left alone, and those of what no ref reaches
 */
export async function choose(repositoryPath: string): Promise<StoredPack[]> {
  return choosePacks((await listStoredPacks(repositoryPath)).filter(({ kind }) => kind === 'ordinary'))
}

/** The oldest one first: what came as a delta in one push is the base, and whole, in the next one. */
export function oldestFirst(packs: readonly StoredPack[]): string[] {
  return packs.toSorted((a, b) => a.writtenAtMs - b.writtenAtMs).map(({ name }) => name)
}

/**
 * Makes one pack of some of a repository's, which then go. Nobody waits for it: a push only for the renames, and whoever
 * reads what goes has it open, or finds the new one. No object is lost: what no ref reaches is taken along.
 *
 * @throws PackError, StorageError object_damaged: something stored is damaged, and everything stays as it is
 * @throws StorageError disk_full, repository_missing, lease_lost …; RequestError unavailable: writes are refused now
 */
export async function repack(
  repository: RepositoryRow,
  chosen: readonly StoredPack[],
  parts: RepackParts,
  signal: AbortSignal,
): Promise<Repacked> {
  const { files, rows, writeGate } = parts
  writeGate.assertWritable()
  const bytesBefore = chosen.reduce((sum, { bytes }) => sum + bytes, 0)
  assertRoom(bytesBefore, await parts.roomBytes())
  const directory = await files.openQuarantine()
  try {
    const taken = oldestFirst(chosen).map((name) => ({ name }))
    const made = await makePack(repository, taken, directory, parts, signal)
    const packs = {
      incoming: [{ quarantine: directory, packName: made.packName, hasTimes: false }],
      replaced: made.packs,
      areObjectsGone: false,
      isGraphStale: false,
      isStill: async () => true,
      rowsOf: (stored: readonly StoredPack[]) => newRow(made, rows.of(repository.id), stored),
    }
    await publishPacks(repository, packs, parts, signal)
    const bytesAfter = made.packBytes + made.index.length
    return { packs: made.packs.length, objects: made.objects, bytesBefore, bytesAfter }
  } finally {
    await files.closeQuarantine(directory)
  }
}

/** Into quarantine: the new pack, and its index. Durable when it resolves. */
export async function makePack(
  repository: RepositoryRow,
  packs: readonly TakenPack[],
  directory: string,
  { fileSystem, files, workers }: RepackParts,
  signal: AbortSignal,
): Promise<RepackResult> {
  const packPath = join(directory, 'incoming.pack')
  const file = await fileSystem.create(packPath)
  try {
    const task = { repositoryPath: files.path(repository), packPath, packs }
    const made = await withSpan('maintenance.repack', { packs: packs.length }, () =>
      workers.repack(task, { file, onProgress() {} }, signal),
    )
    await file.sync()
    await writeDurably(fileSystem, join(directory, 'incoming.idx'), made.index)
    return made
  } finally {
    await file.close()
  }
}

/**
 * What the database says of the new pack. It counts each object where it came first, so the sum of what goes is right;
 * rows whose packs an operator's git has replaced go with them. Where nothing else is stored, the pack itself says it.
 */
function newRow(
  made: RepackResult,
  rows: readonly KnownPack[],
  stored: readonly StoredPack[],
): { readonly rows: readonly KnownPack[]; readonly gone: readonly string[] } {
  const staying = stored.map(({ name }) => name).filter((name) => name !== made.packName && !made.packs.includes(name))
  const going = rows.filter(({ name }) => !staying.includes(name))
  const sum = (type: keyof RepackResult['counts']): number => going.reduce((total, row) => total + row[type], 0)
  const counts =
    staying.length === 0
      ? made.counts
      : { commits: sum('commits'), trees: sum('trees'), blobs: sum('blobs'), tags: sum('tags') }
  const row = { name: made.packName, bytes: made.packBytes + made.index.length, ...counts, unreachableSinceMs: null }
  return { rows: [row], gone: going.map(({ name }) => name) }
}

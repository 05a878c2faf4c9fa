import { join } from 'node:path'

import { withSpan } from '../../observability/tracing.ts'
import { StorageError } from '../../storage/error.ts'
import { type FileSystem, writeDurably } from '../../storage/file-system.ts'
import type { KeyedMutex } from '../../storage/keyed-mutex.ts'
import type { PackRows, RepositoryRow } from '../../storage/repositories/pack-rows.ts'
import type { PackRow } from '../../storage/repositories/ref-store.ts'
import type { RepositoryFiles } from '../../storage/repositories/repository-files.ts'
import { listStoredPacks, type StoredPack } from '../../storage/repositories/stored-packs.ts'
import type { WriteGate } from '../../storage/write-gate.ts'
import type { GitWorkers } from '../workers/pool.ts'
import type { RepackResult } from '../workers/tasks.ts'
import { choosePacks } from './geometry.ts'

export interface RepackParts {
  readonly fileSystem: FileSystem
  readonly files: RepositoryFiles
  readonly rows: PackRows
  readonly workers: Pick<GitWorkers, 'repack'>
  /** By `owner/name`: shared with whoever else changes what lies in a repository's folder. */
  readonly locks: KeyedMutex
  readonly writeGate: WriteGate
  /** How much may be written now, in bytes. */
  readonly roomBytes: () => Promise<number>
}

/** `few`: until the packs form a geometric progression; `one`: all of them. */
export type RepackAim = 'few' | 'one'

export interface Repacked {
  /** Packs that became one. */
  readonly packs: number
  readonly objects: number
  readonly bytesBefore: number
  readonly bytesAfter: number
}

/** @returns none, or two and more: those that an operator or git keeps are left alone */
export async function choose(repositoryPath: string, aim: RepackAim): Promise<StoredPack[]> {
  const packs = (await listStoredPacks(repositoryPath)).filter(({ marked }) => !marked)
  if (aim === 'few') return choosePacks(packs)
  return packs.length > 1 ? packs : []
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
  const { files, rows, locks, writeGate } = parts
  writeGate.assertWritable()
  const bytesBefore = chosen.reduce((sum, { bytes }) => sum + bytes, 0)
  const roomBytes = await parts.roomBytes()
  if (bytesBefore > roomBytes) {
    throw new StorageError(
      { code: 'disk_full', freeBytes: roomBytes, limitBytes: bytesBefore },
      `Bringing packs together needs ${bytesBefore} bytes; there is room for ${roomBytes}`,
    )
  }
  const directory = await files.openQuarantine()
  try {
    const made = await makePack(repository, chosen, directory, parts, signal)
    await locks.run(`${repository.owner}/${repository.name}`, () =>
      withSpan('maintenance.replace', { packs: made.packs.length }, async () => {
        signal.throwIfAborted()
        // Asked again: it may have taken long.
        writeGate.assertWritable()
        rows.assertLive(repository.id)
        const { packName, packs: replaced } = made
        await files.replacePacks(repository, directory, { packName, replaced }, async () => {
          const stored = await listStoredPacks(files.path(repository))
          const { row, gone } = newRow(made, rows.of(repository.id), stored)
          await rows.replace(repository.id, gone, row)
        })
      }),
    )
    const bytesAfter = made.packBytes + made.index.length
    return { packs: made.packs.length, objects: made.objects, bytesBefore, bytesAfter }
  } finally {
    await files.closeQuarantine(directory)
  }
}

/** Into quarantine: the new pack, and what is written beside it. Durable when it resolves. */
async function makePack(
  repository: RepositoryRow,
  chosen: readonly StoredPack[],
  directory: string,
  { fileSystem, files, workers }: RepackParts,
  signal: AbortSignal,
): Promise<RepackResult> {
  const packPath = join(directory, 'incoming.pack')
  const file = await fileSystem.create(packPath)
  try {
    // The oldest one first: what came as a delta in one push is the base, and whole, in the next one.
    const packs = chosen.toSorted((a, b) => a.writtenAtMs - b.writtenAtMs).map(({ name }) => name)
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
  rows: readonly PackRow[],
  stored: readonly StoredPack[],
): { readonly row: PackRow; readonly gone: readonly string[] } {
  const staying = stored.map(({ name }) => name).filter((name) => name !== made.packName && !made.packs.includes(name))
  const going = rows.filter(({ name }) => !staying.includes(name))
  const sum = (type: keyof RepackResult['counts']): number => going.reduce((total, row) => total + row[type], 0)
  const counts =
    staying.length === 0
      ? made.counts
      : { commits: sum('commits'), trees: sum('trees'), blobs: sum('blobs'), tags: sum('tags') }
  const row = { name: made.packName, bytes: made.packBytes + made.index.length, ...counts }
  return { row, gone: going.map(({ name }) => name) }
}

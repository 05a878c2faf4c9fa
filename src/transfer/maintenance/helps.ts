import { join } from 'node:path'

import type { MAINTENANCE_FILES } from '../../observability/label-sets.ts'
import { withSpan } from '../../observability/tracing.ts'
import { type FileSystem, writeDurably } from '../../storage/file-system.ts'
import type { KeyedMutex } from '../../storage/keyed-mutex.ts'
import type { PackRows, RepositoryRow } from '../../storage/repositories/pack-rows.ts'
import type { RefTips } from '../../storage/repositories/ref-tips.ts'
import type { RepositoryFiles } from '../../storage/repositories/repository-files.ts'
import type { WriteGate } from '../../storage/write-gate.ts'
import type { GitWorkers } from '../workers/pool.ts'

/** In fewer objects a walk is as quick as reading what would help it. */
export const HELPED_OBJECTS_MIN = 2_000
/** The commit-graph is written anew when history has grown by so much: commits beyond it are read as objects. */
const GROWTH = { factor: 1.25, commits: 500 } as const

export interface HelpsParts {
  readonly fileSystem: FileSystem
  readonly files: RepositoryFiles
  readonly rows: PackRows
  readonly tips: RefTips
  readonly workers: Pick<GitWorkers, 'helps'>
  /** By `owner/name`: shared with whoever else changes what lies in a repository's folder. */
  readonly locks: KeyedMutex
  readonly writeGate: WriteGate
  /** Told of each file that came to its place. */
  onWritten(kind: (typeof MAINTENANCE_FILES)[number]): void
}

/** Keeps commit-graphs and bitmaps, which walks are helped by, about as new as what they tell of. */
export class HelpsKeeper {
  readonly #parts: HelpsParts
  /** By id: as of when this process last looked. */
  readonly #kept = new Map<string, { readonly largest: string | undefined; readonly commits: number }>()

  constructor(parts: HelpsParts) {
    this.#parts = parts
  }

  /** By what the database knows, which is quick; the run looks at the files themselves. */
  isDue(id: string): boolean {
    const { objects, commits } = this.#parts.rows.totals(id)
    if (objects < HELPED_OBJECTS_MIN) return false
    const kept = this.#kept.get(id)
    if (kept === undefined) return true
    return commits > kept.commits * GROWTH.factor + GROWTH.commits || kept.largest !== this.#parts.rows.largest(id)
  }

  /** They may be gone. */
  forget(id: string): void {
    this.#kept.delete(id)
  }

  /**
   * @param anew also what is new enough
   * @returns whether anything was written
   * @throws PackError, StorageError: something stored is damaged, the lease was lost …
   */
  async keep(repository: RepositoryRow, anew: boolean, signal: AbortSignal): Promise<boolean> {
    const { fileSystem, files, rows, tips, workers, locks, writeGate } = this.#parts
    writeGate.assertWritable()
    const { commits } = rows.totals(repository.id)
    const largest = rows.largest(repository.id)
    const task = {
      repositoryPath: files.path(repository),
      tips: tips.of(repository.id),
      commitsKnown: (commits - GROWTH.commits) / GROWTH.factor,
      anew,
    }
    const made = await withSpan('maintenance.helps', { tips: task.tips.length }, () => workers.helps(task, signal))
    this.#kept.set(repository.id, { largest, commits })
    if (made.graph === undefined && made.bitmap === undefined) return false
    const directory = await files.openQuarantine()
    try {
      if (made.graph !== undefined) await writeDurably(fileSystem, join(directory, 'commit-graph'), made.graph)
      if (made.bitmap !== undefined) await writeDurably(fileSystem, join(directory, 'bitmap'), made.bitmap.bytes)
      await locks.run(`${repository.owner}/${repository.name}`, async () => {
        signal.throwIfAborted()
        writeGate.assertWritable()
        rows.assertLive(repository.id)
        await files.packs.placeHelps(repository, directory, {
          graph: made.graph !== undefined,
          bitmapOf: made.bitmap?.packName,
        })
      })
    } finally {
      await files.closeQuarantine(directory)
    }
    if (made.graph !== undefined) this.#parts.onWritten('commit_graph')
    if (made.bitmap !== undefined) this.#parts.onWritten('bitmap')
    return true
  }
}

/** Everything that a node does to its disk and its database, in order, as it can be played again on a model. */
import { mkdirSync } from 'node:fs'
import { join, relative } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import type { Database } from '../../src/storage/database/database.ts'
import { diskFileSystem, type FileSystem, type WritableFile } from '../../src/storage/file-system.ts'

/** Paths are relative to the data directory. */
export type Step =
  | { readonly kind: 'create'; readonly path: string; readonly file: number }
  | { readonly kind: 'write'; readonly file: number; readonly position: number; readonly bytes: Buffer }
  | { readonly kind: 'make folder'; readonly path: string }
  | { readonly kind: 'rename'; readonly from: string; readonly to: string }
  | { readonly kind: 'link'; readonly from: string; readonly to: string }
  | { readonly kind: 'unlink'; readonly path: string }
  | { readonly kind: 'remove folder'; readonly path: string }
  | { readonly kind: 'remove tree'; readonly path: string }
  /** What was done before it is durable once it ended; what is done meanwhile is not. */
  | { readonly kind: 'sync begun'; readonly sync: number; readonly file: number }
  | { readonly kind: 'folder sync begun'; readonly sync: number; readonly path: string }
  | { readonly kind: 'synced'; readonly sync: number; readonly path: string }
  /** From here to its end nobody can tell whether it is durable. */
  | { readonly kind: 'commit begun'; readonly commit: number }
  /** @property database a copy of it as it is from now on */
  | { readonly kind: 'committed'; readonly commit: number; readonly database: string }
  /** A client asked for something. */
  | { readonly kind: 'asked'; readonly operation: number }
  /** The client has its answer. */
  | { readonly kind: 'acknowledged'; readonly operation: number }

export function describeStep(step: Step | undefined): string {
  if (step === undefined) return 'nothing'
  if ('path' in step) return `${step.kind} ${withoutIds(step.path)}`
  if ('from' in step) return `${step.kind} ${withoutIds(step.from)} to ${withoutIds(step.to)}`
  return step.kind === 'write' ? `write of ${step.bytes.length} bytes at ${step.position}` : step.kind
}

/** A path without the parts that differ from run to run. */
export function withoutIds(path: string): string {
  return path.replaceAll(/[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}/g, 'UUID')
}

/** The real disk, and a record of what was done to it. What fails is not recorded: it did nothing. */
export class RecordingDisk implements FileSystem {
  readonly steps: Step[] = []
  readonly #root: string
  #files = 0
  #syncs = 0

  /** @param root the data directory: all that is written lies below it */
  constructor(root: string) {
    this.#root = root
  }

  async create(path: string, mode?: number): Promise<WritableFile> {
    const opened = await diskFileSystem.create(path, mode)
    const file = ++this.#files
    this.steps.push({ kind: 'create', path: this.#relative(path), file })
    return {
      write: async (bytes, position) => {
        // The caller may use its buffer again.
        const copy = Buffer.from(bytes)
        await opened.write(bytes, position)
        this.steps.push({ kind: 'write', file, position, bytes: copy })
      },
      sync: async () => {
        const sync = ++this.#syncs
        this.steps.push({ kind: 'sync begun', sync, file })
        await opened.sync()
        this.steps.push({ kind: 'synced', sync, path: this.#relative(path) })
      },
      close: () => opened.close(),
    }
  }

  async makeDirectory(path: string): Promise<void> {
    await diskFileSystem.makeDirectory(path)
    this.steps.push({ kind: 'make folder', path: this.#relative(path) })
  }

  async rename(from: string, to: string): Promise<void> {
    await diskFileSystem.rename(from, to)
    this.steps.push({ kind: 'rename', from: this.#relative(from), to: this.#relative(to) })
  }

  async link(from: string, to: string): Promise<void> {
    await diskFileSystem.link(from, to)
    this.steps.push({ kind: 'link', from: this.#relative(from), to: this.#relative(to) })
  }

  async unlink(path: string): Promise<void> {
    await diskFileSystem.unlink(path)
    this.steps.push({ kind: 'unlink', path: this.#relative(path) })
  }

  async removeDirectory(path: string): Promise<void> {
    await diskFileSystem.removeDirectory(path)
    this.steps.push({ kind: 'remove folder', path: this.#relative(path) })
  }

  async removeTree(path: string): Promise<void> {
    await diskFileSystem.removeTree(path)
    this.steps.push({ kind: 'remove tree', path: this.#relative(path) })
  }

  async syncDirectory(path: string): Promise<void> {
    const sync = ++this.#syncs
    this.steps.push({ kind: 'folder sync begun', sync, path: this.#relative(path) })
    await diskFileSystem.syncDirectory(path)
    this.steps.push({ kind: 'synced', sync, path: this.#relative(path) })
  }

  #relative(path: string): string {
    return relative(this.#root, path)
  }
}

/**
 * SQLite does not write through the port, and its own safety is trusted: a crash finds the database as one commit or
 * the next one left it. So each commit is a step, with a copy of the database.
 *
 * @param folder for the copies; made here
 */
export class CommitRecorder implements Disposable {
  readonly #steps: Step[]
  readonly #folder: string
  readonly #copier: DatabaseSync
  #commits = 0
  #last: Promise<unknown> = Promise.resolve()

  constructor(database: Database, databasePath: string, steps: Step[], folder: string) {
    mkdirSync(folder)
    this.#steps = steps
    this.#folder = folder
    this.#copier = new DatabaseSync(databasePath, { readOnly: true })
    this.#committed()
    const write = database.write.bind(database)
    // One at a time, so that the copy is of this commit and no other.
    database.write = (statements) => {
      const isRenewal = statements.some((one) => 'sql' in one && one.sql.includes('SET renewed_at'))
      const done = this.#last.then(async () => {
        if (isRenewal) return write(statements)
        this.#steps.push({ kind: 'commit begun', commit: ++this.#commits })
        const outcome = await write(statements)
        if (outcome.committed) this.#committed()
        return outcome
      })
      this.#last = done.catch(() => {})
      return done
    }
  }

  [Symbol.dispose](): void {
    this.#copier.close()
  }

  #committed(): void {
    const database = join(this.#folder, `${this.#commits}.db`)
    this.#copier.exec(`VACUUM INTO '${database}'`)
    this.#steps.push({ kind: 'committed', commit: this.#commits, database })
  }
}

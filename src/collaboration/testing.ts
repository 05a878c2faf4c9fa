/** For tests: the services on a real database and real folders, which go when the test is over. */
import { execFileSync } from 'node:child_process'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'

import pino from 'pino'

import { processEnvironment } from '../config/environment.ts'
import { createMetrics, type Metrics } from '../observability/metrics.ts'
import { type DataPaths, prepareDataDirectory } from '../storage/data-directory.ts'
import { Database } from '../storage/database/database.ts'
import { diskFileSystem, type FileSystem } from '../storage/file-system.ts'
import { KeyedMutex } from '../storage/keyed-mutex.ts'
import { Lease } from '../storage/lease.ts'
import { createStorageObserver } from '../storage/observe.ts'
import { signerOf } from '../storage/repositories/ref-log.ts'
import { RefLog } from '../storage/repositories/ref-log-store.ts'
import { RefStore } from '../storage/repositories/ref-store.ts'
import { RepositoryFiles } from '../storage/repositories/repository-files.ts'
import type { WriteGate } from '../storage/write-gate.ts'
import { RefProjector } from '../transfer/ref-projector.ts'
import type { Caller } from './caller.ts'
import { Repositories } from './repositories.ts'
import { Tokens } from './tokens.ts'
import { Users } from './users.ts'

export interface People extends AsyncDisposable {
  readonly paths: DataPaths
  readonly database: Database
  readonly lease: Lease
  readonly files: RepositoryFiles
  readonly refs: RefStore
  readonly metrics: Metrics
  readonly users: Users
  readonly tokens: Tokens
  readonly repositories: Repositories
  /** Makes a user with a token. */
  join(username: string, role?: 'admin'): Promise<Caller & { readonly token: string }>
}

const OPEN: WriteGate = { assertWritable() {} }

export async function openPeople(
  options: { readonly fileSystem?: FileSystem; readonly writeGate?: WriteGate } = {},
): Promise<People> {
  const root = mkdtempSync(join(tmpdir(), 'guts-people-'))
  const paths = await prepareDataDirectory(root)
  const database = await Database.open(paths.database)
  const onError = (error: unknown): void => {
    throw error
  }
  const lease = new Lease(database, onError)
  await lease.start()
  const fileSystem = options.fileSystem ?? diskFileSystem
  const files = new RepositoryFiles(paths, fileSystem)
  const metrics = createMetrics({ routePaths: [], version: '1.2.3', onCollectError: onError })
  const refs = new RefStore(database, lease, new RefLog(database, signerOf(new Uint8Array(32))))
  const observe = createStorageObserver(metrics)
  const logger = pino({ level: 'silent' })
  const projector = new RefProjector({ fileSystem, files, refs, observe, logger })
  const users = new Users(database)
  const tokens = new Tokens(database)
  const repositories = new Repositories({
    database,
    lease,
    refs,
    files,
    writeGate: options.writeGate ?? OPEN,
    locks: new KeyedMutex(),
    showHead: (repository, head) => projector.show(repository, [], head),
    observe,
    logger,
  })
  return {
    paths,
    database,
    lease,
    files,
    refs,
    metrics,
    users,
    tokens,
    repositories,
    async join(username, role) {
      const user = await users.create({ username, admin: role === 'admin' })
      const { token, id } = await tokens.create({ userId: user.id, name: 'test' })
      return { userId: user.id, username, admin: user.admin, tokenId: id, token }
    },
    async [Symbol.asyncDispose]() {
      lease.stop()
      files.close()
      await database.close()
      rmSync(root, { recursive: true })
    },
  }
}

/** Runs the machine's git, away from whoever's configuration. */
export function git(directory: string, ...args: string[]): string {
  return gitWith({}, directory, ...args)
}

export function gitWith(
  { input, env }: { readonly input?: string; readonly env?: Readonly<Record<string, string>> },
  directory: string,
  ...args: string[]
): string {
  const someone = { name: 'Ann Löwe', email: 'ann@example.org' }
  return execFileSync('git', args, {
    cwd: directory,
    encoding: 'utf8',
    stdio: ['pipe', 'pipe', 'pipe'],
    input: input ?? '',
    maxBuffer: 2 ** 28,
    env: {
      PATH: processEnvironment()['PATH'],
      GIT_CONFIG_NOSYSTEM: '1',
      HOME: '/nonexistent',
      LC_ALL: 'C',
      GIT_AUTHOR_NAME: someone.name,
      GIT_AUTHOR_EMAIL: someone.email,
      GIT_COMMITTER_NAME: someone.name,
      GIT_COMMITTER_EMAIL: someone.email,
      ...env,
    },
  })
}

/** Answers with the error's data, or with what came instead. */
export async function failureOf(work: () => unknown): Promise<unknown> {
  try {
    return { returned: await work() }
  } catch (error) {
    return error instanceof Error && 'detail' in error ? error.detail : error
  }
}

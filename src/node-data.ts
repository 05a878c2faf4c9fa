/** The half of the composition root that has to do with data: what lies on disk, and the services on top of it. */
import { availableParallelism } from 'node:os'
import { DAY_S } from './config/rules.ts'
import type { Config } from './config/schema.ts'
import { Browse } from './collaboration/browse.ts'
import { feedGauges } from './collaboration/gauges.ts'
import { Repositories } from './collaboration/repositories.ts'
import { Tokens } from './collaboration/tokens.ts'
import { Users } from './collaboration/users.ts'
import type { Speaker } from './git/protocol/advertisement.ts'
import type { Logger } from './observability/logging.ts'
import type { Metrics } from './observability/metrics.ts'
import { Bulkhead } from './resilience/bulkhead.ts'
import {
  clearLeftovers,
  type DataPaths,
  DirectoryLock,
  prepareDataDirectory,
  unusable,
} from './storage/data-directory.ts'
import { Database } from './storage/database/database.ts'
import { DiskSpace } from './storage/disk-space.ts'
import type { FileSystem } from './storage/file-system.ts'
import { feedStorageGauges } from './storage/gauges.ts'
import { probeFiles } from './storage/health.ts'
import { KeyedMutex } from './storage/keyed-mutex.ts'
import { Lease } from './storage/lease.ts'
import { Maintenance } from './storage/maintenance.ts'
import { createStorageObserver } from './storage/observe.ts'
import { PackRows } from './storage/repositories/pack-rows.ts'
import { signerOf } from './storage/repositories/ref-log.ts'
import { RefTips } from './storage/repositories/ref-tips.ts'
import { RefLog } from './storage/repositories/ref-log-store.ts'
import { RefStore } from './storage/repositories/ref-store.ts'
import { StagedEntries } from './storage/repositories/staged-entries.ts'
import { RepositoryFiles } from './storage/repositories/repository-files.ts'
import { WriteConditions } from './storage/write-conditions.ts'
import type { RepositoryRef } from './transfer/git-request.ts'
import { Housekeeping } from './transfer/maintenance/housekeeping.ts'
import { Transfer } from './transfer/transfer.ts'
import { GitWorkers } from './transfer/workers/pool.ts'

export interface NodeDataOptions {
  readonly config: Config
  /** 32 bytes: the node's Ed25519 key, which signs the log of its repositories. */
  readonly privateKeySeed: Uint8Array
  readonly speaker: Speaker
  readonly fileSystem: FileSystem
  readonly metrics: Metrics
  readonly logger: Logger
  /** Told after each change of refs whose home is here, when it is durable; returns at once. */
  readonly onRefsChanged: (repository: RepositoryRef) => void
}

export interface NodeData {
  readonly paths: DataPaths
  readonly database: Database
  readonly lease: Lease
  readonly diskSpace: DiskSpace
  readonly maintenance: Maintenance
  readonly files: RepositoryFiles
  readonly refs: RefStore
  readonly log: RefLog
  readonly staged: StagedEntries
  readonly workers: GitWorkers
  readonly users: Users
  readonly tokens: Tokens
  readonly repositories: Repositories
  readonly transfer: Transfer
  readonly browse: Browse
  readonly writeGate: WriteConditions
  readonly housekeeping: Housekeeping
}

/** Looks into repositories that may wait for a worker thread. */
const BROWSE_QUEUE_MAX = 200

/**
 * Takes the data directory for this process and opens everything on it.
 * @param stack gets what gives it back, so that also a start that fails half-way leaves nothing open
 * @throws StorageError data_directory_in_use, data_directory_unusable, sqlite_too_old
 */
export async function openNodeData(stack: AsyncDisposableStack, options: NodeDataOptions): Promise<NodeData> {
  const { config, fileSystem, metrics, logger } = options
  const paths = await prepareDataDirectory(config.dataDirectory)
  const lock = DirectoryLock.take(paths)
  stack.defer(() => lock.release())
  await probeFiles({ paths, fileSystem }).catch((error: unknown) => {
    throw unusable(paths.root, error)
  })
  const observe = createStorageObserver(metrics)
  const database = await Database.open(paths.database, observe)
  stack.defer(() => database.close())
  const lease = new Lease(database, (err) => logger.error({ err }, 'The lease on the data could not be renewed'))
  await lease.start()
  stack.defer(() => lease.stop())

  const diskSpace = new DiskSpace(paths.root, config.minFreeBytes)
  const maintenance = new Maintenance(database)
  const writeGate = new WriteConditions({ maintenance, diskSpace, lease, logger })
  await writeGate.start()
  stack.defer(() => writeGate.stop())
  feedStorageGauges({ paths, database, diskSpace, metrics })
  feedGauges(database, metrics)

  const files = new RepositoryFiles(paths, fileSystem, observe)
  stack.defer(() => files.close())
  const log = new RefLog(database, signerOf(options.privateKeySeed))
  const refs = new RefStore(database, lease, log, observe)
  const locks = new KeyedMutex()
  const workers = new GitWorkers()
  stack.defer(() => workers.close())
  const shared = { files, writeGate, locks, observe, logger }
  const rows = new PackRows(database, lease)
  const roomBytes = async (): Promise<number> => {
    const { freeBytes, limitBytes } = await diskSpace.look()
    return freeBytes - limitBytes
  }
  const housekeeping = new Housekeeping({
    ...shared,
    fileSystem,
    rows,
    tips: new RefTips(database),
    pruneGraceS: config.pruneGraceDays * DAY_S,
    workers,
    roomBytes,
    database,
    metrics,
  })
  const transfer = new Transfer({
    ...shared,
    limits: { ...config, progressTimeoutMs: config.requestTimeoutS * 1_000 },
    paths,
    fileSystem,
    refs,
    workers,
    metrics,
    defaultBranch: config.defaultBranch,
    onRefsChanged: options.onRefsChanged,
    onPackCame: (repository) => housekeeping.packCame(repository),
    speaker: options.speaker,
  })
  const repositories = new Repositories(
    {
      ...shared,
      database,
      lease,
      refs,
      async showHead(repository, head) {
        await transfer.projector.show(repository, [], head)
        options.onRefsChanged(repository)
      },
    },
    config.defaultBranch,
  )
  const slotsMax = Math.max(2, availableParallelism())
  const slots = new Bulkhead(
    { name: 'browse', slotsMax, slotsPerKeyMax: slotsMax, queueMax: BROWSE_QUEUE_MAX },
    metrics,
  )
  const browse = new Browse({ refs, files, workers, slots, observe })
  const people = { users: new Users(database), tokens: new Tokens(database) }
  return {
    paths,
    database,
    lease,
    diskSpace,
    maintenance,
    files,
    refs,
    log,
    staged: new StagedEntries(database, lease, writeGate),
    workers,
    repositories,
    transfer,
    browse,
    writeGate,
    housekeeping,
    ...people,
  }
}

/** What a recovery needs of the node's data. */
type RecoveredParts = Pick<NodeData, 'paths' | 'database' | 'lease' | 'log' | 'repositories'> & {
  readonly transfer: Pick<Transfer, 'projector'>
}

/** Brings disk and database together again after whatever ended the last run, before anybody can ask. */
export async function recoverData(data: RecoveredParts, fileSystem: FileSystem, logger: Logger): Promise<void> {
  await clearLeftovers(data.paths, fileSystem)
  const sealed = await data.log.sealOld(data.lease)
  if (sealed > 0) logger.info({ entries: sealed }, 'Entries of the ref log from an older version were signed')
  const { removed, unknownFolders } = await data.repositories.finishInterrupted()
  if (removed > 0) logger.info({ removed }, 'Repositories that were being made or deleted are gone')
  if (unknownFolders.length > 0) {
    const [first] = unknownFolders
    logger.warn(
      { folders: unknownFolders.length, first },
      'Folders lie among the repositories that the database does not know',
    )
  }
  const rows = await data.database.read
    .selectFrom('repositories')
    .innerJoin('owners', 'owners.id', 'repositories.owner_id')
    .select(['repositories.id', 'owners.name as owner', 'repositories.name'])
    .where('deleted_at', 'is', null)
    .execute()
  await data.transfer.projector.showAllAtStart(rows)
}

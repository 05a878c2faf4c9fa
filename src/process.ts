/** A node as a process: signals, crashes, and what is left to do when either ends it. */
import { trimArenas } from './allocator.ts'
import { collectGarbage } from './collect-garbage.ts'
import type { Config } from './config/schema.ts'
import { createLogger, type Logging, logProcessWarnings } from './observability/logging.ts'
import { registerSecret } from './observability/redaction.ts'
import type { RunningNode } from './node.ts'
import { endProcessInOrder, flushInTime } from './process-end.ts'
import { collectAtRest } from './rest.ts'
import type { GitWorkers } from './transfer/workers/pool.ts'

export interface ProcessOptions {
  readonly config: Config
  readonly version: string
  readonly tracing: boolean
  /** Known to the process and to be seen nowhere, besides the private key. */
  readonly secrets: readonly string[]
  /** Called once the node serves; when it fails, the start has failed. */
  readonly onStarted?: (node: RunningNode, logging: Logging) => Promise<void>
}

/** What comes after the drain: closing peers, database and traces. */
const CLOSE_MS_MAX = 15_000
const SECRET_LENGTH_MIN = 8

/**
 * Runs a node until a signal or a crash ends the process.
 * @returns only when the node cannot be started, which has been logged
 */
export async function runNode(options: ProcessOptions): Promise<'start failed'> {
  const { config } = options
  for (const secret of options.secrets) if (secret.length >= SECRET_LENGTH_MIN) registerSecret(secret)
  let node: RunningNode | undefined
  const logging = createLogger({
    level: config.logLevel,
    format: config.logFormat,
    onLoss: () => node?.metrics.logLosses.inc(),
  })
  const { logger } = logging
  logProcessWarnings(logger)
  const starting = start(options, logging)
  const listenNoMore = endProcessInOrder({
    logging,
    stopMsMax: config.drainTimeoutS * 1_000 + CLOSE_MS_MAX,
    // Also while starting: what is half up is brought up, or fails, and goes down in order.
    stop: () =>
      starting.then(
        (started) => started.stop(),
        () => {},
      ),
  })
  try {
    node = await starting
    const { workers } = node.data
    collectAtRest(() => {
      giveBackMemory(workers).catch((err: unknown) =>
        logger.warn({ err }, 'Not all memory that is free was given back'),
      )
    })
    return await new Promise<never>(() => {})
  } catch (error) {
    listenNoMore()
    const details = error instanceof Error && 'detail' in error ? { reason: error.detail } : { err: error }
    logger.error(details, error instanceof Error ? error.message : 'The node could not be started')
    await flushInTime(logging)
    return 'start failed'
  }
}

/** First what is garbage becomes free, then what is free goes. */
async function giveBackMemory(workers: GitWorkers): Promise<void> {
  collectGarbage('last-resort')
  await workers.rest()
  await trimArenas()
}

async function start({ onStarted, ...options }: ProcessOptions, logging: Logging): Promise<RunningNode> {
  // Only now: warnings at the loading of modules are log lines too.
  const { startNode } = await import('./node.ts')
  const node = await startNode({ ...options, logging })
  try {
    await onStarted?.(node, logging)
    return node
  } catch (error) {
    await node.stop()
    throw error
  }
}

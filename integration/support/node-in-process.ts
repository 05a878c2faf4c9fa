/** A node in the process of the test, for what cannot be reached from outside: its disk. */
import { openSync } from 'node:fs'
import { loadConfig } from '../../src/config/load.ts'
import { type RunningNode, startNode } from '../../src/node.ts'
import { createLogger } from '../../src/observability/logging.ts'
import type { FileSystem } from '../../src/storage/file-system.ts'

/** @param fileSystem instead of the disk as it is */
export async function startNodeHere(dataDirectory: string, fileSystem?: FileSystem): Promise<RunningNode> {
  const { config } = loadConfig({
    environment: {
      GUTS_API_ADDR: '127.0.0.1:0',
      GUTS_METRICS_ADDR: '127.0.0.1:0',
      GUTS_P2P_ADDR: '127.0.0.1:0',
      GUTS_DATA_DIR: dataDirectory,
      GUTS_PRIVATE_KEY: '5ecd'.repeat(16),
      GUTS_MIN_FREE_MB: '0',
      GUTS_RATE_LIMIT: '0',
      GUTS_DRAIN_TIMEOUT: '0',
    },
    requirePrivateKey: true,
    allowPortZero: true,
  })
  const logging = createLogger({ level: 'error', format: 'json', destination: openSync('/dev/null', 'a') })
  const options = { config, version: '0.0.0', logging, tracing: false }
  return startNode(fileSystem === undefined ? options : { ...options, fileSystem })
}

/** A user and its token, made in the node's own services. */
export async function createUserHere(node: RunningNode, username: string): Promise<string> {
  const user = await node.data.users.create({ username, admin: false })
  return (await node.data.tokens.create({ userId: user.id, name: 'test' })).token
}

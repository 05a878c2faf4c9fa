/**
 * The one schema of the configuration (DESIGN §4.2): validation, types, JSON Schema and reference come from here.
 * To add a key, add an entry. Input is what an operator writes; output is what the code uses, in the unit its name says.
 */
import * as z from 'zod'
import * as rule from './rules.ts'

/** What every entry states besides its type. */
export interface FieldMeta {
  readonly env: `GUTS_${string}`
  /** The part of the reference it stands in. */
  readonly section: 'Listeners' | 'Identity' | 'Logs' | 'Data' | 'HTTP' | 'Git' | 'Peers' | 'Resilience'
  readonly description: string
  readonly unit?: 's' | 'days' | 'MB' | 'KB' | 'per minute'
  /** What stands in for a default that has to be computed. */
  readonly defaultText?: string
  /** Never printed, quoted or taken from the command line, where other users of the machine could read it. */
  readonly secret?: true
}

// One more name for the same thing, so that each entry is checked against FieldMeta.
const meta = (of: FieldMeta): FieldMeta & Record<string, unknown> => ({ ...of })

/** @param portMin 0 only for callers in this process that ask which port they got: tests */
export const configFields = (portMin: 0 | 1) => ({
  apiAddress: rule
    .address(portMin)
    .prefault('0.0.0.0:8080')
    .meta(
      meta({
        env: 'GUTS_API_ADDR',
        section: 'Listeners',
        description: 'Where git and the API are served.',
      }),
    ),
  p2pAddress: rule
    .address(portMin)
    .prefault('0.0.0.0:9000')
    .meta(
      meta({
        env: 'GUTS_P2P_ADDR',
        section: 'Listeners',
        description: 'Where other nodes connect.',
      }),
    ),
  metricsAddress: rule
    .address(portMin)
    .prefault('0.0.0.0:9090')
    .meta(
      meta({
        env: 'GUTS_METRICS_ADDR',
        section: 'Listeners',
        description: 'Where metrics and health are served, for the internal network only.',
      }),
    ),

  privateKey: rule
    .seed()
    .optional()
    .meta(
      meta({
        env: 'GUTS_PRIVATE_KEY',
        section: 'Identity',
        description:
          'The 32-byte Ed25519 seed of the node as 64 hexadecimal digits. This or the file is required by `guts start`.',
        secret: true,
      }),
    ),
  privateKeyFile: rule
    .path()
    .optional()
    .meta(
      meta({
        env: 'GUTS_PRIVATE_KEY_FILE',
        section: 'Identity',
        description: 'A file that holds the private key, instead of the variable.',
      }),
    ),

  logLevel: z
    .enum(['trace', 'debug', 'info', 'warn', 'error'])
    .default('info')
    .meta(
      meta({
        env: 'GUTS_LOG_LEVEL',
        section: 'Logs',
        description: 'The least severe lines that are written.',
      }),
    ),
  logFormat: z
    .enum(['json', 'pretty'])
    .default('json')
    .meta(
      meta({
        env: 'GUTS_LOG_FORMAT',
        section: 'Logs',
        description: 'One JSON object a line, or text for people.',
      }),
    ),

  dataDirectory: rule
    .path()
    .prefault('./data')
    .meta(
      meta({
        env: 'GUTS_DATA_DIR',
        section: 'Data',
        description: 'Repositories and database. One node at a time.',
      }),
    ),
  minFreeBytes: rule
    .megabytes(0, 1_000_000)
    .optional()
    .meta(
      meta({
        env: 'GUTS_MIN_FREE_MB',
        section: 'Data',
        unit: 'MB',
        description: 'With less space than this the storage check is down and writes are refused.',
        defaultText: '1 % of the file system, at least 16, at most 1024',
      }),
    ),
  defaultBranch: rule
    .branch()
    .optional()
    .meta(
      meta({
        env: 'GUTS_DEFAULT_BRANCH',
        section: 'Data',
        description: 'The branch that HEAD of an empty repository is set to, if the first push has it.',
        defaultText: '`main`, else `master`, else the first branch pushed',
      }),
    ),

  connectionsMax: rule
    .integer(1, 10_000)
    .default(10_000)
    .meta(
      meta({
        env: 'GUTS_MAX_CONNECTIONS',
        section: 'HTTP',
        description: 'Connections to the API listener at one time.',
      }),
    ),
  requestBytesMax: rule
    .megabytes(1, 1000)
    .prefault(100)
    .meta(
      meta({
        env: 'GUTS_MAX_REQUEST_SIZE_MB',
        section: 'HTTP',
        unit: 'MB',
        description: 'Largest body of a request; for a push, as it arrives.',
      }),
    ),
  jsonBytesMax: rule
    .kilobytes(1, 10_240)
    .prefault(256)
    .meta(
      meta({
        env: 'GUTS_MAX_JSON_SIZE_KB',
        section: 'HTTP',
        unit: 'KB',
        description: 'Largest JSON body.',
      }),
    ),
  requestTimeoutS: rule
    .integer(1, 3600)
    .default(30)
    .meta(
      meta({
        env: 'GUTS_REQUEST_TIMEOUT',
        section: 'HTTP',
        unit: 's',
        description: 'Longest time a request may take; for git transfers, the longest time without progress.',
      }),
    ),
  drainTimeoutS: rule
    .integer(0, 3600)
    .default(25)
    .meta(
      meta({
        env: 'GUTS_DRAIN_TIMEOUT',
        section: 'HTTP',
        unit: 's',
        description: 'How long requests in flight may go on after SIGTERM.',
      }),
    ),
  rateLimitPerMinute: rule
    .integer(0, 1_000_000)
    .default(6000)
    .meta(
      meta({
        env: 'GUTS_RATE_LIMIT',
        section: 'HTTP',
        unit: 'per minute',
        description: 'Requests of one authenticated client; an anonymous address may make a tenth. 0 switches it off.',
      }),
    ),
  corsOrigins: rule.origins().meta(
    meta({
      env: 'GUTS_CORS_ORIGINS',
      section: 'HTTP',
      description: 'Origins whose pages may call the API from a browser.',
    }),
  ),
  trustedProxies: rule.ipRanges().meta(
    meta({
      env: 'GUTS_TRUSTED_PROXIES',
      section: 'HTTP',
      description: 'Proxies whose X-Forwarded-For is believed: addresses or ranges.',
    }),
  ),
  publicUrl: rule
    .httpUrl()
    .optional()
    .meta(
      meta({
        env: 'GUTS_PUBLIC_URL',
        section: 'HTTP',
        description: 'What clients reach the node at, for the addresses it hands out.',
        defaultText: 'from the request',
      }),
    ),

  packObjectsMax: rule
    .integer(1, 50_000_000)
    .default(5_000_000)
    .meta(
      meta({
        env: 'GUTS_MAX_PACK_OBJECTS',
        section: 'Git',
        description: 'Objects in a pushed pack.',
      }),
    ),
  objectBytesMax: rule
    .megabytes(1, 2047)
    .prefault(512)
    .meta(
      meta({
        env: 'GUTS_MAX_OBJECT_SIZE_MB',
        section: 'Git',
        unit: 'MB',
        description: 'Inflated size of one object.',
      }),
    ),
  packInflatedBytesMax: rule
    .megabytes(1, 1_048_576)
    .prefault(8192)
    .meta(
      meta({
        env: 'GUTS_MAX_INFLATED_SIZE_MB',
        section: 'Git',
        unit: 'MB',
        description: 'Inflated size of all entries of a pushed pack together.',
      }),
    ),
  deltaDepthMax: rule
    .integer(1, 4095)
    .default(4095)
    .meta(
      meta({
        env: 'GUTS_MAX_DELTA_DEPTH',
        section: 'Git',
        description: 'Longest chain of deltas in a pushed pack; git itself makes none above 4095.',
      }),
    ),
  pushCommandsMax: rule
    .integer(1, 1_000_000)
    .default(10_000)
    .meta(
      meta({
        env: 'GUTS_MAX_PUSH_COMMANDS',
        section: 'Git',
        description: 'Refs one push may change.',
      }),
    ),
  wantsMax: rule
    .integer(1, 1_000_000)
    .default(100_000)
    .meta(
      meta({
        env: 'GUTS_MAX_WANTS',
        section: 'Git',
        description: 'Objects one fetch may ask for.',
      }),
    ),
  havesMax: rule
    .integer(1, 10_000_000)
    .default(200_000)
    .meta(
      meta({
        env: 'GUTS_MAX_HAVES',
        section: 'Git',
        description: 'Objects one request of a fetch may say it has.',
      }),
    ),
  advertisedRefsMax: rule
    .integer(1, 10_000_000)
    .default(1_000_000)
    .meta(
      meta({
        env: 'GUTS_MAX_ADVERTISED_REFS',
        section: 'Git',
        description: 'Refs one advertisement may list.',
      }),
    ),
  pruneGraceDays: rule
    .integer(1, 3650)
    .default(14)
    .meta(
      meta({
        env: 'GUTS_PRUNE_GRACE_DAYS',
        section: 'Git',
        unit: 'days',
        description: 'For so long objects stay that no ref reaches any more.',
      }),
    ),

  bootstrapPeers: rule.peerMultiaddrs().meta(
    meta({
      env: 'GUTS_BOOTSTRAP_PEERS',
      section: 'Peers',
      description: 'Peers to connect to at start: multiaddrs that end in /p2p/ID.',
    }),
  ),
  allowedPeers: rule.peerIds().meta(
    meta({
      env: 'GUTS_ALLOWED_PEERS',
      section: 'Peers',
      description: 'Peer ids that may connect. Empty: any.',
    }),
  ),
  announceAddresses: rule.multiaddrs().meta(
    meta({
      env: 'GUTS_ANNOUNCE_ADDRS',
      section: 'Peers',
      description: 'Multiaddrs told to peers instead of those listened on.',
    }),
  ),
  p2pMinPeers: rule
    .integer(0, 1000)
    .optional()
    .meta(
      meta({
        env: 'GUTS_P2P_MIN_PEERS',
        section: 'Peers',
        description: 'Connected peers that readiness demands.',
        defaultText: '0, or 1 when bootstrap peers are set',
      }),
    ),
  p2pTimeoutS: rule
    .integer(1, 3600)
    .default(10)
    .meta(
      meta({
        env: 'GUTS_P2P_TIMEOUT',
        section: 'Peers',
        unit: 's',
        description: 'Longest time one exchange with a peer may take.',
      }),
    ),
  p2pSyncIntervalS: rule
    .integer(1, 3600)
    .default(10)
    .meta(
      meta({
        env: 'GUTS_P2P_SYNC_INTERVAL',
        section: 'Peers',
        unit: 's',
        description: 'How often a mirror asks its home what it has, also when no announcement came.',
      }),
    ),

  retryAttemptsMax: rule
    .integer(1, 100)
    .default(3)
    .meta(
      meta({
        env: 'GUTS_RETRY_MAX_ATTEMPTS',
        section: 'Resilience',
        description: 'Attempts of one call that leaves the process, the first included.',
      }),
    ),
  circuitBreakerThreshold: rule
    .integer(1, 1000)
    .default(5)
    .meta(
      meta({
        env: 'GUTS_CIRCUIT_BREAKER_THRESHOLD',
        section: 'Resilience',
        description: 'Failures in a row after which a circuit opens.',
      }),
    ),
})

export type ConfigFields = ReturnType<typeof configFields>
export type FieldName = keyof ConfigFields
type Output = { readonly [Name in FieldName]: z.output<ConfigFields[Name]> }

/** What the node is built from. Sizes are bytes, `…S` is seconds, paths are absolute. */
export interface Config extends Omit<Output, 'privateKey' | 'privateKeyFile' | 'p2pMinPeers'> {
  /** 32 bytes; undefined only where no key was required and none is configured: `guts dev` makes its own. */
  readonly privateKeySeed: Uint8Array | undefined
  readonly p2pMinPeers: number
}

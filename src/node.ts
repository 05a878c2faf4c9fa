/** The composition root: the one place where parts are built, wired, started in order, and stopped in reverse order. */
import { randomUUIDv7 } from 'node:crypto'
import { formatAddress } from './config/network-values.ts'
import type { Address } from './config/network-values.ts'
import type { Config } from './config/schema.ts'
import { HealthService } from './health/probes.ts'
import { createApp, type HttpHandler } from './http/app.ts'
import { Listener, type ListenerOptions } from './http/listener.ts'
import { openApiRoute } from './http/openapi.ts'
import type { Route } from './http/route.ts'
import { pathsOf } from './http/route-table.ts'
import { limitsOf } from './http/limits.ts'
import { type GitServices, gitRoutes } from './http/routes/git.ts'
import { healthRoutes } from './http/routes/health.ts'
import { metricsRoute } from './http/routes/metrics.ts'
import { statusRoute } from './http/routes/status.ts'
import { restRoutes } from './http/routes/rest.ts'
import type { Services as RestServices } from './http/services.ts'
import { newOperation, runInContext } from './observability/context.ts'
import type { Logger, Logging } from './observability/logging.ts'
import { createMetrics, type Metrics } from './observability/metrics.ts'
import { registerSecret } from './observability/redaction.ts'
import { startTracing } from './observability/tracing.ts'
import { P2pError } from './p2p/error.ts'
import { ExchangeClient } from './p2p/exchange-client.ts'
import { ExchangeServer } from './p2p/exchange-server.ts'
import { P2pNode } from './p2p/node.ts'
import { Home } from './p2p/replication/home.ts'
import { MIRROR_LIMITS } from './p2p/replication/mirror-limits.ts'
import { Replicator } from './p2p/replication/replicator.ts'
import { statusOf } from './p2p/status.ts'
import { LoadShedder } from './resilience/load-shedding.ts'
import { type NodeData, openNodeData, recoverData } from './node-data.ts'
import { flushInTime } from './process-end.ts'
import { listenFailed, StartError } from './start-error.ts'
import { diskFileSystem, type FileSystem } from './storage/file-system.ts'
import { setInternalAddress } from './storage/internal-address.ts'
import type { RepositoryRef } from './transfer/git-request.ts'
import { consensusCheck, storageCheck } from './storage/health.ts'

export interface NodeOptions {
  readonly config: Config
  /** Of Guts itself. */
  readonly version: string
  readonly logging: Logging
  /** Whether the standard variables ask for traces. */
  readonly tracing: boolean
  readonly fileSystem?: FileSystem
}

export interface RunningNode {
  readonly apiPort: number
  readonly internalPort: number
  readonly p2pPort: number
  readonly peerId: string
  readonly metrics: Metrics
  readonly data: NodeData
  /** Readiness falls, work at hand finishes within the drain time, everything is given back. */
  stop(): Promise<void>
}

/** What route handlers are given. */
type Services = RestServices & GitServices

/** Probes, scrapes, an operator's browser. */
const INTERNAL_CONNECTIONS_MAX = 100
const INTERNAL_DRAIN_MS = 1_000

/**
 * Starts a node; what was started is stopped again when a later part cannot be.
 * @throws StartError, StorageError: what keeps it from starting, in words for its operator
 */
export async function startNode(options: NodeOptions): Promise<RunningNode> {
  const stack = new AsyncDisposableStack()
  try {
    return await new NodeStart(options, stack).run()
  } catch (error) {
    await stack.disposeAsync()
    throw error
  }
}

class NodeStart {
  readonly #config: Config
  readonly #options: NodeOptions
  readonly #logger: Logger
  readonly #stack: AsyncDisposableStack
  readonly #boot = newOperation('boot')
  #started = false
  #draining = false
  #stopped: Promise<void> | undefined

  constructor(options: NodeOptions, stack: AsyncDisposableStack) {
    this.#options = options
    this.#config = options.config
    this.#logger = options.logging.logger
    this.#stack = stack
  }

  async run(): Promise<RunningNode> {
    const { version } = this.#options
    const config = this.#config
    const startedAtMs = performance.now()
    const seed = this.#seed()
    const log = (fields: object, message: string): void => this.#inBoot(() => this.#logger.info(fields, message))
    log({ version, node: process.version, data_directory: config.dataDirectory }, 'Starting')
    this.#stack.defer(await startTracing({ enabled: this.#options.tracing, version, logger: this.#logger }))

    const parts: { health?: HealthService; p2p?: P2pNode; replicator?: Replicator } = {}
    const health = (): HealthService => present(parts.health)
    const internalRoutes = [
      ...healthRoutes<undefined>(health, version),
      metricsRoute<undefined>(() => metrics),
      statusRoute<undefined>(() => statusOf(present(parts.p2p), parts.replicator, version)),
    ]
    const routes: Route<Services>[] = [
      ...healthRoutes<Services>(health, version),
      ...gitRoutes<Services>(),
      ...restRoutes,
    ]
    routes.push(openApiRoute(routes, version))
    const metrics = createMetrics({
      routePaths: pathsOf([...internalRoutes, ...routes]),
      version,
      onCollectError: (err) => this.#logger.warn({ err }, 'A gauge kept its old value'),
    })
    const fileSystem = this.#options.fileSystem ?? diskFileSystem
    const onRefsChanged = (repository: RepositoryRef): void => parts.replicator?.announce(repository)
    const speaker = { agent: `guts/${version}`, sessionId: randomUUIDv7() }
    const common = { onRefsChanged, config, privateKeySeed: seed, speaker, fileSystem, metrics, logger: this.#logger }
    const data = await openNodeData(this.#stack, common)

    const shedder = new LoadShedder(metrics)
    shedder.start()
    this.#stack.defer(() => shedder.stop())
    parts.health = new HealthService({
      checks: [
        storageCheck({ ...data, fileSystem, metrics }),
        { name: 'p2p', check: async (signal) => parts.p2p?.check.check(signal) ?? { status: 'down', peers: 0 } },
        consensusCheck(data.lease),
      ],
      conditions: {
        started: () => this.#started,
        draining: () => this.#draining,
        shedding: () => shedder.shedding,
        maintenance: () => data.maintenance.state.on,
      },
      metrics,
      logger: this.#logger,
    })
    const limits = {
      requestTimeoutMs: config.requestTimeoutS * 1_000,
      requestBytesMax: config.requestBytesMax,
      jsonBytesMax: config.jsonBytesMax,
      metrics,
      logger: this.#logger,
    }
    const p2p = await this.#joinNetwork(seed, metrics)
    parts.p2p = p2p
    // Before what may take long, so that whoever waits for the start can be told that it goes on.
    const internal = await this.#listen(
      { name: 'internal', connectionsMax: INTERNAL_CONNECTIONS_MAX, drainMs: INTERNAL_DRAIN_MS },
      { variable: 'GUTS_METRICS_ADDR', address: config.metricsAddress },
      createApp({ ...limits, listener: 'internal', routes: internalRoutes, services: undefined }),
      metrics,
    )
    await this.#inBoot(() => recoverData(data, fileSystem, this.#logger))
    await this.#inBoot(() => setInternalAddress(data.database, { ...config.metricsAddress, port: internal.port }))
    parts.replicator = await this.#replicate(p2p, data, metrics)
    const api = await this.#listen(
      { name: 'api', connectionsMax: config.connectionsMax, drainMs: config.drainTimeoutS * 1_000 },
      { variable: 'GUTS_API_ADDR', address: config.apiAddress },
      createApp({
        ...limits,
        listener: 'api',
        routes,
        services: { ...data, limits: limitsOf(config), publicUrl: config.publicUrl },
        publicUrl: config.publicUrl,
        guards: { ...config, authenticate: data.tokens.authenticate, shedder },
      }),
      metrics,
    )
    data.housekeeping.start()
    // The first to end: nobody waits for it.
    this.#stack.defer(() => data.housekeeping.stop())
    const { peerId, port: p2pPort = 0 } = p2p
    const duration_ms = Math.round(performance.now() - startedAtMs)
    const ports = { apiPort: api.port, internalPort: internal.port, p2pPort }
    log({ ...addressesOf(config, ports), peer_id: peerId, session_id: speaker.sessionId, duration_ms }, 'Started')
    // Whoever is told that the node is ready can read at which addresses.
    await flushInTime(this.#options.logging)
    this.#started = true
    return { ...ports, peerId, metrics, data, stop: () => (this.#stopped ??= this.#stop()) }
  }

  async #stop(): Promise<void> {
    const startedAtMs = performance.now()
    // Readiness falls with this, before any listener closes: whoever asks on the internal one is told.
    this.#draining = true
    const stopping = newOperation('stop')
    await runInContext(stopping, async () => {
      this.#logger.info({ drain_timeout_s: this.#config.drainTimeoutS }, 'Stopping')
      try {
        await this.#stack.disposeAsync()
      } catch (error) {
        this.#logger.error({ err: error }, 'A part could not be stopped')
      }
      this.#logger.info({ duration_ms: Math.round(performance.now() - startedAtMs) }, 'Stopped')
    })
  }

  async #listen(
    options: Pick<ListenerOptions, 'name' | 'connectionsMax'> & { readonly drainMs: number },
    { variable, address }: { variable: string; address: Address },
    handler: HttpHandler,
    metrics: Metrics,
  ): Promise<{ port: number }> {
    const { drainMs, ...rest } = options
    const requestTimeoutMs = this.#config.requestTimeoutS * 1_000
    const listener = new Listener({ ...rest, ...address, requestTimeoutMs }, handler, metrics)
    const { port } = await listener.start().catch((error: unknown) => {
      throw listenFailed(variable, formatAddress(address), error)
    })
    this.#stack.defer(async () => {
      const { cutOff } = await listener.stop({ deadlineMs: drainMs })
      if (cutOff > 0) this.#logger.warn({ listener: rest.name, connections: cutOff }, 'Connections were cut off')
    })
    return { port }
  }

  async #joinNetwork(privateKeySeed: Uint8Array, metrics: Metrics): Promise<P2pNode> {
    const { p2pAddress, announceAddresses, bootstrapPeers, allowedPeers, p2pMinPeers, p2pTimeoutS } = this.#config
    const limits = { minPeers: p2pMinPeers, timeoutMs: p2pTimeoutS * 1_000 }
    const options = { privateKeySeed, ...p2pAddress, announceAddresses, bootstrapPeers, allowedPeers, ...limits }
    const p2p = await P2pNode.start(options, { metrics, logger: this.#logger }).catch((error: unknown) => {
      if (!(error instanceof P2pError)) throw error
      throw listenFailed('GUTS_P2P_ADDR', formatAddress(p2pAddress), error.cause, error.detail.systemCode)
    })
    this.#stack.defer(() => p2p.stop())
    return p2p
  }

  async #replicate(p2p: P2pNode, data: NodeData, metrics: Metrics): Promise<Replicator> {
    const config = this.#config
    const logger = this.#logger
    const timeoutMs = config.p2pTimeoutS * 1_000
    const { retryAttemptsMax: attemptsMax, circuitBreakerThreshold: breakerThreshold } = config
    const client = new ExchangeClient(p2p, { timeoutMs, attemptsMax, breakerThreshold }, { metrics, logger })
    const home = new Home({ ...data, publicUrl: config.publicUrl })
    const { handlers } = home
    const server = new ExchangeServer({ libp2p: p2p.host, timeoutMs, handlers, metrics, logger })
    const replicator = new Replicator({
      ...data,
      p2p,
      gossip: p2p.gossip,
      home,
      client,
      metrics,
      logger,
      intervalMs: config.p2pSyncIntervalS * 1_000,
      packBytesMax: config.packInflatedBytesMax,
      limits: MIRROR_LIMITS,
    })
    await server.start()
    this.#stack.defer(() => server.stop())
    replicator.start()
    this.#stack.defer(() => replicator.stop())
    return replicator
  }

  #seed(): Uint8Array {
    const { privateKeySeed } = this.#config
    if (privateKeySeed === undefined) {
      throw new StartError({ code: 'identity_missing' }, 'A node needs a private key (GUTS_PRIVATE_KEY)')
    }
    registerSecret(Buffer.from(privateKeySeed).toString('hex'))
    return privateKeySeed
  }

  #inBoot<T>(work: () => T): T {
    return runInContext(this.#boot, work)
  }
}

/** No listener opens before what its routes ask is there. */
function present<Part>(part: Part | undefined): Part {
  if (part === undefined) throw new Error('A route was asked before the start was complete')
  return part
}

function addressesOf(config: Config, ports: { apiPort: number; internalPort: number; p2pPort: number }): object {
  return {
    api: formatAddress({ ...config.apiAddress, port: ports.apiPort }),
    internal: formatAddress({ ...config.metricsAddress, port: ports.internalPort }),
    p2p: formatAddress({ ...config.p2pAddress, port: ports.p2pPort }),
  }
}

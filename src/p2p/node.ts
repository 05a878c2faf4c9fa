import { lookup } from 'node:dns/promises'
import { isIPv6 } from 'node:net'
import type { GossipSub } from '@libp2p/gossipsub'
import { identify } from '@libp2p/identify'
import { noise } from '@libp2p/noise'
import { peerIdFromString } from '@libp2p/peer-id'
import { ping } from '@libp2p/ping'
import { tcp } from '@libp2p/tcp'
import { yamux } from '@libp2p/yamux'
import { type Multiaddr, multiaddr } from '@multiformats/multiaddr'
import { createLibp2p, type Libp2p } from 'libp2p'
import type { HealthCheck } from '../health/check.ts'
import type { Logger } from '../observability/logging.ts'
import type { Metrics } from '../observability/metrics.ts'
import { BootstrapDialler } from './bootstrap.ts'
import { P2pError } from './error.ts'
import { allowListGater } from './gater.ts'
import { createGossipsub, Gossip, type GossipMetrics } from './gossip.ts'
import { listeningCheck } from './health.ts'
import { privateKeyOf } from './identity.ts'
import { libp2pLogger } from './logger.ts'

export interface P2pOptions {
  /** 32 bytes: the Ed25519 seed, all of it. */
  readonly privateKeySeed: Uint8Array
  readonly host: string
  /** 0: any free one, for tests. */
  readonly port: number
  /** Multiaddrs told to peers; empty: those listened on. */
  readonly announceAddresses: readonly string[]
  /** Multiaddrs that end in /p2p/ID. */
  readonly bootstrapPeers: readonly string[]
  /** Peer ids; empty: any. */
  readonly allowedPeers: readonly string[]
  readonly minPeers: number
  /** Longest time one exchange may take; a connection on which nothing comes back is given up in this time. */
  readonly timeoutMs: number
}

export interface P2pParts {
  readonly metrics: Pick<Metrics, 'p2pPeersConnected'> & GossipMetrics
  readonly logger: Logger
}

/** Each connection costs memory; the configuration can demand no more than 1,000 peers. */
const CONNECTIONS_MAX = 1_200
/** One host, one second. Health checks connect from this host. */
const INBOUND_PER_HOST_MAX = 20
const INBOUND_PENDING_MAX = 64
const STREAMS_INBOUND_MAX = 256
/**
 * What a peer may send on a stream before we have read it. By default this grows to four times what yamux buffers of a
 * paused stream, which it then resets: who stores what comes more slowly than it is sent would never get a pack.
 */
const STREAM_WINDOW_BYTES = 2 * 1024 * 1024
/** Of the timeout, the pause between two signs of life; their answer may take the same time again. */
const KEEP_ALIVE_SHARE = 0.4

/** Of libp2p's parts, the one that knows what is really listened on. */
interface Listening {
  getAddrs(): Multiaddr[]
}

export interface ConnectedPeer {
  readonly peer: string
  readonly address: string
  readonly direction: 'inbound' | 'outbound'
  readonly connectedAtMs: number
}

/** The node's place in the network: one libp2p host with the identity of the configuration. */
export class P2pNode {
  readonly #libp2p: Libp2p
  readonly #listening: Listening
  readonly #dialler: BootstrapDialler
  readonly check: HealthCheck
  readonly gossip: Gossip

  private constructor(
    libp2p: Libp2p<{ listening: Listening; pubsub: GossipSub }>,
    options: P2pOptions,
    { metrics, logger }: P2pParts,
  ) {
    this.#libp2p = libp2p
    this.#listening = libp2p.services.listening
    this.#dialler = new BootstrapDialler({
      addresses: options.bootstrapPeers,
      timeoutMs: options.timeoutMs,
      libp2p,
      logger,
    })
    this.gossip = new Gossip(libp2p.services.pubsub, { metrics, logger })
    const report = (): void => metrics.p2pPeersConnected.set(this.peers.length)
    libp2p.addEventListener('peer:connect', report)
    libp2p.addEventListener('peer:disconnect', report)
    report()
    this.check = listeningCheck({
      host: options.host,
      port: () => this.port,
      peers: () => this.peers.length,
      minPeers: options.minPeers,
    })
  }

  /** @throws P2pError listen_failed */
  static async start(options: P2pOptions, parts: P2pParts): Promise<P2pNode> {
    const { logger } = parts
    const libp2p = await createLibp2p({
      start: false,
      privateKey: privateKeyOf(options.privateKeySeed),
      addresses: { listen: [await listenAddress(options)], announce: [...options.announceAddresses] },
      transports: [tcp()],
      connectionEncrypters: [noise()],
      streamMuxers: [
        yamux({ maxInboundStreams: STREAMS_INBOUND_MAX, streamOptions: { maxStreamWindowSize: STREAM_WINDOW_BYTES } }),
      ],
      services: {
        identify: identify({ timeout: options.timeoutMs }),
        ping: ping({ timeout: options.timeoutMs }),
        pubsub: createGossipsub(),
        // A wrapper: what is handed over whole would be started a second time, as every service is.
        listening: ({ transportManager }: { transportManager: Listening }): Listening => ({
          getAddrs: () => transportManager.getAddrs(),
        }),
      },
      connectionGater: allowListGater(options.allowedPeers, (peer) =>
        logger.debug({ peer }, 'Refused a peer that is not on the list'),
      ),
      connectionManager: {
        maxConnections: CONNECTIONS_MAX,
        inboundConnectionThreshold: INBOUND_PER_HOST_MAX,
        maxIncomingPendingConnections: INBOUND_PENDING_MAX,
        dialTimeout: options.timeoutMs,
        addressDialTimeout: options.timeoutMs,
        inboundUpgradeTimeout: options.timeoutMs,
        outboundStreamProtocolNegotiationTimeout: options.timeoutMs,
        inboundStreamProtocolNegotiationTimeout: options.timeoutMs,
      },
      // By default a black hole is noticed after 15 s, later than an exchange may take (DESIGN §9).
      connectionMonitor: {
        pingInterval: options.timeoutMs * KEEP_ALIVE_SHARE,
        pingTimeout: {
          minTimeout: options.timeoutMs * KEEP_ALIVE_SHARE,
          maxTimeout: options.timeoutMs * KEEP_ALIVE_SHARE,
        },
      },
      logger: libp2pLogger(logger),
    })
    try {
      await libp2p.start()
    } catch (cause) {
      await libp2p.stop()
      throw cannotListen(options, cause)
    }
    const node = new P2pNode(libp2p, options, parts)
    node.gossip.start()
    node.#dialler.start()
    return node
  }

  /** For the exchanges, which are built on it. */
  get host(): Libp2p {
    return this.#libp2p
  }

  get peerId(): string {
    return this.#libp2p.peerId.toString()
  }

  /** Multiaddrs that peers can be told. */
  get addresses(): string[] {
    return this.#libp2p.getMultiaddrs().map(String)
  }

  /** Ids of the connected peers. */
  get peers(): string[] {
    return this.#libp2p.getPeers().map(String)
  }

  get connections(): ConnectedPeer[] {
    return this.#libp2p.getConnections().map(({ remotePeer, remoteAddr, direction, timeline }) => ({
      peer: remotePeer.toString(),
      address: remoteAddr.toString(),
      direction,
      connectedAtMs: timeline.open,
    }))
  }

  /** Addresses, ending in /p2p/ID, to keep a connection to besides those of the configuration. */
  setTargets(addresses: readonly string[]): void {
    this.#dialler.setTargets(addresses)
  }

  /**
   * A connection to this peer: the one there is, or one at an address that was configured. What the peer announces, and
   * libp2p goes by, may lead nowhere from here.
   */
  async connect(peerId: string, signal: AbortSignal): Promise<void> {
    const peer = peerIdFromString(peerId)
    const addresses = this.#dialler.addressesOf(peerId)
    if (addresses.length === 0 || this.#libp2p.getConnections(peer).length > 0) return
    await this.#libp2p.dial(
      addresses.map((address) => multiaddr(address)),
      { signal },
    )
  }

  onConnect(listener: (peer: string) => void): void {
    this.#libp2p.addEventListener('peer:connect', ({ detail }) => listener(detail.toString()))
  }

  onDisconnect(listener: (peer: string) => void): void {
    this.#libp2p.addEventListener('peer:disconnect', ({ detail }) => listener(detail.toString()))
  }

  /** What is listened on at the moment, whatever is announced; undefined for none. */
  get port(): number | undefined {
    const [first] = this.#listening.getAddrs()
    const port = first?.getComponents().find((component) => component.name === 'tcp')?.value
    return port === undefined ? undefined : Number(port)
  }

  async stop(): Promise<void> {
    await this.#dialler.stop()
    await this.#libp2p.stop()
  }
}

/** libp2p listens on addresses, not on names. */
async function listenAddress({ host, port }: P2pOptions): Promise<string> {
  try {
    const { address } = await lookup(host)
    return `/${isIPv6(address) ? 'ip6' : 'ip4'}/${address}/tcp/${port}`
  } catch (cause) {
    throw cannotListen({ host, port }, cause)
  }
}

function cannotListen({ host, port }: Pick<P2pOptions, 'host' | 'port'>, cause: unknown): P2pError {
  // libp2p tells the system's code only inside its sentence.
  const [, systemCode] = /\b(E[A-Z]{3,})\b/.exec(cause instanceof Error ? cause.message : '') ?? []
  const detail = { code: 'listen_failed', host, port, systemCode } as const
  return new P2pError(detail, `Cannot listen for peers on ${host}:${port}`, { cause })
}

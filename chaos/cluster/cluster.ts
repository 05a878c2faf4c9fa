/** Three real nodes, a home and two mirrors, each link between them through a proxy. */
import { mkdirSync, mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as delay } from 'node:timers/promises'
import { freePorts } from '../../integration/support/free-ports.ts'
import { NodeHost } from '../../integration/support/hosts.ts'
import { NodeProcess } from '../../integration/support/node-process.ts'
import { peerIdOf } from '../../src/p2p/identity.ts'
import { type Exit, LINK_NAMES, type LinkName, LINKS, MIRRORS, type NodeName, NODES } from '../history.ts'
import { type LoggedLine, linesOf } from './node-lines.ts'
import { expectAnswer } from './probe.ts'
import { type Link, ToxiproxyServer } from './toxiproxy.ts'

/** Of the node's settings those that decide how fast it notices and recovers. */
const P2P_SETTINGS = { GUTS_P2P_TIMEOUT: '2', GUTS_P2P_SYNC_INTERVAL: '1', GUTS_CIRCUIT_BREAKER_THRESHOLD: '3' }
/**
 * Told to peers instead of the ports that are listened on, or they would find a way around the proxies. Nobody listens
 * on the discard port: who tries is refused at once.
 */
const NOWHERE = '/ip4/127.0.0.1/tcp/9'

const START_MS_MAX = 30_000
const POLL_MS = 25

export interface ClusterOptions {
  /** Path of the server's executable. */
  readonly toxiproxy: string
  readonly repositories: readonly string[]
  readonly signal: AbortSignal
}

interface Member {
  readonly name: NodeName
  readonly seed: string
  readonly peerId: string
  readonly p2pPort: number
  readonly dataDirectory: string
  /** Each that was started; the last one may run. */
  readonly processes: NodeProcess[]
}

export class Cluster implements AsyncDisposable {
  readonly folder: string
  readonly #options: ClusterOptions
  readonly #members = new Map<NodeName, Member>()
  readonly #links = new Map<LinkName, Link>()
  readonly #stack = new AsyncDisposableStack()
  #host: NodeHost | undefined
  /** By `Date.now()`: where times of log lines count from. */
  #beganAtMs = Date.now()

  private constructor(options: ClusterOptions) {
    this.#options = options
    this.folder = mkdtempSync(join(tmpdir(), 'guts-chaos-'))
    // A second signal ends this process as it is: then what it started goes with it.
    const endAll = (): void => {
      for (const node of this.#current) node.signal('SIGKILL')
      rmSync(this.folder, { recursive: true, force: true, maxRetries: 5 })
    }
    process.on('exit', endAll)
    this.#stack.defer(() => {
      process.off('exit', endAll)
      rmSync(this.folder, { recursive: true, force: true, maxRetries: 5 })
    })
  }

  /** Nodes that run, know each other, and mirror the repositories, which are there and empty. */
  static async start(options: ClusterOptions): Promise<Cluster> {
    const cluster = new Cluster(options)
    try {
      await cluster.#start()
      return cluster
    } catch (error) {
      await cluster[Symbol.asyncDispose]()
      throw error
    }
  }

  /** As it runs now. @throws Error while it does not */
  node(name: NodeName): NodeProcess {
    const node = this.#member(name).processes.at(-1)
    if (node?.running !== true) throw new Error(`${name} does not run`)
    return node
  }

  runs(name: NodeName): boolean {
    return this.#member(name).processes.at(-1)?.running === true
  }

  link(name: LinkName): Link {
    const link = this.#links.get(name)
    if (link === undefined) throw new RangeError(`There is no link ${name}`)
    return link
  }

  /** What a node has logged, over all its lives, with times of ours. */
  lines(name: NodeName): LoggedLine[] {
    return linesOf(this.#member(name).processes, this.#beganAtMs)
  }

  nodeOfPeer(peerId: string): NodeName | undefined {
    return [...this.#members.values()].find((member) => member.peerId === peerId)?.name
  }

  /** Where pushes go. */
  get home(): NodeHost {
    if (this.#host === undefined) throw new Error('The home was not started')
    return new NodeHost(this.node('home'), this.#host)
  }

  /** Of a repository as a node has it on its disk. */
  gitDirectory(name: NodeName, repository: string): string {
    return join(this.#member(name).dataDirectory, 'repositories', this.#host?.username ?? '', `${repository}.git`)
  }

  /** Where anybody reads a repository at this node. */
  readUrl(name: NodeName, repository: string): string {
    return `${this.node(name).origin}/git/${this.#host?.username}/${repository}.git`
  }

  quarantine(name: NodeName): string {
    return join(this.#member(name).dataDirectory, 'quarantine')
  }

  /** @throws Error where one does not bring what is sent through it */
  async checkLinks(): Promise<void> {
    for (const [name, { port }] of this.#links) await expectAnswer(name, port)
  }

  /** Times from here on count from now. */
  begin(): void {
    this.#beganAtMs = Date.now()
  }

  get nowMs(): number {
    return Date.now() - this.#beganAtMs
  }

  async kill(name: NodeName): Promise<void> {
    await this.node(name).kill()
  }

  /** Starts a node again on the data it left. */
  async restart(name: NodeName): Promise<void> {
    await this.#startNode(this.#member(name))
  }

  /** SIGTERM for those that run, and `kill -9` where that does not end them; their data stays. */
  async stop(): Promise<Exit[]> {
    const exits = [...this.#members.values()].map(async ({ name: node, processes }): Promise<Exit> => {
      const last = processes.at(-1)
      const exitCode = await last?.stop().catch(() => last.kill())
      return { node, exitCode: exitCode ?? null }
    })
    return Promise.all(exits)
  }

  /** `kill -9` for those that run, also where one hangs. */
  async killAll(): Promise<void> {
    // One that does not end must not keep the others from being given back.
    await Promise.allSettled(this.#current.map((node) => node.kill()))
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.killAll()
    await this.#stack.disposeAsync()
  }

  /** The last life of each node, whether it is over or not. */
  get #current(): NodeProcess[] {
    return [...this.#members.values()].flatMap(({ processes }) => processes.slice(-1))
  }

  async #start(): Promise<void> {
    const { toxiproxy, repositories, signal } = this.#options
    const server = this.#stack.use(await ToxiproxyServer.start(toxiproxy, this.folder))
    const ports = await freePorts(NODES.length)
    for (const [at, name] of NODES.entries()) {
      const seed = `c${at}`.repeat(32)
      const dataDirectory = join(this.folder, name)
      mkdirSync(dataDirectory)
      const peerId = peerIdOf(Buffer.from(seed, 'hex'))
      this.#members.set(name, { name, seed, peerId, p2pPort: ports[at] ?? 0, dataDirectory, processes: [] })
    }
    for (const name of LINK_NAMES) {
      const [listens] = LINKS[name]
      this.#links.set(name, await server.link(name, this.#member(listens).p2pPort))
    }
    signal.throwIfAborted()
    await this.#startNode(this.#member('home'))
    this.#host = await NodeHost.on(this.node('home'))
    for (const repository of repositories) await this.#host.create(repository)
    for (const name of MIRRORS) {
      signal.throwIfAborted()
      await this.#startNode(this.#member(name))
      const { exitCode, stderr } = await this.node(name).guts('mirror', 'add', this.#member('home').peerId)
      if (exitCode !== 0) throw new Error(`guts mirror add ended with ${exitCode}: ${stderr}`)
    }
  }

  async #startNode(member: Member): Promise<void> {
    const dialled = LINK_NAMES.filter((name) => LINKS[name][1] === member.name)
    const bootstrap = dialled.map((name) => {
      return `/ip4/127.0.0.1/tcp/${this.link(name).port}/p2p/${this.#member(LINKS[name][0]).peerId}`
    })
    const node = await NodeProcess.start({
      dataDirectory: member.dataDirectory,
      // What is wrong on its disk is for a checker to say.
      damaged: true,
      // From its first moment on it is known here, or an interruption would leave it behind.
      waitFor: 'nothing',
      environment: {
        ...P2P_SETTINGS,
        GUTS_PRIVATE_KEY: member.seed,
        GUTS_P2P_ADDR: `127.0.0.1:${member.p2pPort}`,
        GUTS_ANNOUNCE_ADDRS: NOWHERE,
        ...(bootstrap.length > 0 && { GUTS_BOOTSTRAP_PEERS: bootstrap.join(',') }),
        GUTS_RATE_LIMIT: '0',
        GUTS_LOG_LEVEL: 'info',
      },
    })
    member.processes.push(node)
    await this.#untilStarted(node)
  }

  /** Then it owes an answer to everybody. A mirror is not ready before it has found a peer, and links may be down. */
  async #untilStarted(node: NodeProcess): Promise<void> {
    const untilMs = performance.now() + START_MS_MAX
    while (!(await node.started())) {
      if (!node.running || performance.now() > untilMs) throw new Error(`A node did not start: ${node.stdout}`)
      await delay(POLL_MS, undefined, { signal: this.#options.signal })
    }
  }

  #member(name: NodeName): Member {
    const member = this.#members.get(name)
    if (member === undefined) throw new RangeError(`There is no node ${name}`)
    return member
  }
}

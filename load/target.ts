/** The node under load: one of our own in a process beside us, or one that a person named. */
import { parseMetrics, type Series } from '../integration/support/metrics.ts'
import { NodeProcess } from '../integration/support/node-process.ts'
import { WrongUseError } from '../harness/errors.ts'
import type { NodeAddress } from './environment.ts'

export interface Target extends AsyncDisposable {
  readonly baseUrl: string
  readonly username: string
  readonly token: string
  /** Undefined: its metrics cannot be read, so nothing can be reconciled. */
  readonly metricsUrl: string | undefined
  /** For programs that speak to it. */
  readonly network: Readonly<Record<string, string>>
  createRepository(name: string): Promise<void>
  /** The clone address. */
  urlOf(name: string): string
}

/** @throws WrongUseError where the node that is named is not there, or is none */
export async function openTarget(address: NodeAddress | undefined): Promise<Target> {
  if (address === undefined) return OwnNode.start()
  const { baseUrl, token, metricsUrl, network } = address
  const headers = { Authorization: `Bearer ${token}` }
  const response = await fetch(`${baseUrl}/api/user`, { headers }).catch((error: unknown) => {
    throw new WrongUseError(`LOAD_BASE_URL: ${baseUrl} cannot be reached (${reasonOf(error)})`)
  })
  if (response.status !== 200) throw new WrongUseError(`${baseUrl} does not take LOAD_TOKEN: ${response.status}`)
  const { username } = (await response.json()) as { username: string }
  if (metricsUrl !== undefined) await probeMetrics(metricsUrl)
  return new NamedNode({ baseUrl, metricsUrl, username, token, network })
}

/** Before anything is made there: it would be found out after minutes only. */
async function probeMetrics(metricsUrl: string): Promise<void> {
  const series = await readSeries(metricsUrl).catch((error: unknown) => {
    throw new WrongUseError(
      `LOAD_METRICS_URL: ${reasonOf(error)}; it is the internal listener, such as http://HOST:9090`,
    )
  })
  if (series.has(IN_FLIGHT)) return
  throw new WrongUseError(`LOAD_METRICS_URL: ${metricsUrl}/metrics holds no metrics of a node`)
}

/** What `fetch` throws says that it failed; why is in its cause. */
function reasonOf(error: unknown): string {
  const { message, cause } = error as Error
  return cause instanceof Error ? `${message}: ${cause.message}` : message
}

interface Access {
  readonly baseUrl: string
  readonly metricsUrl: string | undefined
  readonly username: string
  readonly token: string
  readonly network: Readonly<Record<string, string>>
}

/** A node that others started; what is made there is deleted again. */
class NamedNode implements Target {
  readonly baseUrl: string
  readonly metricsUrl: string | undefined
  readonly username: string
  readonly token: string
  readonly network: Readonly<Record<string, string>>
  readonly #made: string[] = []

  constructor({ baseUrl, metricsUrl, username, token, network }: Access) {
    this.baseUrl = baseUrl
    this.metricsUrl = metricsUrl
    this.username = username
    this.token = token
    this.network = network
  }

  async createRepository(name: string): Promise<void> {
    await this.#ask('POST', '/api/repos', 201, { name })
    this.#made.push(name)
  }

  urlOf(name: string): string {
    return `${this.baseUrl}/git/${this.username}/${name}.git`
  }

  async [Symbol.asyncDispose](): Promise<void> {
    for (const name of this.#made.splice(0)) await this.#ask('DELETE', `/api/repos/${this.username}/${name}`, 204)
  }

  async #ask(method: string, path: string, status: number, body?: object): Promise<void> {
    const headers = { Authorization: `Bearer ${this.token}`, 'Content-Type': 'application/json' }
    const given = body === undefined ? {} : { body: JSON.stringify(body) }
    const response = await fetch(`${this.baseUrl}${path}`, { method, headers, ...given })
    const text = await response.text()
    if (response.status !== status) throw new Error(`${method} ${path} answered ${response.status}: ${text}`)
  }
}

/** A fresh node for this run alone: its end takes everything with it. */
class OwnNode extends NamedNode {
  readonly #node: NodeProcess

  private constructor(node: NodeProcess, access: Access) {
    super(access)
    this.#node = node
  }

  static async start(): Promise<OwnNode> {
    const node = await NodeProcess.start({ environment: { GUTS_RATE_LIMIT: '0', GUTS_LOG_LEVEL: 'warn' } })
    try {
      const user = await node.createUser('alice')
      return new OwnNode(node, { baseUrl: node.origin, metricsUrl: node.internalOrigin, network: {}, ...user })
    } catch (error) {
      await node[Symbol.asyncDispose]()
      throw error
    }
  }

  override async [Symbol.asyncDispose](): Promise<void> {
    await this.#node[Symbol.asyncDispose]()
  }
}

const SETTLE_MS_MAX = 15_000
const POLL_MS = 100
const IN_FLIGHT = 'guts_http_requests_in_flight{listener="api"}'

/** @throws Error */
async function readSeries(metricsUrl: string, signal?: AbortSignal): Promise<Series> {
  const headers = { Accept: 'text/plain' }
  const response = await fetch(`${metricsUrl}/metrics`, { headers, ...(signal === undefined ? {} : { signal }) })
  if (response.status !== 200) throw new Error(`${metricsUrl}/metrics answered ${response.status}`)
  return parseMetrics(await response.text())
}

/**
 * The node's metrics when it has no request in hand: each is counted at its end, a moment after its last byte.
 * @throws Error where it does not come to rest
 */
export async function settledSeries(metricsUrl: string, signal: AbortSignal): Promise<Series> {
  const untilMs = performance.now() + SETTLE_MS_MAX
  for (;;) {
    const series = await readSeries(metricsUrl, signal)
    if (series.get(IN_FLIGHT) === 0) return series
    if (performance.now() > untilMs) throw new Error('The node still has requests in hand: is it used by others, too?')
    await new Promise((resolve) => setTimeout(resolve, POLL_MS))
  }
}

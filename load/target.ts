/** The node under load: one of our own in a process beside us, or one that a person named. */
import { parseMetrics, type Series } from '../integration/support/metrics.ts'
import { NodeProcess } from '../integration/support/node-process.ts'
import { WrongUseError } from '../harness/errors.ts'

export interface Target extends AsyncDisposable {
  readonly baseUrl: string
  readonly username: string
  readonly token: string
  /** Undefined: its metrics cannot be read, so nothing can be reconciled. */
  readonly metricsUrl: string | undefined
  createRepository(name: string): Promise<void>
  /** The clone address. */
  urlOf(name: string): string
}

/** What a target is named by, beside the flags: a token has no place among a command's arguments. */
export interface TargetEnvironment {
  readonly LOAD_BASE_URL?: string | undefined
  readonly LOAD_TOKEN?: string | undefined
  readonly LOAD_METRICS_URL?: string | undefined
}

/** @throws WrongUseError */
export async function openTarget(environment: TargetEnvironment): Promise<Target> {
  const { LOAD_BASE_URL: base, LOAD_TOKEN: token, LOAD_METRICS_URL: metrics } = environment
  if (base === undefined) return OwnNode.start()
  if (token === undefined) throw new WrongUseError('LOAD_BASE_URL needs LOAD_TOKEN, a token of a user of that node')
  const [baseUrl, metricsUrl] = [urlIn('LOAD_BASE_URL', base), metrics && urlIn('LOAD_METRICS_URL', metrics)]
  const headers = { Authorization: `Bearer ${token}` }
  const response = await fetch(`${baseUrl}/api/user`, { headers }).catch((error: unknown) => {
    throw new WrongUseError(`LOAD_BASE_URL: ${baseUrl} cannot be reached (${String(error)})`)
  })
  if (response.status !== 200) throw new WrongUseError(`${baseUrl} does not take LOAD_TOKEN: ${response.status}`)
  const { username } = (await response.json()) as { username: string }
  return new NamedNode({ baseUrl, metricsUrl, username, token })
}

interface Access {
  readonly baseUrl: string
  readonly metricsUrl: string | undefined
  readonly username: string
  readonly token: string
}

/** A node that others started; what is made there is deleted again. */
class NamedNode implements Target {
  readonly baseUrl: string
  readonly metricsUrl: string | undefined
  readonly username: string
  readonly token: string
  readonly #made: string[] = []

  constructor({ baseUrl, metricsUrl, username, token }: Access) {
    this.baseUrl = baseUrl
    this.metricsUrl = metricsUrl
    this.username = username
    this.token = token
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
      return new OwnNode(node, { baseUrl: node.origin, metricsUrl: node.internalOrigin, ...user })
    } catch (error) {
      await node[Symbol.asyncDispose]()
      throw error
    }
  }

  override async [Symbol.asyncDispose](): Promise<void> {
    await this.#node[Symbol.asyncDispose]()
  }
}

function urlIn(variable: string, value: string): string {
  const url = URL.parse(value)
  if (url !== null && /^https?:$/.test(url.protocol)) return value.replace(/\/+$/, '')
  throw new WrongUseError(`${variable} is an address such as https://staging.example.org`)
}

const SETTLE_MS_MAX = 15_000
const POLL_MS = 100

/**
 * The node's metrics when it has no request in hand: each is counted at its end, a moment after its last byte.
 * @throws Error where it does not come to rest
 */
export async function settledSeries(metricsUrl: string, signal: AbortSignal): Promise<Series> {
  const untilMs = performance.now() + SETTLE_MS_MAX
  for (;;) {
    const response = await fetch(`${metricsUrl}/metrics`, { headers: { Accept: 'text/plain' }, signal })
    if (response.status !== 200) throw new Error(`${metricsUrl}/metrics answered ${response.status}`)
    const series = parseMetrics(await response.text())
    if (series.get('guts_http_requests_in_flight{listener="api"}') === 0) return series
    if (performance.now() > untilMs) throw new Error('The node still has requests in hand: is it used by others, too?')
    await new Promise((resolve) => setTimeout(resolve, POLL_MS))
  }
}

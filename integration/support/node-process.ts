import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as delay } from 'node:timers/promises'
import { ALLOCATOR_SETTINGS } from '../../src/allocator.ts'
import { cleanEnvironment, guts, MAIN } from './command-line.ts'
import { freePorts } from './free-ports.ts'
import { fsckAll } from './git.ts'

export type LogLine = Record<string, unknown>

export interface NodeProcessOptions {
  /** Further variables; undefined removes one that is set here. */
  readonly environment?: Readonly<Record<string, string | undefined>>
  /** Of an earlier process, whose place this one takes; without them free ones. */
  readonly ports?: NodeProcess['ports']
  /** Kept when the node goes; without it a folder that goes with it. */
  readonly dataDirectory?: string
  /** Further arguments of `guts start`. */
  readonly args?: readonly string[]
  /** Instead of the program itself. */
  readonly script?: string
  /** Git is not asked in the end: the test damages what lies on disk, or asks git itself. */
  readonly damaged?: true
  /** Whether to wait until it is ready; else only until it answers on its internal listener. */
  readonly waitFor?: 'ready' | 'started' | 'live' | 'nothing'
}

const START_MS_MAX = 30_000
const STOP_MS_MAX = 60_000
const POLL_MS = 25
/** A node that hangs answers nobody: who asks it must not hang, too. */
const ANSWER_MS_MAX = 10_000

/** A real node in a process of its own, on free ports of the loopback. */
export class NodeProcess implements AsyncDisposable {
  readonly dataDirectory: string
  readonly origin: string
  readonly internalOrigin: string
  readonly ports: { readonly api: number; readonly internal: number; readonly p2p: number }
  readonly environment: Readonly<Record<string, string>>
  readonly #child: ChildProcess
  readonly #ownsData: boolean
  readonly #checksRepositories: boolean
  readonly #closed: Promise<void>
  #stdout = ''
  #stderr = ''

  private constructor(ports: readonly number[], options: NodeProcessOptions) {
    const [api = 0, internal = 0, p2p = 0] = ports
    this.ports = { api, internal, p2p }
    this.origin = `http://127.0.0.1:${api}`
    this.internalOrigin = `http://127.0.0.1:${internal}`
    this.#ownsData = options.dataDirectory === undefined
    this.#checksRepositories = options.damaged === undefined
    this.dataDirectory = options.dataDirectory ?? mkdtempSync(join(tmpdir(), 'guts-node-'))
    const settings: Record<string, string | undefined> = {
      GUTS_API_ADDR: `127.0.0.1:${api}`,
      GUTS_METRICS_ADDR: `127.0.0.1:${internal}`,
      GUTS_P2P_ADDR: `127.0.0.1:${p2p}`,
      GUTS_DATA_DIR: this.dataDirectory,
      GUTS_PRIVATE_KEY: '5ecd'.repeat(16),
      GUTS_LOG_LEVEL: 'debug',
      // What a small disk of a build machine has left is not the matter of most tests.
      GUTS_MIN_FREE_MB: '0',
      // What it would give itself, and begin once more for: 0.07 s of each start.
      ...ALLOCATOR_SETTINGS,
      ...options.environment,
    }
    const given = Object.entries(settings).filter((entry): entry is [string, string] => entry[1] !== undefined)
    this.environment = Object.fromEntries(given)
    this.#child = spawn(process.execPath, [options.script ?? MAIN, 'start', ...(options.args ?? [])], {
      env: cleanEnvironment(this.environment),
      stdio: ['ignore', 'pipe', 'pipe'],
    })
    this.#child.stdout?.setEncoding('utf8').on('data', (text: string) => (this.#stdout += text))
    this.#child.stderr?.setEncoding('utf8').on('data', (text: string) => (this.#stderr += text))
    this.#closed = once(this.#child, 'close').then(() => {})
  }

  static async start(options: NodeProcessOptions = {}): Promise<NodeProcess> {
    const { ports } = options
    const node = new NodeProcess(ports ? [ports.api, ports.internal, ports.p2p] : await freePorts(3), options)
    try {
      const { waitFor = 'ready' } = options
      if (waitFor !== 'nothing') await node.#waitUntil(waitFor)
      return node
    } catch (error) {
      await node[Symbol.asyncDispose]()
      throw error
    }
  }

  get pid(): number {
    return this.#child.pid ?? 0
  }

  get exitCode(): number | null {
    return this.#child.exitCode
  }

  get stdout(): string {
    return this.#stdout
  }

  get stderr(): string {
    return this.#stderr
  }

  /** Every line so far. @throws SyntaxError where one is not JSON */
  lines(): LogLine[] {
    return `${this.#stdout}${this.#stderr}`
      .split('\n')
      .slice(0, -1)
      .map((line) => JSON.parse(line) as LogLine)
  }

  get running(): boolean {
    return this.#child.exitCode === null && this.#child.signalCode === null
  }

  /** Sends SIGTERM and waits for the end. @returns the exit code */
  async stop(): Promise<number | null> {
    this.signal('SIGTERM')
    return this.ended()
  }

  /** `kill -9`. */
  async kill(): Promise<void> {
    this.signal('SIGKILL')
    await this.ended()
  }

  signal(signal: NodeJS.Signals): void {
    if (this.running) this.#child.kill(signal)
  }

  /** Waits for the end, however it comes. */
  async ended(): Promise<number | null> {
    const timeout = new AbortController()
    const late = delay(STOP_MS_MAX, 'late' as const, { signal: timeout.signal }).catch(() => 'done' as const)
    const outcome = await Promise.race([this.#closed, late])
    timeout.abort()
    if (outcome === 'late') throw new Error(`The node did not end:\n${this.#stdout}${this.#stderr}`)
    return this.#child.exitCode
  }

  /** Readiness as the internal listener tells it; undefined when nobody answers. */
  async readiness(): Promise<{ status: number; body: Record<string, unknown> } | undefined> {
    try {
      const response = await this.#ask('/health/ready')
      return { status: response.status, body: (await response.json()) as Record<string, unknown> }
    } catch {
      return undefined
    }
  }

  /** Whether its start is complete. A node is live before, and then listens on its API address not yet. */
  async started(): Promise<boolean> {
    try {
      const response = await this.#ask('/health/startup')
      await response.arrayBuffer()
      return response.status === 200
    } catch {
      return false
    }
  }

  /** Value of one series on `/metrics`, e.g. `guts_users_total`. */
  async metric(series: string): Promise<number | undefined> {
    const text = await (await this.#ask('/metrics')).text()
    const line = text.split('\n').find((found) => found.startsWith(`${series} `))
    return line === undefined ? undefined : Number(line.slice(series.length + 1))
  }

  /** Makes a user with a token beside the running node, as `guts user create` and `guts token create` do. */
  async createUser(username: string, role?: 'admin'): Promise<{ username: string; token: string }> {
    const { createUserIn } = await import('./users.ts')
    return { username, token: await createUserIn(this.dataDirectory, { username, admin: role === 'admin' }) }
  }

  guts(...args: string[]): ReturnType<typeof guts> {
    return guts(args, this.environment)
  }

  /** Asks the API as this user. */
  api(path: string, token?: string, init: RequestInit = {}): Promise<Response> {
    // A connection that is kept might be closed by the node, as idle, in the moment of the next request.
    const headers = new Headers({ connection: 'close', ...Object.fromEntries(new Headers(init.headers)) })
    if (token !== undefined) headers.set('Authorization', `Bearer ${token}`)
    if (init.body !== undefined) headers.set('Content-Type', 'application/json')
    return fetch(`${this.origin}${path}`, { ...init, headers })
  }

  /** The end of every node in the tests: whatever was pushed to it, git finds nothing wrong on its disk (I2). */
  async [Symbol.asyncDispose](): Promise<void> {
    try {
      if (this.running) await this.kill()
      if (this.#checksRepositories) await fsckAll(join(this.dataDirectory, 'repositories'))
    } finally {
      if (this.#ownsData) rmSync(this.dataDirectory, { recursive: true, force: true })
    }
  }

  /** The internal listener. */
  #ask(path: string): Promise<Response> {
    const signal = AbortSignal.timeout(ANSWER_MS_MAX)
    return fetch(`${this.internalOrigin}${path}`, { headers: { connection: 'close' }, signal })
  }

  async #waitUntil(state: 'ready' | 'started' | 'live'): Promise<void> {
    const untilMs = performance.now() + START_MS_MAX
    while (performance.now() < untilMs) {
      if (!this.running) break
      if (await this.#is(state)) return
      await delay(POLL_MS)
    }
    throw new Error(`The node did not get ${state}:\n${this.#stdout}${this.#stderr}`)
  }

  async #is(state: 'ready' | 'started' | 'live'): Promise<boolean> {
    if (state === 'started') return this.started()
    const readiness = await this.readiness()
    return readiness !== undefined && (state === 'live' || readiness.status === 200)
  }
}

/** The two hosts that are compared: a node, and C git's own server behind nginx, each in processes of its own. */
import { execFileSync } from 'node:child_process'
import { existsSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import { gutsJson } from '../integration/support/command-line.ts'
import { Git } from '../integration/support/git.ts'
import { NodeHost } from '../integration/support/hosts.ts'
import { NodeProcess, type NodeProcessOptions } from '../integration/support/node-process.ts'
import type { Target } from './raw-client.ts'
import type { WebServer } from './web-server/web-server.ts'

export interface BenchHost {
  /** An empty repository. */
  create(name: string): Promise<Target>
  /** A repository with all that is in another one on disk; where it is there already, that one. */
  fill(name: string, source: string): Promise<Target>
  /** Does at once what maintenance does by itself some time after a push. */
  settle(name: string): Promise<void>
  remove(name: string): Promise<void>
}

/** As in production, but for limits on how much one client may ask, and how much it may send at once. */
export const BENCH_ENVIRONMENT = {
  GUTS_RATE_LIMIT: '0',
  GUTS_LOG_LEVEL: 'info',
  GUTS_MAX_REQUEST_SIZE_MB: '1000',
} as const

export type NodeUser = ConstructorParameters<typeof NodeHost>[1]

export class GutsBench implements BenchHost, AsyncDisposable {
  readonly node: NodeProcess
  readonly host: NodeHost
  readonly #filled = new Set<string>()
  /** Who interrupts a run twice leaves nobody behind to end it. */
  readonly #onExit = (): void => this.node.signal('SIGKILL')

  private constructor(node: NodeProcess, host: NodeHost) {
    this.node = node
    this.host = host
    process.on('exit', this.#onExit)
  }

  /** @param user of an earlier process on the same data */
  static async start(options: NodeProcessOptions = {}, user?: NodeUser): Promise<GutsBench> {
    const node = await NodeProcess.start({ environment: BENCH_ENVIRONMENT, ...options })
    return new GutsBench(node, user === undefined ? await NodeHost.on(node) : new NodeHost(node, user))
  }

  async create(name: string): Promise<Target> {
    await this.host.create(name)
    return this.target(name)
  }

  async fill(name: string, source: string): Promise<Target> {
    if (!this.#filled.has(name)) {
      const { url } = await this.host.create(name)
      await new Git(source).run('push', '--quiet', '--mirror', url)
      // As the other host is repacked.
      await this.settle(name)
      this.#filled.add(name)
    }
    return this.target(name)
  }

  async settle(name: string): Promise<void> {
    await gutsJson(['repo', 'gc', `${this.host.username}/${name}`], this.node.environment)
  }

  async remove(name: string): Promise<void> {
    const { username, token, node } = this.host
    const { status } = await node.api(`/api/repos/${username}/${name}`, token, { method: 'DELETE' })
    if (status !== 204) throw new Error(`${name} was not deleted: ${status}`)
  }

  target(name: string): Target {
    const { username, node } = this.host
    return { url: `${node.origin}/git/${username}/${name}.git`, authorization: this.authorization }
  }

  get authorization(): string {
    const { username, token } = this.host
    return `Basic ${Buffer.from(`${username}:${token}`).toString('base64')}`
  }

  [Symbol.asyncDispose](): Promise<void> {
    process.off('exit', this.#onExit)
    return this.node[Symbol.asyncDispose]()
  }
}

/**
 * What C git's server is told: to take and check what the node takes and checks, and to sync all that it writes. More
 * durable it cannot be: git never syncs folders.
 */
const SETTINGS: Readonly<Record<string, string>> = {
  'uploadpack.allowFilter': 'true',
  'http.receivepack': 'true',
  'receive.fsckObjects': 'true',
  'receive.autogc': 'false',
  'core.fsync': 'all',
}

export class HttpBackendBench implements BenchHost {
  readonly #server: WebServer

  constructor(server: WebServer) {
    this.#server = server
  }

  async create(name: string): Promise<Target> {
    const path = this.#path(name)
    execFileSync('git', ['init', '--quiet', '--bare', '--initial-branch=main', path])
    await this.#configure(path)
    return this.#target(name)
  }

  /** With reachability bitmaps: what its operator would do for speed. */
  async fill(name: string, source: string): Promise<Target> {
    const path = this.#path(name)
    if (existsSync(path)) return this.#target(name)
    execFileSync('git', ['clone', '--quiet', '--mirror', source, path])
    await this.#configure(path)
    await new Git(path).run('repack', '-a', '-d', '-b', '-q')
    return this.#target(name)
  }

  /** Without `receive.autogc` nothing is left to do. */
  async settle(): Promise<void> {}

  async remove(name: string): Promise<void> {
    rmSync(this.#path(name), { recursive: true })
  }

  async #configure(path: string): Promise<void> {
    for (const [key, value] of Object.entries(SETTINGS)) await new Git(path).run('config', key, value)
  }

  #path(name: string): string {
    return join(this.#server.repositories, `${name}.git`)
  }

  #target(name: string): Target {
    return { url: `${this.#server.origin}/git/${name}.git` }
  }
}

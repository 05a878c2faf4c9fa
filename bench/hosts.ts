/** The two hosts that are compared: a node, and C git's own server, each in processes of its own. */
import { type ChildProcess, execFileSync, spawn } from 'node:child_process'
import { mkdirSync } from 'node:fs'
import { join } from 'node:path'
import { Git } from '../integration/support/git.ts'
import { NodeHost } from '../integration/support/hosts.ts'
import { NodeProcess } from '../integration/support/node-process.ts'
import type { Target } from './raw-client.ts'

export interface BenchHost {
  readonly name: 'guts' | 'http-backend'
  /** An empty repository. */
  create(name: string): Promise<Target>
  /** A repository with all that is in another one on disk. */
  fill(name: string, source: string): Promise<Target>
}

export class GutsBench implements BenchHost {
  readonly name = 'guts'
  readonly node: NodeProcess
  readonly #host: NodeHost

  private constructor(node: NodeProcess, host: NodeHost) {
    this.node = node
    this.#host = host
  }

  static async start(): Promise<GutsBench> {
    // As in production, but for limits on how much one client may ask, and how much it may send at once.
    const environment = { GUTS_RATE_LIMIT: '0', GUTS_LOG_LEVEL: 'info', GUTS_MAX_REQUEST_SIZE_MB: '1000' }
    const node = await NodeProcess.start({ environment })
    return new GutsBench(node, await NodeHost.on(node))
  }

  async create(name: string): Promise<Target> {
    await this.#host.create(name)
    return this.#target(name)
  }

  async fill(name: string, source: string): Promise<Target> {
    const { url } = await this.#host.create(name)
    await new Git(source).run('push', '--quiet', '--mirror', url)
    return this.#target(name)
  }

  #target(name: string): Target {
    const { username, token, node } = this.#host
    const credentials = Buffer.from(`${username}:${token}`).toString('base64')
    return { url: `${node.origin}/git/${username}/${name}.git`, authorization: `Basic ${credentials}` }
  }
}

export class HttpBackendBench implements BenchHost, Disposable {
  readonly name = 'http-backend'
  readonly #root: string
  readonly #origin: string
  readonly #child: ChildProcess

  private constructor(root: string, origin: string, child: ChildProcess) {
    this.#root = root
    this.#origin = origin
    this.#child = child
  }

  static async start(root: string): Promise<HttpBackendBench> {
    mkdirSync(root)
    const child = spawn(process.execPath, [join(import.meta.dirname, 'anchor-server.ts'), root], {
      stdio: ['ignore', 'pipe', 'inherit'],
    })
    const { promise, resolve } = Promise.withResolvers<string>()
    child.stdout.once('data', (text: Buffer) => resolve(text.toString().trim()))
    return new HttpBackendBench(root, await promise, child)
  }

  async create(name: string): Promise<Target> {
    const path = join(this.#root, `${name}.git`)
    execFileSync('git', ['init', '--quiet', '--bare', '--initial-branch=main', path])
    await new Git(path).run('config', 'uploadpack.allowFilter', 'true')
    return { url: `${this.#origin}/${name}.git` }
  }

  /** With reachability bitmaps: what its operator would do for speed. */
  async fill(name: string, source: string): Promise<Target> {
    const target = await this.create(name)
    const path = join(this.#root, `${name}.git`)
    await new Git(source).run('push', '--quiet', '--mirror', path)
    await new Git(path).run('repack', '-a', '-d', '-b', '-q')
    return target
  }

  [Symbol.dispose](): void {
    this.#child.kill()
  }
}

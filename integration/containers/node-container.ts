/** A node as it is shipped. */
import { type StartedTestContainer, Wait } from 'testcontainers'
import { freePorts } from '../support/free-ports.ts'
import { engine, RunContainer } from './run.ts'

export const API_PORT = 8080
export const INTERNAL_PORT = 9090
export const P2P_PORT = 9000

export interface NodeContainerOptions {
  /** Networks, with the name it has in them. */
  readonly networks?: readonly string[]
  readonly alias?: string
  readonly environment?: Readonly<Record<string, string>>
}

export class NodeContainer implements AsyncDisposable {
  readonly container: StartedTestContainer
  readonly origin: string
  readonly internalOrigin: string

  private constructor(container: StartedTestContainer, ports: { readonly api: number; readonly internal: number }) {
    this.container = container
    this.origin = `http://127.0.0.1:${ports.api}`
    this.internalOrigin = `http://127.0.0.1:${ports.internal}`
  }

  static async start({ networks = [], alias = 'node', environment }: NodeContainerOptions): Promise<NodeContainer> {
    // Ports that stay the same when it is stopped and started again.
    const [api = 0, internal = 0, p2p = 0] = await freePorts(3)
    const [first, ...others] = networks
    const image = new RunContainer('node')
      .withReadOnlyRoot()
      .withEnvironment({ GUTS_PRIVATE_KEY: '5ecd'.repeat(16), GUTS_MIN_FREE_MB: '0', ...environment })
      .withExposedPorts(
        { container: API_PORT, host: api },
        { container: INTERNAL_PORT, host: internal },
        // Nobody asks for it; but testcontainers waits for each port that the image names, and podman binds no others.
        { container: P2P_PORT, host: p2p },
      )
      .withWaitStrategy(Wait.forHttp('/health/ready', INTERNAL_PORT))
    if (first !== undefined) image.withNetworkMode(first).withNetworkAliases(alias)
    const node = new NodeContainer(await image.start(), { api, internal })
    for (const network of others) await engine('network', 'connect', '--alias', alias, network, node.id)
    return node
  }

  get id(): string {
    return this.container.getId()
  }

  /** Runs `guts ARGS` in the container, beside the node. */
  async guts(...args: readonly string[]): Promise<string> {
    const { exitCode, output } = await this.container.exec(['node', 'dist/src/main.js', ...args])
    if (exitCode !== 0) throw new Error(`guts ${args.join(' ')} ended with ${exitCode}: ${output}`)
    return output
  }

  async gutsJson<T>(...args: readonly string[]): Promise<T> {
    return JSON.parse(await this.guts(...args, '--json')) as T
  }

  /** A user with a token, and an empty repository of theirs. @returns its address, with credentials */
  async createRepository(username: string, name: string): Promise<string> {
    await this.guts('user', 'create', username)
    const { token } = await this.gutsJson<{ token: string }>('token', 'create', '--user', username)
    const headers = { Authorization: `Bearer ${token}`, 'Content-Type': 'application/json' }
    const body = JSON.stringify({ name })
    const response = await fetch(`${this.origin}/api/repos`, { method: 'POST', headers, body })
    if (response.status !== 201) throw new Error(`${response.status}: ${await response.text()}`)
    return `${this.origin.replace('//', `//${username}:${token}@`)}/git/${username}/${name}.git`
  }

  /** Status of the readiness check; undefined: nobody answers. */
  async readiness(): Promise<number | undefined> {
    const response = await fetch(`${this.internalOrigin}/health/ready`, {
      headers: { connection: 'close' },
      signal: AbortSignal.timeout(5_000),
    }).catch(() => undefined)
    await response?.body?.cancel()
    return response?.status
  }

  async metrics(): Promise<string> {
    return (await fetch(`${this.internalOrigin}/metrics`)).text()
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.container.stop({ remove: true, removeVolumes: true, timeout: 0 })
  }
}

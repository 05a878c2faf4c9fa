/** The real Toxiproxy server in a process of its own, with one proxy on each link. */
import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { setTimeout as delay } from 'node:timers/promises'
import { type Proxy, Toxiproxy } from 'toxiproxy-node-client'
import { freePorts } from '../../integration/support/free-ports.ts'
import type { LinkName } from '../history.ts'

const START_MS_MAX = 10_000
const POLL_MS = 25
const ALL_CONNECTIONS = 1

/** upstream: what the node that dials sends; downstream: what it is sent. */
export type Stream = 'upstream' | 'downstream'

export type Toxic =
  | { readonly type: 'latency'; readonly attributes: { readonly latency: number; readonly jitter: number } }
  | { readonly type: 'bandwidth'; readonly attributes: { readonly rate: number } }
  /** With a time of 0 bytes are lost until it is taken away, and then the connection is closed. */
  | { readonly type: 'timeout'; readonly attributes: { readonly timeout: 0 } }
  | { readonly type: 'reset_peer'; readonly attributes: { readonly timeout: 0 } }

/** The proxy on one link. */
export class Link {
  readonly port: number
  readonly #proxy: Proxy

  constructor(proxy: Proxy) {
    this.#proxy = proxy
    this.port = Number(proxy.listen.slice(proxy.listen.lastIndexOf(':') + 1))
  }

  /** For connections that are there and those to come. @returns what takes it away again */
  async add(toxic: Toxic, stream: Stream): Promise<() => Promise<void>> {
    const name = `${toxic.type}-${stream}`
    const body = { type: toxic.type, attributes: toxic.attributes, name, stream, toxicity: ALL_CONNECTIONS }
    const added = await this.#proxy.addToxic<object>(body)
    return () => added.remove()
  }
}

export class ToxiproxyServer implements AsyncDisposable {
  readonly #child: ChildProcess
  readonly #closed: Promise<unknown>
  readonly #client: Toxiproxy
  readonly #kill = (): void => {
    if (this.#child.exitCode === null && this.#child.signalCode === null) this.#child.kill('SIGKILL')
  }

  private constructor(child: ChildProcess, client: Toxiproxy) {
    this.#child = child
    this.#closed = once(child, 'close')
    this.#client = client
    process.on('exit', this.#kill)
  }

  /** @param folder where it runs, so that what it is part of can be told */
  static async start(executable: string, folder: string): Promise<ToxiproxyServer> {
    const [port = 0] = await freePorts(1)
    const child = spawn(executable, ['-host', '127.0.0.1', '-port', String(port)], { cwd: folder, stdio: 'ignore' })
    await once(child, 'spawn')
    const server = new ToxiproxyServer(child, new Toxiproxy(`http://127.0.0.1:${port}`))
    for (const untilMs = performance.now() + START_MS_MAX; ;) {
      if (await server.#client.getVersion().then(Boolean, () => false)) return server
      if (child.exitCode === null && performance.now() < untilMs) await delay(POLL_MS)
      else {
        await server[Symbol.asyncDispose]()
        throw new Error(`${executable} did not answer on port ${port} (exit code ${child.exitCode})`)
      }
    }
  }

  async link(name: LinkName, toPort: number): Promise<Link> {
    const body = { name, listen: '127.0.0.1:0', upstream: `127.0.0.1:${toPort}`, enabled: true }
    return new Link(await this.#client.createProxy(body))
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#kill()
    process.off('exit', this.#kill)
    await this.#closed
  }
}

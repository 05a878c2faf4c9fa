/** What the parts of the bench share; each thing is made when the first of them asks for it. */
import { join } from 'node:path'
import { BareNode } from './bare-node.ts'
import { GutsBench, HttpBackendBench } from './hosts.ts'
import { Sources } from './sources.ts'
import { findWebServer } from './web-server/find.ts'
import { WebServer } from './web-server/web-server.ts'

export interface Hosts {
  readonly guts: GutsBench
  readonly anchor: HttpBackendBench
  readonly web: WebServer
  /** Has the files of `web`. */
  readonly bare: BareNode
  /** As `bare`, with the packages that the node is made of. */
  readonly packages: BareNode
}

export interface BenchOptions {
  /** Everything is made in here. */
  readonly folder: string
  readonly seed: number
  /** For each rate and contestant. */
  readonly rateMs: number
  readonly signal: AbortSignal
  readonly say: (line: string) => void
}

export class BenchContext implements AsyncDisposable {
  readonly folder: string
  readonly seed: number
  readonly rateMs: number
  readonly signal: AbortSignal
  readonly sources: Sources
  readonly #options: BenchOptions
  readonly #stack = new AsyncDisposableStack()
  #hosts: Promise<Hosts> | undefined

  constructor(options: BenchOptions) {
    this.#options = options
    this.folder = options.folder
    this.seed = options.seed
    this.rateMs = options.rateMs
    this.signal = options.signal
    this.sources = new Sources(options.folder, options.seed, options.say)
  }

  /** @throws ToolMissingError where there is no web server */
  hosts(): Promise<Hosts> {
    this.#hosts ??= this.#start()
    return this.#hosts
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.#stack.disposeAsync()
  }

  async #start(): Promise<Hosts> {
    const { folder, signal, say } = this.#options
    const tools = await findWebServer({ signal, say })
    const web = this.#stack.use(await WebServer.start(tools, join(folder, 'web'), signal))
    const bare = this.#stack.use(await BareNode.start(web.files, signal))
    const packages = this.#stack.use(await BareNode.start(web.files, signal, 'packages'))
    return { guts: this.#stack.use(await GutsBench.start()), anchor: new HttpBackendBench(web), web, bare, packages }
  }
}

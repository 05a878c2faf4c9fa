/** A node with a user and repositories, and C git's own server with the same: what the tests of git run against. */
import { type ChildProcess, execFileSync, fork } from 'node:child_process'
import { once } from 'node:events'
import { appendFileSync, cpSync } from 'node:fs'
import { join } from 'node:path'
import { NodeProcess } from './node-process.ts'
import { temporaryFolder } from './git.ts'

export interface Host {
  /** Makes an empty repository. @returns its address, with credentials, and where it lies */
  create(name: string): Promise<{ readonly url: string; readonly gitDirectory: string }>
}

/** A running node in the eyes of one user. */
export class NodeHost implements Host {
  readonly node: NodeProcess
  readonly username: string
  readonly token: string

  constructor(node: NodeProcess, user: { readonly username: string; readonly token: string }) {
    this.node = node
    this.username = user.username
    this.token = user.token
  }

  static async on(node: NodeProcess, username = 'alice'): Promise<NodeHost> {
    return new NodeHost(node, await node.createUser(username))
  }

  async create(name: string, body: object = {}): Promise<{ url: string; gitDirectory: string }> {
    const init = { method: 'POST', body: JSON.stringify({ name, ...body }) }
    const response = await this.node.api('/api/repos', this.token, init)
    if (response.status !== 201) throw new Error(`${response.status}: ${await response.text()}`)
    return { url: this.url(name), gitDirectory: this.gitDirectory(name) }
  }

  url(name: string): string {
    return `http://${this.username}:${this.token}@127.0.0.1:${this.node.ports.api}/git/${this.username}/${name}.git`
  }

  gitDirectory(name: string): string {
    return join(this.node.dataDirectory, 'repositories', this.username, `${name}.git`)
  }
}

/** But for ref-in-want: with it, C git 2.39 cannot clone shallowly from itself, as it sends two sections in the wrong order. */
const ALLOWED = `
[uploadpack]
  allowFilter = true
  allowAnySHA1InWant = true
  allowSidebandAll = true
[receive]
  advertisePushOptions = true
[transfer]
  advertiseSID = true
  advertiseObjectInfo = true
`
const EMPTY = 'empty'

/** C git behind HTTP, with one folder of bare repositories. */
export class TwinHost implements Host, AsyncDisposable {
  readonly #folder: ReturnType<typeof temporaryFolder>
  readonly #backend: ChildProcess
  readonly #origin: string

  private constructor(folder: ReturnType<typeof temporaryFolder>, backend: ChildProcess, origin: string) {
    this.#folder = folder
    this.#backend = backend
    this.#origin = origin
  }

  static async start(): Promise<TwinHost> {
    const folder = temporaryFolder('twin')
    const empty = join(folder.path, `${EMPTY}.git`)
    execFileSync('git', ['init', '--quiet', '--bare', '--initial-branch=main', empty])
    // What the node always allows, C git's server has to be told.
    appendFileSync(join(empty, 'config'), ALLOWED)
    // A small process, as it starts one for each request (run-elsewhere.ts).
    const backend = fork(join(import.meta.dirname, 'http-backend-process.ts'), [folder.path], { execArgv: [] })
    const [origin] = (await once(backend, 'message')) as [string]
    return new TwinHost(folder, backend, origin)
  }

  async create(name: string): Promise<{ url: string; gitDirectory: string }> {
    return this.copy(EMPTY, name)
  }

  /** Makes a repository with what another one has. */
  copy(from: string, name: string): { url: string; gitDirectory: string } {
    const gitDirectory = join(this.#folder.path, `${name}.git`)
    cpSync(join(this.#folder.path, `${from}.git`), gitDirectory, { recursive: true })
    return { url: `${this.#origin}/${name}.git`, gitDirectory }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    const ended = once(this.#backend, 'exit')
    this.#backend.disconnect()
    await ended
    this.#folder[Symbol.dispose]()
  }
}

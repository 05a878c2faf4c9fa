/** A node with a user and repositories, and C git's own server with the same: what the tests of git run against. */
import { execFileSync } from 'node:child_process'
import { mkdirSync } from 'node:fs'
import { join } from 'node:path'
import { type HttpBackend, serveHttpBackend } from './http-backend.ts'
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
const ALLOWED = [
  'uploadpack.allowFilter',
  'uploadpack.allowAnySHA1InWant',
  'uploadpack.allowSidebandAll',
  'receive.advertisePushOptions',
  'transfer.advertiseSID',
  'transfer.advertiseObjectInfo',
]

/** C git behind HTTP, with one folder of bare repositories. */
export class TwinHost implements Host, AsyncDisposable {
  readonly #folder: ReturnType<typeof temporaryFolder>
  readonly #backend: HttpBackend

  private constructor(folder: ReturnType<typeof temporaryFolder>, backend: HttpBackend) {
    this.#folder = folder
    this.#backend = backend
  }

  static async start(): Promise<TwinHost> {
    const folder = temporaryFolder('twin')
    return new TwinHost(folder, await serveHttpBackend(folder.path))
  }

  async create(name: string): Promise<{ url: string; gitDirectory: string }> {
    const gitDirectory = join(this.#folder.path, `${name}.git`)
    mkdirSync(gitDirectory)
    execFileSync('git', ['init', '--quiet', '--bare', '--initial-branch=main', gitDirectory])
    // What the node always allows, C git's server has to be told.
    for (const allowed of ALLOWED) execFileSync('git', ['config', allowed, 'true'], { cwd: gitDirectory })
    return { url: `${this.#backend.origin}/${name}.git`, gitDirectory }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#backend[Symbol.asyncDispose]()
    this.#folder[Symbol.dispose]()
  }
}

/** A node with small budgets, a repository on it, and what must hold after every piece of bad input. */
import { readdirSync } from 'node:fs'
import { join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { expect, vi } from 'vitest'
import { listStoredPacks } from '../../src/storage/repositories/stored-packs.ts'
import { choosePacks } from '../../src/transfer/maintenance/geometry.ts'
import { PACKS_OUTSIDE_MAX } from '../../src/transfer/maintenance/runs.ts'
import { fsck, Git, temporaryFolder } from '../support/git.ts'
import { NodeHost } from '../support/hosts.ts'
import { type LogLine, NodeProcess } from '../support/node-process.ts'
import { blob, commit, type MadeObject, pack, tree, whole } from '../support/pack-maker.ts'
import { pushesUnderWay, type Stored, storedIn } from '../support/stored.ts'
import { encodeRequest, exchange } from '../support/raw-http.ts'
import { command, decodeReply, type GitReply, post, postHeaders, pushBody, type Service } from '../support/wire.ts'

export const LIMITS = {
  GUTS_MAX_REQUEST_SIZE_MB: 1,
  GUTS_MAX_PACK_OBJECTS: 20,
  GUTS_MAX_OBJECT_SIZE_MB: 1,
  GUTS_MAX_INFLATED_SIZE_MB: 2,
  GUTS_MAX_DELTA_DEPTH: 3,
  GUTS_MAX_PUSH_COMMANDS: 3,
  GUTS_MAX_WANTS: 2,
  GUTS_MAX_HAVES: 3,
} as const
export const MB = 2 ** 20

export const HELLO = blob('hello\n')
export const TREE = tree(['100644', 'hello', HELLO.oid])
export const FIRST = commit(TREE.oid)

const WAIT = { timeout: 10_000, interval: 20 }

interface Caller {
  readonly token?: string | undefined
  readonly version?: '0' | '1' | '2' | undefined
  readonly headers?: Readonly<Record<string, string>>
}

export class Victim implements AsyncDisposable {
  readonly node: NodeProcess
  readonly host: NodeHost
  /** Of somebody who has no right to anything here. */
  readonly strangersToken: string
  readonly #folder = temporaryFolder('bad-input')
  readonly #git: Git
  readonly #pid: number
  #linesRead = 0
  #before: Stored
  #goodPushes = 0

  private constructor(node: NodeProcess, host: NodeHost, strangersToken: string) {
    this.node = node
    this.host = host
    this.strangersToken = strangersToken
    this.#git = new Git(this.#folder.path)
    this.#pid = node.pid
    this.#before = storedIn(node.dataDirectory)
  }

  static async start(environment: Readonly<Record<string, string>> = {}): Promise<Victim> {
    const limits = Object.fromEntries(Object.entries(LIMITS).map(([name, value]) => [name, String(value)]))
    const node = await NodeProcess.start({ environment: { GUTS_RATE_LIMIT: '0', ...limits, ...environment } })
    const host = await NodeHost.on(node)
    const { token } = await node.createUser('mallory')
    const victim = new Victim(node, host, token)
    await host.create('site')
    await host.create('hidden', { private: true })
    const reply = await victim.push(
      [command('refs/heads/main', FIRST.oid)],
      pack([HELLO, TREE, FIRST].map((one) => whole(one))),
    )
    expect(reply.lines).toEqual(['unpack ok\n', 'ok refs/heads/main\n'])
    await victim.#git.run('clone', '--quiet', host.url('site'), 'work')
    await victim.remember()
    return victim
  }

  get gitDirectory(): string {
    return this.host.gitDirectory('site')
  }

  send(service: Service, body: Uint8Array, caller: Caller = { token: this.host.token }): Promise<GitReply> {
    return post({ port: this.node.ports.api, repository: 'alice/site', service, body, ...caller })
  }

  push(commands: readonly Buffer[], packBytes: Uint8Array = Buffer.alloc(0)): Promise<GitReply> {
    return this.send('git-receive-pack', pushBody(commands, packBytes))
  }

  /** @param body in chunks, as they pass the wire */
  async sendChunked(body: Uint8Array, token: string): Promise<GitReply> {
    const { port, path, headers } = {
      port: this.node.ports.api,
      path: '/git/alice/site.git/git-receive-pack',
      headers: postHeaders({ service: 'git-receive-pack', token }),
    }
    const head = encodeRequest({ method: 'POST', path, headers: { ...headers, 'Transfer-Encoding': 'chunked' } })
    return decodeReply(await exchange(port, Buffer.concat([head, body])))
  }

  /** What is there now is right, and stays. */
  async remember(): Promise<void> {
    // The answer to a push is out before its folder is gone.
    await vi.waitFor(() => expect(pushesUnderWay(this.node.dataDirectory)).toEqual([]), WAIT)
    // Where pushes have brought many packs, maintenance makes one of them: before what is there is taken for what stays.
    await vi.waitFor(async () => {
      const outside = choosePacks(await listStoredPacks(this.gitDirectory))
      expect(outside.length).toBeLessThan(PACKS_OUTSIDE_MAX)
      const quarantine = readdirSync(join(this.node.dataDirectory, 'quarantine'), { withFileTypes: true })
      expect(quarantine.filter((entry) => entry.isDirectory())).toEqual([])
    }, WAIT)
    this.#before = storedIn(this.node.dataDirectory)
    this.#linesRead = this.node.lines().length
  }

  newLines(): LogLine[] {
    return this.node.lines().slice(this.#linesRead)
  }

  /** The node lives, said nothing of an error, keeps nothing, and takes a push of real git. */
  async expectUnharmed(): Promise<void> {
    await this.expectNothingLeft()
    await this.expectAlive()
  }

  async expectNothingLeft(): Promise<void> {
    await vi.waitFor(() => expect(storedIn(this.node.dataDirectory)).toEqual(this.#before), WAIT)
  }

  async expectAlive(): Promise<void> {
    expect(this.node.running).toBe(true)
    expect(this.node.pid).toBe(this.#pid)
    // On a machine that is busy with other things a check may be late once.
    await vi.waitFor(async () => expect(await this.node.readiness()).toMatchObject({ status: 200 }), WAIT)
    const lines = this.newLines()
    this.#linesRead += lines.length
    const bad = lines.filter(({ level }) => level === 'error' || level === 'fatal' || level === 'warn')
    // That it was not ready for a moment is what was waited for.
    expect(bad.filter(({ route, status }) => route !== '/health/ready' || status !== 503)).toEqual([])
    await fsck(this.gitDirectory)
    await this.#goodPush()
    await this.remember()
  }

  /** Straight into the database, as no client could. */
  refsInDatabase(): string[] {
    const db = new DatabaseSync(join(this.node.dataDirectory, 'guts.db'), { readOnly: true })
    try {
      return db
        .prepare('select name from refs order by name')
        .all()
        .map(({ name }) => String(name))
    } finally {
      db.close()
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.node[Symbol.asyncDispose]()
    this.#folder[Symbol.dispose]()
  }

  async #goodPush(): Promise<void> {
    const work = this.#git.in('work')
    await work.commit(`good ${this.#goodPushes++}`)
    await work.run('push', '--quiet', '--force', this.host.url('site'), 'HEAD:refs/heads/good')
    await fsck(this.gitDirectory)
  }
}

/** An object that is nowhere. */
export const MISSING = blob('never sent\n')

export const objects = (...made: readonly MadeObject[]): Buffer[] => made.map((one) => whole(one))

/** One cell of the matrix: an operation of a client with a node, and with C git's own server, compared. */
import { existsSync, mkdirSync } from 'node:fs'
import { join } from 'node:path'
import { isDeepStrictEqual } from 'node:util'
import { makeHistory } from '../scenarios/scenario.ts'
import { contentsOf, Git, gitVersion, holdingsOf, temporaryFolder } from '../support/git.ts'
import { NodeHost, TwinHost } from '../support/hosts.ts'
import { NodeProcess } from '../support/node-process.ts'
import { type Capability, NotDoneError, Place } from './capability.ts'
import type { OpenClient } from './client.ts'
import { WireRecord } from './wire-record.ts'

/** Every outcome of a cell, with its sign on the page. */
export const OUTCOMES = {
  works: { sign: '✓', meaning: "works, and ends with the same as with C git's own server" },
  unused: { sign: '○', meaning: 'the operation works, but the client does not ask for this' },
  lacks: { sign: '–', meaning: 'the client has no such feature' },
  'fails at both': { sign: '△', meaning: "the client fails with C git's own server, too" },
  'only here': { sign: '+', meaning: "works with Guts, and not with C git's own server" },
  'fails here': { sign: '✗', meaning: "works with C git's own server, and not with Guts: a defect" },
} as const

export interface Cell {
  readonly outcome: keyof typeof OUTCOMES
  /** Why it does not work, in the client's words as far as they are the same in every run. */
  readonly note?: string
  /** What the client says where it is to be refused by Guts. */
  readonly refusal?: string
}

/** How a row ended at one host. */
export interface Visit {
  readonly end: 'done' | 'lacks' | 'failed'
  readonly said: string
  readonly isUsed: boolean
  /** What is to be the same at both hosts. */
  readonly state: Readonly<Record<string, unknown>>
}

type HostName = 'guts' | 'twin'
type Repository = Awaited<ReturnType<NodeHost['create']>>

const USERNAME = 'alice'

/** A node and its twin, and what every cell begins with. */
export class Ground implements AsyncDisposable {
  readonly guts: NodeHost
  readonly twinVersion: string
  readonly #twin: TwinHost
  readonly #folder: ReturnType<typeof temporaryFolder>
  readonly #source: Git
  /** Repositories that no row changes. */
  #filled: Readonly<Record<HostName, Repository>> | undefined
  #cells = 0

  private constructor(guts: NodeHost, twin: TwinHost, twinVersion: string, folder: ReturnType<typeof temporaryFolder>) {
    this.guts = guts
    this.twinVersion = twinVersion
    this.#twin = twin
    this.#folder = folder
    this.#source = new Git(join(folder.path, 'source'))
  }

  static async open(): Promise<Ground> {
    const node = await NodeProcess.start({ environment: { GUTS_RATE_LIMIT: '0', GUTS_LOG_LEVEL: 'info' } })
    const guts = await NodeHost.on(node, USERNAME)
    const folder = temporaryFolder('compatibility')
    const ground = new Ground(guts, await TwinHost.start(), await gitVersion(), folder)
    mkdirSync(ground.#source.folder)
    await makeHistory(ground.#source)
    ground.#filled = { guts: await ground.#fill('guts', 'filled'), twin: await ground.#fill('twin', 'filled') }
    return ground
  }

  /** Runs a row with a client at both hosts. @returns the cell, and for a defect what each visit ended with */
  async play(
    row: Capability,
    client: OpenClient,
  ): Promise<{ cell: Cell; visits: Readonly<Record<HostName, unknown>> }> {
    const name = `cell-${this.#cells++}`
    const [guts, twin] = await Promise.all([
      this.#visit('guts', row, client, name),
      this.#visit('twin', row, client, name),
    ])
    return { cell: judge(guts, twin), visits: { guts, twin } }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#twin[Symbol.asyncDispose]()
    await this.guts.node[Symbol.asyncDispose]()
    this.#folder[Symbol.dispose]()
  }

  async #visit(host: HostName, row: Capability, client: OpenClient, name: string): Promise<Visit> {
    const repository = await this.#repositoryFor(host, row, name)
    const { origin, pathname } = new URL(repository.url)
    const password = host === 'guts' ? this.guts.token : 'the-password-of-the-twin'
    const of = row.repository === 'private' ? 'everything' : 'pushes'
    await using wire = await WireRecord.before(
      origin,
      host === 'guts' ? undefined : { username: USERNAME, password, of },
    )
    const folder = join(this.#folder.path, `${name}-${host}`)
    mkdirSync(folder)
    const url = `${wire.origin}${pathname}`
    const git = new Git(folder, ['-c', 'maintenance.auto=false'])
    const login = { username: USERNAME, password }
    const place = new Place({ client, folder, url, directUrl: repository.url, ...login, git, source: this.#source })
    const plain = (said: string): string => withoutPlace(said, [folder, password])
    try {
      const told = await row.run(place)
      const isUsed = row.isUsed === undefined || (await row.isUsed(wire, place))
      // Some clients leave empty folders of a clone that they gave up: JGit `clone/.git`, in one run of two.
      const isThere = ['clone/.git/HEAD', 'clone/HEAD'].some((path) => existsSync(join(folder, path)))
      const clone = isThere ? await holdingsOf(place.clone) : undefined
      const { gitDirectory } = repository
      const head = await new Git(gitDirectory).run('symbolic-ref', 'HEAD')
      const state = { told, clone, repository: { head, ...(await contentsOf(gitDirectory)) } }
      return { end: 'done', said: plain(place.refusal ?? ''), isUsed, state }
    } catch (error) {
      // Also what the machine's git says of a clone that the client left.
      if (!(error instanceof Error)) throw error
      const end = error instanceof NotDoneError && error.detail.code === 'lacks' ? 'lacks' : 'failed'
      return { end, said: plain(error.message), isUsed: false, state: {} }
    }
  }

  async #repositoryFor(host: HostName, row: Capability, name: string): Promise<Repository> {
    if (row.repository === 'filled' && this.#filled !== undefined) return this.#filled[host]
    if (row.repository === 'empty') return this.#create(host, name)
    const repository = await this.#fill(host, name, row.repository === 'private')
    if (host === 'guts') return repository
    const git = new Git(repository.gitDirectory)
    for (const setting of row.twinSettings ?? []) await git.run('config', setting, 'true')
    return repository
  }

  #create(host: HostName, name: string, isPrivate = false): Promise<Repository> {
    return host === 'guts' ? this.guts.create(name, { private: isPrivate }) : this.#twin.create(name)
  }

  async #fill(host: HostName, name: string, isPrivate = false): Promise<Repository> {
    const repository = await this.#create(host, name, isPrivate)
    await this.#source.run('push', '--quiet', '--mirror', repository.url)
    return repository
  }
}

/** What two visits with the same client come to. */
export function judge(guts: Visit, twin: Visit): Cell {
  if (twin.end === 'failed') {
    return { outcome: guts.end === 'done' ? 'only here' : 'fails at both', note: twin.said }
  }
  if (guts.end !== twin.end) return { outcome: 'fails here', note: guts.said }
  if (twin.end === 'lacks') return { outcome: 'lacks', note: twin.said }
  const different = Object.keys(twin.state).filter((key) => !isDeepStrictEqual(guts.state[key], twin.state[key]))
  if (different.length > 0) return { outcome: 'fails here', note: `ends with another ${different.join(' and ')}` }
  if (guts.isUsed !== twin.isUsed) {
    return { outcome: guts.isUsed ? 'only here' : 'fails here', note: 'is asked for at one of the two' }
  }
  if (!twin.isUsed) return { outcome: 'unused' }
  return guts.said === '' ? { outcome: 'works' } : { outcome: 'works', refusal: guts.said }
}

const NOTE_LETTERS_MAX = 200
/** What a line is like that says why, the most telling first: what became of a ref, and what ended everything. */
const TELLING = [/^[!-]\s/, /fatal:|ERR /, /error:|reject/i]

/** The line that says why, without what differs from run to run. */
function withoutPlace(said: string, secrets: readonly string[]): string {
  const lines = said.split('\n').map((line) => line.trim())
  const found = TELLING.map((pattern) => lines.find((line) => pattern.test(line))).find((line) => line !== undefined)
  const telling = found ?? lines.findLast((line) => line !== '')
  let plain = telling ?? ''
  for (const secret of secrets) plain = plain.replaceAll(secret, '…')
  return plain
    .replaceAll(/http:\/\/[^\s'"]+/g, 'URL')
    .replaceAll(/127\.0\.0\.1(:\d+)?/g, 'HOST')
    .replaceAll(/\b[0-9a-f]{40}\b/g, 'OID')
    .replaceAll(/\s+/g, ' ')
    .slice(0, NOTE_LETTERS_MAX)
}

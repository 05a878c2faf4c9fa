/** A row of the matrix, and where it is played: one client, and one of the two hosts. */
import { join } from 'node:path'
import { GutsError } from '../../src/errors.ts'
import type { Git } from '../support/git.ts'
import type { Answer, ClientRequest, OpenClient } from './client.ts'
import type { WireRecord } from './wire-record.ts'

export const GROUPS = ['Clone and fetch', 'A part of history', 'A part of the objects', 'Push', 'Around it'] as const

export interface Capability {
  /** The row's name on the page, and in the recorded result. */
  readonly name: string
  readonly group: (typeof GROUPS)[number]
  /** `filled` has what `makeHistory` makes, and is not changed; the others are the row's own. */
  readonly repository: 'filled' | 'filled for itself' | 'empty' | 'private'
  /** What C git's server has to be told for this row besides. */
  readonly twinSettings?: readonly string[]
  /** Whether the client made use of the capability, by what went over the wire; without it, the outcome shows that. */
  readonly isUsed?: (wire: WireRecord, place: Place) => boolean | Promise<boolean>
  /**
   * @returns what is to be the same at both hosts, beside what the clone and the repository then hold
   * @throws NotDoneError where the client did not do what it was asked
   */
  run(place: Place): Promise<readonly unknown[]>
}

/** The client refused, or was refused; has no such feature; or did what should have been refused. */
export class NotDoneError extends GutsError<{ readonly code: 'refused' | 'lacks' | 'not_refused' }> {}

type Asked = Pick<ClientRequest, 'verb'> & Partial<ClientRequest>
type Done = Answer & { readonly outcome: 'done' }

export interface PlaceOptions {
  readonly client: OpenClient
  /** Holds `clone`, and what else the row makes. */
  readonly folder: string
  readonly url: string
  /** Past the record of the wire, with credentials. */
  readonly directUrl: string
  readonly username: string
  readonly password: string
  /** The machine's git in the folder. */
  readonly git: Git
  /** What filled repositories were filled from. */
  readonly source: Git
}

export class Place {
  readonly options: PlaceOptions
  readonly git: Git
  readonly source: Git
  /** The machine's git in what the client made or is to push from. */
  readonly clone: Git
  /** What the client said when it was to be refused. */
  refusal: string | undefined

  constructor(options: PlaceOptions) {
    this.options = options
    this.git = options.git
    this.source = options.source
    this.clone = options.git.in('clone')
  }

  /** @throws NotDoneError */
  async does(asked: Asked): Promise<Done> {
    const answer = await this.#ask(asked)
    if (answer.outcome !== 'done') throw new NotDoneError({ code: answer.outcome }, answer.said)
    return answer
  }

  /** @throws NotDoneError where the client did it, or lacks what was asked for */
  async isRefused(asked: Asked): Promise<void> {
    const answer = await this.#ask(asked)
    if (answer.outcome === 'lacks') throw new NotDoneError({ code: 'lacks' }, answer.said)
    if (answer.outcome === 'done') throw new NotDoneError({ code: 'not_refused' }, 'it says nothing of the refusal')
    this.refusal = answer.said
  }

  /** A clone by the machine's git, with all branches, to push from. */
  async makeClone(): Promise<void> {
    await this.git.run('clone', '--quiet', '--no-local', this.source.folder, 'clone')
    for (const branch of ['side', 'old']) await this.clone.run('branch', '--quiet', branch, `origin/${branch}`)
    await this.clone.run('remote', 'set-url', 'origin', this.options.url)
  }

  /** An empty repository, to fetch into. */
  async makeEmptyClone(...options: readonly string[]): Promise<void> {
    await this.git.run('init', '--quiet', '--initial-branch=main', ...options, 'clone')
    await this.clone.run('remote', 'add', 'origin', this.options.url)
  }

  /** When the commit was made, in seconds since 1970. */
  async timeOf(revision: string): Promise<number> {
    return Number(await this.source.run('log', '-1', '--format=%ct', revision))
  }

  #ask(asked: Asked): Promise<Answer> {
    const { client, folder, url, username, password } = this.options
    return client.ask({ url, username, password, folder: join(folder, 'clone'), ...asked })
  }
}

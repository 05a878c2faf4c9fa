import { newOperation, runInContext } from '../../observability/context.ts'
import type { Logger } from '../../observability/logging.ts'
import type { Metrics } from '../../observability/metrics.ts'
import { CircuitOpenError } from '../../resilience/outbound.ts'
import type { Database } from '../../storage/database/database.ts'
import type { MirrorFacts, MirrorRow } from '../../storage/repositories/mirror-row.ts'
import type { RepositoryRef } from '../../transfer/git-request.ts'
import type { Announcement, Answer, Head } from '../wire/messages.ts'
import { NAMES_PER_REQUEST_MAX } from '../wire/messages.ts'
import { failureReason, refusalOf } from './failure.ts'
import { ReplicaError } from '../../transfer/replica-rules.ts'
import { type MirrorParts, RepositoryMirror } from './mirror.ts'
import type { Subscription } from './subscriptions.ts'

/** Repositories of one home that are brought up to date at a time. */
const AT_ONCE = 4
/** Of answers in which a home says what it has: 50,000 repositories. */
const PAGES_MAX = 250
const PAUSE_MS_MIN = 1_000
const PAUSE_MS_MAX = 30_000

/** Copies of other nodes' repositories, as collaboration keeps them. */
export interface MirrorRepositories {
  /** @returns its id here */
  createMirror(mirror: MirrorRow): Promise<string>
  describeMirror(id: string, facts: MirrorFacts): Promise<void>
}

export interface FollowerParts extends MirrorParts {
  readonly database: Database
  readonly repositories: MirrorRepositories
  readonly metrics: Pick<Metrics, 'p2pReplicationFailures' | 'p2pRefusals'>
  readonly logger: Logger
  /** Between two times that the home is asked what it has, also when gossip says nothing. */
  readonly intervalMs: number
}

export interface MirrorState {
  readonly repository: RepositoryRef
  readonly sequence: number
  readonly knownSequence: number | undefined
  readonly lagS: number
}

/** Follows one home: asks it now and then what it has, hears what it announces, and keeps our copies up to date. */
export class HomeFollower {
  readonly peer: string
  readonly #parts: FollowerParts
  readonly #mirrors = new Map<string, RepositoryMirror>()
  readonly #stopping = new AbortController()
  readonly #startedAtMs = performance.now()
  #subscriptions: readonly Subscription[] = []
  #url: string | null | undefined
  #running: Promise<void> | undefined
  #nextPollAtMs = 0
  #failures = 0
  /** How long the circuit refuses calls, where one was refused in this round. */
  #circuitOpenMs: number | undefined
  /** The last time we asked, nothing came back; or we are asking. */
  #isSilent = false
  #lastContactMs: number | undefined
  /** By what was tried: the home, or one of its repositories. */
  readonly #errors = new Map<string, string>()
  /** Announcements of these are being looked after: who hears more of them has only to learn what they say. */
  readonly #heard = new Set<RepositoryMirror>()

  constructor(peer: string, parts: FollowerParts) {
    this.peer = peer
    this.#parts = parts
    const rows = parts.database.reader
      .prepare(
        `SELECT r.id, o.name AS owner, r.name, r.home_id FROM owners o JOIN repositories r ON r.owner_id = o.id
          WHERE r.home = ? AND r.deleted_at IS NULL`,
      )
      .all(peer) as unknown as { id: string; owner: string; name: string; home_id: string }[]
    for (const { home_id, ...repository } of rows) this.#mirror(repository, home_id)
  }

  set subscriptions(subscriptions: readonly Subscription[]) {
    // A new wish is looked after at once.
    if (subscriptions.length > this.#subscriptions.length) this.#nextPollAtMs = 0
    this.#subscriptions = subscriptions
  }

  get subscriptions(): readonly Subscription[] {
    return this.#subscriptions
  }

  get lastError(): string | undefined {
    return [...this.#errors.values()].at(-1)
  }

  /** When the home last said what it has, in seconds ago; undefined: it never did. */
  get contactAgeS(): number | undefined {
    return this.#lastContactMs === undefined ? undefined : (performance.now() - this.#lastContactMs) / 1_000
  }

  get states(): MirrorState[] {
    return [...this.#mirrors.values()].flatMap((mirror) => {
      const { end } = mirror
      if (end === undefined) return []
      const { repository, knownSequence } = mirror
      return { repository, sequence: end.sequence, knownSequence, lagS: this.#lagOf(mirror) }
    })
  }

  /** The largest over its repositories; without any, how long the home cannot be reached. */
  get lagS(): number {
    return [...this.#mirrors.values()].reduce(
      (lagS, mirror) => (this.#wants(mirror.repository) ? Math.max(lagS, this.#lagOf(mirror)) : lagS),
      this.#silentS,
    )
  }

  /** Called often: asks the home when it is time to. */
  tick(): void {
    if (this.#running !== undefined || performance.now() < this.#nextPollAtMs) return
    this.#running = runInContext(newOperation('replication'), () => this.#round()).finally(() => {
      this.#running = undefined
    })
  }

  /** There may be news: the home came back, or announced what we do not know. */
  wake(): void {
    this.#nextPollAtMs = 0
    this.tick()
  }

  announced({ repository, sequence, hash, owner, name }: Announcement): void {
    const mirror = this.#mirrors.get(repository)
    if (mirror === undefined) {
      if (this.#wants({ owner, name })) this.wake()
      return
    }
    // One that is not wanted any more stays as it is.
    if (!this.#wants(mirror.repository)) return
    void runInContext(newOperation('replication'), () =>
      this.#attempt(repository, async () => {
        mirror.learn({ sequence, hash: Buffer.from(hash) })
        if (this.#heard.has(mirror)) return
        this.#heard.add(mirror)
        try {
          await mirror.sync(this.#stopping.signal)
        } finally {
          this.#heard.delete(mirror)
        }
      }),
    )
  }

  async stop(): Promise<void> {
    this.#stopping.abort(new Error('The node stops following this home'))
    await this.#running
    await Promise.allSettled([...this.#mirrors.values()].map((mirror) => mirror.sync(this.#stopping.signal)))
  }

  async #round(): Promise<void> {
    let allFollowed = true
    this.#circuitOpenMs = undefined
    const reached = await this.#attempt(this.peer, async () => {
      allFollowed = await this.#poll()
    })
    const succeeded = reached && allFollowed
    if (succeeded) this.#failures = 0
    else this.#failures++
    const { intervalMs } = this.#parts
    const backoffMs = PAUSE_MS_MIN * 2 ** Math.min(this.#failures - 1, 10)
    // Drawn, so that many mirrors of one home do not come all at once when it is back.
    const drawnMs = Math.min(PAUSE_MS_MAX, backoffMs) * (0.5 + Math.random() / 2)
    // What is wrong with one repository keeps nobody from hearing of the others.
    const failedMs = this.#circuitOpenMs ?? (reached ? Math.min(intervalMs, drawnMs) : drawnMs)
    const pauseMs = succeeded ? intervalMs : failedMs
    this.#nextPollAtMs = performance.now() + pauseMs
  }

  /** @returns whether all that is wanted of it is up to date */
  async #poll(): Promise<boolean> {
    const heads: Head[] = []
    this.#isSilent = true
    let pages = 0
    for (const names of this.#questions()) {
      for (let after: string | null = null; ;) {
        const answer: Answer<'status'> = await this.#ask(names, after)
        heads.push(...answer.heads)
        if (++pages > PAGES_MAX) {
          throw new ReplicaError({ code: 'status_endless' }, `A home says what it has in at most ${PAGES_MAX} answers`)
        }
        after = answer.next
        if (after === null) break
      }
    }
    this.#lastContactMs = performance.now()
    this.#isSilent = false
    const listed = new Set(heads.map((head) => head.repository))
    for (const what of this.#errors.keys()) if (what !== this.peer && !listed.has(what)) this.#errors.delete(what)
    await this.#hideUnlisted(listed)
    const wanted = heads.filter((head) => this.#wants(head))
    return this.#forEach(wanted, (head) => this.#attempt(head.repository, () => this.#follow(head)))
  }

  /** Everything, or names in portions that fit a request. */
  #questions(): (readonly string[] | null)[] {
    if (this.#subscriptions.some(({ repository }) => repository === undefined)) return [null]
    const names = this.#subscriptions.flatMap(({ repository }) =>
      repository === undefined ? [] : `${repository.owner}/${repository.name}`,
    )
    const portions = Math.ceil(names.length / NAMES_PER_REQUEST_MAX)
    return Array.from({ length: portions }, (_, at) =>
      names.slice(at * NAMES_PER_REQUEST_MAX, (at + 1) * NAMES_PER_REQUEST_MAX),
    )
  }

  #ask(names: readonly string[] | null, after: string | null): Promise<Answer<'status'>> {
    return this.#parts.client.ask({
      peer: this.peer,
      exchange: 'status',
      signal: this.#stopping.signal,
      body: () => ({ names: names === null ? null : [...names], after }),
      take: async (answer) => {
        this.#url = answer.url
        return answer
      },
    })
  }

  async #follow(head: Head): Promise<void> {
    const { repositories } = this.#parts
    const { owner, name, description } = head
    const homeUrl = this.#url ?? undefined
    let mirror = this.#mirrors.get(head.repository)
    if (mirror === undefined || mirror.end === undefined) {
      const facts = { owner, name, description, head: head.head, home: this.peer, homeId: head.repository, homeUrl }
      const id = await repositories.createMirror(facts)
      mirror = this.#mirror({ id, owner, name }, head.repository)
    } else {
      await repositories.describeMirror(mirror.repository.id, { description, homeUrl: homeUrl ?? null, hidden: false })
    }
    mirror.learn({ sequence: head.sequence, hash: Buffer.from(head.hash) })
    await mirror.sync(this.#stopping.signal)
  }

  /** What the home does not show any more, nobody is shown here; nothing is deleted, as it may come back. */
  async #hideUnlisted(listed: ReadonlySet<string>): Promise<void> {
    for (const mirror of this.#mirrors.values()) {
      if (listed.has(mirror.homeId) || !this.#wants(mirror.repository)) continue
      mirror.giveUp()
      await this.#parts.repositories.describeMirror(mirror.repository.id, { hidden: true })
    }
  }

  /** @returns whether each of them did */
  async #forEach<T>(items: readonly T[], work: (item: T) => Promise<boolean>): Promise<boolean> {
    const left = items.values()
    const runner = async (): Promise<boolean> => {
      let all = true
      for (const item of left) {
        if (this.#stopping.signal.aborted) return false
        all = (await work(item)) && all
      }
      return all
    }
    const outcomes = await Promise.all(Array.from({ length: AT_ONCE }, runner))
    return outcomes.every(Boolean)
  }

  #wants({ owner, name }: { readonly owner: string; readonly name: string }): boolean {
    return this.#subscriptions.some(
      ({ repository }) => repository === undefined || (repository.owner === owner && repository.name === name),
    )
  }

  #mirror(repository: RepositoryRef, homeId: string): RepositoryMirror {
    const mirror = new RepositoryMirror(repository, { peer: this.peer, homeId }, this.#parts)
    this.#mirrors.set(homeId, mirror)
    return mirror
  }

  /** How long we have not heard from the home, once that is longer than it may be. */
  get #silentS(): number {
    const sinceMs = performance.now() - (this.#lastContactMs ?? this.#startedAtMs)
    return (this.#isSilent && this.#failures > 0) || sinceMs > 3 * this.#parts.intervalMs ? sinceMs / 1_000 : 0
  }

  #lagOf({ behindSinceMs }: RepositoryMirror): number {
    return Math.max(this.#silentS, behindSinceMs === undefined ? 0 : (performance.now() - behindSinceMs) / 1_000)
  }

  /** @param what the home (its id), or one of its repositories. @returns whether it succeeded */
  async #attempt(what: string, work: () => Promise<void>): Promise<boolean> {
    try {
      await work()
      this.#errors.delete(what)
      return true
    } catch (err) {
      if (this.#stopping.signal.aborted) return false
      // Nothing was tried: there is no reason to wait longer than the circuit does.
      if (err instanceof CircuitOpenError) this.#circuitOpenMs = err.detail.retryAfterMs
      const reason = failureReason(err)
      const refusal = refusalOf(err)
      this.#parts.metrics.p2pReplicationFailures.inc({ reason })
      if (refusal !== undefined) this.#parts.metrics.p2pRefusals.inc({ reason: refusal })
      const message = err instanceof Error ? err.message : String(err)
      // Told once and not with every attempt.
      const level = message === this.#errors.get(what) ? 'debug' : 'warn'
      this.#errors.set(what, message)
      this.#parts.logger[level]({ err, peer: this.peer, reason, refusal }, 'A mirror could not be brought up to date')
      return false
    }
  }
}

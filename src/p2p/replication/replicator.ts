import { randomUUID } from 'node:crypto'
import { newOperation, runInContext } from '../../observability/context.ts'
import type { Metrics } from '../../observability/metrics.ts'
import type { RepositoryRef } from '../../transfer/git-request.ts'
import type { Gossip } from '../gossip.ts'
import type { P2pNode } from '../node.ts'
import { encodeMessage, VERSION } from '../wire/messages.ts'
import { type FollowerParts, HomeFollower, type MirrorState } from './follower.ts'
import type { Home } from './home.ts'
import { type Subscription, Subscriptions } from './subscriptions.ts'

const TICK_MS = 500

export interface ReplicatorParts extends Omit<FollowerParts, 'metrics'> {
  readonly p2p: Pick<P2pNode, 'peerId' | 'setTargets' | 'onConnect'>
  readonly gossip: Gossip
  readonly home: Home
  readonly metrics: FollowerParts['metrics'] & Pick<Metrics, 'p2pReplicationLag' | 'onCollect'>
}

export interface HomeState {
  readonly peer: string
  readonly contactAgeS: number | undefined
  readonly lastError: string | undefined
  readonly mirrors: readonly MirrorState[]
}

/** Keeps this node's copies of other nodes' repositories, and tells others about its own. */
export class Replicator {
  readonly #parts: ReplicatorParts
  readonly #subscriptions: Subscriptions
  readonly #followers = new Map<string, HomeFollower>()
  readonly #leaving = new Set<Promise<void>>()
  #timer: NodeJS.Timeout | undefined

  constructor(parts: ReplicatorParts) {
    this.#parts = parts
    this.#subscriptions = new Subscriptions(parts.database)
  }

  start(): void {
    const { gossip, p2p, metrics } = this.#parts
    gossip.onAnnouncement((from, announcement) => this.#followers.get(from)?.announced(announcement))
    p2p.onConnect((peer) => this.#followers.get(peer)?.wake())
    metrics.onCollect(() =>
      metrics.p2pReplicationLag.set(Math.max(0, ...[...this.#followers.values()].map(({ lagS }) => lagS))),
    )
    this.#timer = setInterval(() => this.#tick(), TICK_MS).unref()
    this.#tick()
  }

  async stop(): Promise<void> {
    clearInterval(this.#timer)
    await Promise.all([...this.#followers.values()].map((follower) => follower.stop()))
    await Promise.all(this.#leaving)
  }

  /** A repository whose home is here has changed. Never throws: that the change is told is no part of the change. */
  announce({ id }: RepositoryRef): void {
    try {
      const head = this.#parts.home.headOf(id)
      // Who may not know of it hears nothing; mirrors it is for ask by themselves.
      if (head === undefined) return
      const { repository, owner, name, sequence, hash } = head
      const envelope = { v: VERSION, id: randomUUID(), type: 'announce' } as const
      this.#parts.gossip.announce(encodeMessage({ ...envelope, repository, owner, name, sequence, hash }))
    } catch (err) {
      this.#parts.logger.warn({ err }, 'A change was not announced; mirrors learn of it when they ask')
    }
  }

  /** Of the calls to this peer. */
  circuitOf(peer: string): 'closed' | 'half_open' | 'open' {
    return this.#parts.client.stateOf(peer)
  }

  get states(): HomeState[] {
    return [...this.#followers.values()].map(({ peer, contactAgeS, lastError, states: mirrors }) => ({
      peer,
      contactAgeS,
      lastError,
      mirrors,
    }))
  }

  #tick(): void {
    const wanted = this.#wanted()
    for (const [peer, follower] of this.#followers) {
      if (wanted.has(peer)) continue
      this.#followers.delete(peer)
      const left = follower.stop()
      this.#leaving.add(left)
      void left.finally(() => {
        this.#leaving.delete(left)
        this.#parts.client.forget(peer)
      })
    }
    for (const [peer, subscriptions] of wanted) {
      let follower = this.#followers.get(peer)
      if (follower === undefined) {
        follower = runInContext(newOperation('replication'), () => new HomeFollower(peer, this.#parts))
        this.#followers.set(peer, follower)
      }
      follower.subscriptions = subscriptions
      follower.tick()
    }
    const addresses = [...wanted.values()].flatMap((of) => of.flatMap(({ address }) => address ?? []))
    this.#parts.p2p.setTargets(addresses)
  }

  #wanted(): Map<string, Subscription[]> {
    try {
      return Map.groupBy(
        this.#subscriptions.list().filter(({ peer }) => peer !== this.#parts.p2p.peerId),
        ({ peer }) => peer,
      )
    } catch (err) {
      // The database is away for a moment: what was wanted still is.
      this.#parts.logger.warn({ err }, 'The list of mirrors could not be read')
      return new Map([...this.#followers].map(([peer, follower]) => [peer, [...follower.subscriptions]]))
    }
  }
}

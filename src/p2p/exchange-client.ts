import { randomUUID } from 'node:crypto'
import { peerIdFromString } from '@libp2p/peer-id'
import { GutsError } from '../errors.ts'
import { currentTraceparent } from '../observability/context.ts'
import type { Logger } from '../observability/logging.ts'
import type { Metrics } from '../observability/metrics.ts'
import { type Attempt, type OutboundMetrics, OutboundPolicies } from '../resilience/outbound.ts'
import type { P2pNode } from './node.ts'
import { Channel, ChannelError } from './wire/channel.ts'
import {
  type Answer,
  decodeAnswer,
  encodeMessage,
  type Exchange,
  type Failure,
  type Message,
  MESSAGE_BYTES_MAX,
  MessageError,
  type Request,
  VERSION,
} from './wire/messages.ts'

/** What the other side answered instead of what it was asked for. */
export class RemoteError extends GutsError<{ readonly code: Failure['code'] }> {}

/** The stream of a peer broke, or there is no way to it. */
export class UnreachableError extends GutsError<{ readonly code: 'unreachable'; readonly peer: string }> {}

/** How long an answer may be promised. */
const WAIT_MS_MAX = 60 * 60 * 1_000

export type ExchangeMetrics = OutboundMetrics &
  Pick<Metrics, 'p2pMessagesSent' | 'p2pMessagesReceived' | 'p2pMessageLatency' | 'p2pRefusals'>

export interface ExchangeClientOptions {
  /** GUTS_P2P_TIMEOUT */
  readonly timeoutMs: number
  /** GUTS_RETRY_MAX_ATTEMPTS */
  readonly attemptsMax: number
  /** GUTS_CIRCUIT_BREAKER_THRESHOLD */
  readonly breakerThreshold: number
}

export function protocolOf(exchange: Exchange): string {
  return `/guts/${exchange}/${VERSION}.0.0`
}

/** A request as its asker writes it; the envelope is ours. */
export type Body<E extends Exchange> = Omit<Request<E>, 'v' | 'id' | 'type' | 'traceparent'>

export interface Question<E extends Exchange, T> {
  readonly peer: string
  readonly exchange: E
  readonly signal: AbortSignal
  /** Asked anew for each attempt. */
  body(): Body<E>
  /** What is made of the answer, while its stream is open. */
  take(answer: Answer<E>, channel: Channel, attempt: Attempt): Promise<T>
}

/** Asks peers: the one place from which anything is sent to them, and so the one that its policies stand around. */
export class ExchangeClient {
  readonly #p2p: Pick<P2pNode, 'connect' | 'host'>
  readonly #metrics: ExchangeMetrics
  readonly #policies: OutboundPolicies

  constructor(
    p2p: Pick<P2pNode, 'connect' | 'host'>,
    options: ExchangeClientOptions,
    { metrics, logger }: { readonly metrics: ExchangeMetrics; readonly logger: Logger },
  ) {
    this.#p2p = p2p
    this.#metrics = metrics
    this.#policies = new OutboundPolicies(
      {
        dependency: 'peer',
        attemptTimeoutMs: options.timeoutMs,
        attemptsMax: options.attemptsMax,
        breakerThreshold: options.breakerThreshold,
        isTransient: (error) =>
          error instanceof UnreachableError || (error instanceof RemoteError && error.detail.code === 'busy'),
      },
      { metrics, logger },
    )
  }

  stateOf(peer: string): ReturnType<OutboundPolicies['state']> {
    return this.#policies.state(peer)
  }

  forget(peer: string): void {
    this.#policies.forget(peer)
  }

  /**
   * All exchanges only read at the other side, so each may be tried again.
   *
   * @throws RemoteError, UnreachableError, MessageError; CircuitOpenError, AttemptTimeoutError of the policies; what
   *   `take` throws
   */
  ask<E extends Exchange, T>(question: Question<E, T>): Promise<T> {
    const { peer, exchange, signal } = question
    const call = {
      name: exchange,
      idempotent: true,
      ends: exchange === 'pack' ? ('progress' as const) : ('deadline' as const),
      signal,
    }
    return this.#policies.run(peer, call, (attempt) => this.#attempt(question, attempt))
  }

  async #attempt<E extends Exchange, T>(question: Question<E, T>, attempt: Attempt): Promise<T> {
    const { peer, exchange, take } = question
    const channel = await this.#open(peer, exchange, attempt)
    let answer: Answer<E> | Failure
    try {
      const id = randomUUID()
      const traceparent = currentTraceparent() ?? null
      const request = { v: VERSION, id, type: exchange, traceparent, ...question.body() } as unknown as Message
      const sentAtMs = performance.now()
      await channel.write(encodeMessage(request))
      this.#metrics.p2pMessagesSent.inc({ type: exchange })
      attempt.progress()
      answer = await this.#readAnswer(exchange, id, channel, attempt)
      this.#metrics.p2pMessageLatency.observe({ type: exchange }, (performance.now() - sentAtMs) / 1_000)
    } catch (error) {
      channel.abort(error)
      attempt.signal.throwIfAborted()
      if (!(error instanceof GutsError)) throw unreachable(peer, error)
      if (error instanceof MessageError) this.#metrics.p2pRefusals.inc({ reason: error.detail.code })
      throw error
    }
    try {
      if (answer.type === 'error') throw new RemoteError({ code: answer.code }, answer.message)
      const result = await take(answer, channel, attempt)
      channel.end()
      return result
    } catch (error) {
      channel.abort(error)
      attempt.signal.throwIfAborted()
      if (error instanceof ChannelError) throw unreachable(peer, error)
      throw error
    }
  }

  async #readAnswer<E extends Exchange>(
    exchange: E,
    id: string,
    channel: Channel,
    attempt: Attempt,
  ): Promise<Answer<E> | Failure> {
    for (const endMs = performance.now() + WAIT_MS_MAX; ;) {
      const answer = this.#check(decodeAnswer(exchange, await channel.read()), id)
      attempt.progress()
      this.#metrics.p2pMessagesReceived.inc({ type: exchange })
      if (answer.type !== 'wait') return answer
      if (performance.now() > endMs) throw new Error('The answer was promised for too long')
    }
  }

  async #open(peer: string, exchange: Exchange, attempt: Attempt): Promise<Channel> {
    try {
      await this.#p2p.connect(peer, attempt.signal)
      const stream = await this.#p2p.host.dialProtocol(peerIdFromString(peer), protocolOf(exchange), {
        signal: attempt.signal,
      })
      return new Channel(stream, MESSAGE_BYTES_MAX[exchange], attempt.signal)
    } catch (error) {
      attempt.signal.throwIfAborted()
      throw unreachable(peer, error)
    }
  }

  #check<T extends { readonly id: string; readonly type: string }>(answer: T, id: string): T {
    // Who could not read our request cannot tell its id.
    if (answer.id === id || answer.type === 'error') return answer
    throw new MessageError({ code: 'malformed' }, 'The answer is to another message')
  }
}

function unreachable(peer: string, cause: unknown): UnreachableError {
  return new UnreachableError({ code: 'unreachable', peer }, 'The peer cannot be reached', { cause })
}

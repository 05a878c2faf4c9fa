import type { Connection, Stream } from '@libp2p/interface'
import type { Libp2p } from 'libp2p'
import { RequestError } from '../errors.ts'
import { currentContext, newOperation, runInContext } from '../observability/context.ts'
import type { Logger } from '../observability/logging.ts'
import type { Metrics } from '../observability/metrics.ts'
import { parseTraceparent } from '../observability/trace-context.ts'
import { startRequestSpan } from '../observability/tracing.ts'
import { ProgressTimeout } from '../resilience/timeout.ts'
import { protocolOf } from './exchange-client.ts'
import { PeerRate } from './peer-rate.ts'
import { Channel } from './wire/channel.ts'
import {
  type Answer,
  decodeRequest,
  encodeMessage,
  type Exchange,
  type Failure,
  type Message,
  MessageError,
  type Request,
  REQUEST_BYTES_MAX,
  VERSION,
} from './wire/messages.ts'

/** Of one peer, on one connection. */
const STREAMS_MAX = 32
/** Of one peer, on all its connections; and of all peers. Each may hold the memory of the largest request. */
const EXCHANGES_PER_PEER_MAX = 64
const EXCHANGES_MAX = 256
/** Of the time-out, after which an asker is told that its answer is being made. */
const WAIT_SHARE = 0.25
/** Of one peer, in a minute. */
const REQUESTS_PER_MINUTE = 1_200

export type ServedAnswer<E extends Exchange> = Omit<Answer<E>, 'v' | 'id' | 'type'>

export interface Served<E extends Exchange> {
  readonly request: Request<E>
  readonly peer: string
  /** Aborts when the asker is gone or nothing moves any more. */
  readonly signal: AbortSignal
  answer(body: ServedAnswer<E>): Promise<void>
  /** After the answer. */
  sendBytes(bytes: Uint8Array): Promise<void>
}

export type Handlers = { readonly [E in Exchange]: (served: Served<E>) => Promise<void> }

export type ServerMetrics = Pick<Metrics, 'p2pMessagesSent' | 'p2pMessagesReceived' | 'p2pRefusals' | 'timeouts'>

export interface ExchangeServerParts {
  readonly libp2p: Libp2p
  /** How long an exchange may stand still. */
  readonly timeoutMs: number
  readonly handlers: Handlers
  readonly metrics: ServerMetrics
  readonly logger: Logger
}

/** Answers peers, each at a bounded rate, on a bounded number of streams, with bounded messages and time. */
export class ExchangeServer {
  readonly #parts: ExchangeServerParts
  readonly #rate = new PeerRate(REQUESTS_PER_MINUTE)
  readonly #stopping = new AbortController()
  /** By peer. */
  readonly #running = new Map<Promise<void>, string>()

  constructor(parts: ExchangeServerParts) {
    this.#parts = parts
  }

  async start(): Promise<void> {
    for (const exchange of EXCHANGES) {
      await this.#parts.libp2p.handle(
        protocolOf(exchange),
        (stream, connection) => this.#take(exchange, stream, connection),
        {
          maxInboundStreams: STREAMS_MAX,
          maxOutboundStreams: STREAMS_MAX,
        },
      )
    }
  }

  async stop(): Promise<void> {
    await this.#parts.libp2p.unhandle(EXCHANGES.map(protocolOf))
    this.#stopping.abort(new Error('The node stops'))
    await Promise.all(this.#running.keys())
  }

  #take(exchange: Exchange, stream: Stream, connection: Connection): void {
    const peer = connection.remotePeer.toString()
    // A connection's events run in the context of whatever opened it.
    const work = runInContext(newOperation(`p2p_${exchange}`), async () => {
      if (this.#isRoomFor(peer)) return this.#serve(exchange, stream, peer)
      this.#refuse('rate_limit', peer, undefined, 'debug')
      // Nothing is read, and so nothing is said.
      stream.abort(new Error('Too much is being answered'))
    })
    this.#running.set(work, peer)
    void work.finally(() => this.#running.delete(work))
  }

  async #serve(exchange: Exchange, stream: Stream, peer: string): Promise<void> {
    const { timeoutMs, metrics } = this.#parts
    const onExpired = (): void => metrics.timeouts.inc({ operation: 'peer' })
    using timeout = new ProgressTimeout({ timeoutMs, onExpired })
    const gone = new AbortController()
    stream.addEventListener('close', ({ error }) => gone.abort(error ?? new Error('The exchange is over')), {
      once: true,
    })
    const signal = AbortSignal.any([timeout.signal, gone.signal, this.#stopping.signal])
    const channel = new Channel(stream, REQUEST_BYTES_MAX[exchange], signal)
    try {
      // Before anything is read: what it sends may be no request at all.
      const refused = this.#whyNotNow(peer)
      if (refused !== undefined) {
        await channel.write(encodeMessage(failure(NO_ID, 'busy', refused)))
        return await channel.finish()
      }
      const bytes = await channel.read()
      timeout.progress()
      await this.#answer({ exchange, bytes, peer, channel, signal, progress: () => timeout.progress() })
      await channel.finish()
    } catch (error) {
      // It left, or what it sent could not even be read: there is nobody to tell.
      if (error instanceof MessageError) this.#refuse(error.detail.code, peer, error)
      else this.#parts.logger.debug({ err: error, peer, exchange }, 'An exchange of a peer ended early')
      channel.abort(error)
    }
  }

  async #answer<E extends Exchange>(inbound: Inbound<E>): Promise<void> {
    const { exchange, bytes, peer, channel } = inbound
    const { metrics } = this.#parts
    let request: Request<E>
    try {
      request = decodeRequest(exchange, bytes)
    } catch (error) {
      if (!(error instanceof MessageError)) throw error
      this.#refuse(error.detail.code, peer, error)
      const code = error.detail.code === 'unsupported_version' ? 'unsupported_version' : 'invalid'
      return channel.write(encodeMessage(failure(NO_ID, code, error.message)))
    }
    metrics.p2pMessagesReceived.inc({ type: exchange })
    const parent = parseTraceparent(request.traceparent ?? undefined)
    const span = startRequestSpan(`p2p.serve.${exchange}`, parent)
    const operation = currentContext() ?? newOperation(`p2p_${exchange}`)
    const context = { ...operation, ...parent, ...(span && { traceId: span.traceId, spanId: span.spanId }) }
    const run = (): Promise<void> => runInContext(context, () => this.#handle(inbound, request))
    let failed = true
    try {
      await (span === undefined ? run() : span.run(run))
      failed = false
    } finally {
      span?.end(`p2p.serve.${exchange}`, { peer }, failed)
    }
  }

  async #handle<E extends Exchange>({ exchange, peer, channel, signal, progress }: Inbound<E>, request: Request<E>) {
    const { handlers, metrics, logger, timeoutMs } = this.#parts
    let answered = false
    // What takes long is bounded where it is done; until then neither side takes the other one for gone.
    const promise = setInterval(() => {
      if (answered) return
      const wait = encodeMessage({ v: VERSION, id: request.id, type: 'wait' })
      channel.write(wait).then(
        () => {
          progress()
          metrics.p2pMessagesSent.inc({ type: exchange })
        },
        // It left: the signal tells whoever works for it.
        () => {},
      )
    }, timeoutMs * WAIT_SHARE)
    const send = async (message: Message): Promise<void> => {
      answered = true
      await channel.write(encodeMessage(message))
      progress()
      metrics.p2pMessagesSent.inc({ type: exchange })
    }
    try {
      const served: Served<E> = {
        request,
        peer,
        signal,
        answer: (body) => send({ v: VERSION, id: request.id, type: exchange, ...body } as unknown as Message),
        async sendBytes(bytes) {
          await channel.writeRaw(bytes)
          progress()
        },
      }
      await (handlers[exchange] as (served: Served<E>) => Promise<void>)(served)
    } catch (error) {
      if (answered || signal.aborted) throw error
      const code = failureCodeOf(error)
      if (code === 'failed') logger.error({ err: error, peer, exchange }, 'A peer could not be answered')
      // Words of ours about a request that is at fault; of our own faults it learns nothing.
      const message = error instanceof RequestError && code !== 'failed' ? error.message : 'The node could not answer'
      await send(failure(request.id, code, message))
    } finally {
      clearInterval(promise)
    }
  }

  /** @returns a sentence for the peer, undefined where it may ask */
  #whyNotNow(peer: string): string | undefined {
    const excess = this.#rate.excess(peer)
    if (excess === 0) return undefined
    // Told once a minute, or who asks too often would fill the log with it.
    this.#refuse('rate_limit', peer, undefined, excess === 1 ? 'warn' : 'debug')
    return `At most ${REQUESTS_PER_MINUTE} requests a minute are answered`
  }

  #isRoomFor(peer: string): boolean {
    const ofPeer = [...this.#running.values()].filter((other) => other === peer).length
    return this.#running.size < EXCHANGES_MAX && ofPeer < EXCHANGES_PER_PEER_MAX
  }

  #refuse(reason: Refusal, peer: string, err?: Error, level: 'warn' | 'debug' = 'warn'): void {
    this.#parts.metrics.p2pRefusals.inc({ reason })
    this.#parts.logger[level]({ peer, reason, err }, 'A message of a peer was refused')
  }
}

type Refusal = Parameters<ServerMetrics['p2pRefusals']['inc']>[0]['reason']

interface Inbound<E extends Exchange> {
  readonly exchange: E
  readonly bytes: Uint8Array
  readonly peer: string
  readonly channel: Channel
  readonly signal: AbortSignal
  progress(): void
}

const EXCHANGES: readonly Exchange[] = ['status', 'log', 'pack']
/** Where a request's own could not be read. */
const NO_ID = '00000000-0000-4000-8000-000000000000'

function failure(id: string, code: Failure['code'], message: string): Failure {
  return { v: VERSION, id, type: 'error', code, message }
}

function failureCodeOf(error: unknown): Failure['code'] {
  if (!(error instanceof RequestError)) return 'failed'
  const { code } = error.detail
  if (code === 'not_found') return 'not_found'
  if (code === 'bad_request') return 'invalid'
  return code === 'unavailable' ? 'busy' : 'failed'
}

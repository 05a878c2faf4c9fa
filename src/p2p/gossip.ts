import { type GossipSub, gossipsub, TopicValidatorResult } from '@libp2p/gossipsub'
import type { Logger } from '../observability/logging.ts'
import type { Metrics } from '../observability/metrics.ts'
import { PeerRate } from './peer-rate.ts'
import { type Announcement, decodeAnnouncement, MESSAGE_BYTES_MAX, MessageError, VERSION } from './wire/messages.ts'

const TOPIC = `/guts/announce/${VERSION}.0.0`
/** Of one neighbour, in a minute: its own announcements and those it passes on. */
const MESSAGES_PER_MINUTE = 6_000

export type GossipMetrics = Pick<Metrics, 'p2pMessagesSent' | 'p2pMessagesReceived' | 'p2pRefusals'>

type GossipService = ReturnType<typeof gossipsub>

export function createGossipsub(): GossipService {
  return gossipsub({
    // Who a message is from is proved by its signature, whoever passed it on.
    globalSignaturePolicy: 'StrictSign',
    emitSelf: false,
    allowPublishToZeroTopicPeers: true,
    ignoreDuplicatePublishError: true,
    allowedTopics: [TOPIC],
    maxInboundDataLength: 64 * 1024,
  })
}

/** News of repositories that everybody may read, from their homes to whoever listens; what is lost is asked for later. */
export class Gossip {
  readonly #service: GossipSub
  readonly #metrics: GossipMetrics
  readonly #logger: Logger
  readonly #rate = new PeerRate(MESSAGES_PER_MINUTE)
  #listener: ((from: string, announcement: Announcement) => void) | undefined

  constructor(service: GossipSub, { metrics, logger }: { readonly metrics: GossipMetrics; readonly logger: Logger }) {
    this.#service = service
    this.#metrics = metrics
    this.#logger = logger
  }

  start(): void {
    this.#service.topicValidators.set(TOPIC, (neighbour, message) => {
      if (message.type !== 'signed' || !this.#isWithinRate(neighbour.toString())) return TopicValidatorResult.Ignore
      try {
        const announcement = decodeAnnouncement(message.data)
        this.#metrics.p2pMessagesReceived.inc({ type: 'announce' })
        this.#listener?.(message.from.toString(), announcement)
        return TopicValidatorResult.Accept
      } catch (err) {
        if (!(err instanceof MessageError)) throw err
        this.#refuse(err.detail.code, neighbour.toString(), err)
        return TopicValidatorResult.Reject
      }
    })
    this.#service.subscribe(TOPIC)
  }

  /** @param listener hears who publishes it, which is proved by its signature */
  onAnnouncement(listener: (from: string, announcement: Announcement) => void): void {
    this.#listener = listener
  }

  /** To whoever listens; nobody may. Returns at once. */
  announce(bytes: Uint8Array): void {
    if (bytes.length > MESSAGE_BYTES_MAX.announce) throw new TypeError('An announcement is small')
    // Signing it was a twentieth of a small push; whoever comes later asks at once.
    if (this.#service.getPeers().length === 0) return
    this.#service.publish(TOPIC, bytes).then(
      ({ recipients }) => this.#metrics.p2pMessagesSent.inc({ type: 'announce' }, recipients.length),
      // Lost: mirrors ask by themselves.
      (err: unknown) => this.#logger.debug({ err }, 'An announcement was not sent'),
    )
  }

  #isWithinRate(neighbour: string): boolean {
    if (this.#rate.excess(neighbour) === 0) return true
    this.#refuse('rate_limit', neighbour)
    return false
  }

  #refuse(reason: 'rate_limit' | MessageError['detail']['code'], peer: string, err?: Error): void {
    this.#metrics.p2pRefusals.inc({ reason })
    this.#logger.debug({ peer, reason, err }, 'An announcement was refused')
  }
}

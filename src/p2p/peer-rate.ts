import { RateLimiter } from '@libp2p/utils'

/** How often each peer may do something in a minute. */
export class PeerRate {
  readonly perMinute: number
  readonly #limiter: RateLimiter

  constructor(perMinute: number) {
    this.perMinute = perMinute
    this.#limiter = new RateLimiter({ points: perMinute, duration: 60 })
  }

  /** Counts one more. @returns how many over the rate that makes in this minute; 0: it may */
  excess(peer: string): number {
    try {
      this.#limiter.consume(peer)
      return 0
    } catch (error) {
      const { consumedPoints } = error as { consumedPoints?: number }
      if (consumedPoints === undefined) throw error
      return consumedPoints - this.perMinute
    }
  }
}

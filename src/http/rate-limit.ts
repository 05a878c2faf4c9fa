import type { Request, RequestHandler } from 'express'
import { type ClientRateLimitInfo, ipKeyGenerator, rateLimit, type Store } from 'express-rate-limit'
import { LRUCache } from 'lru-cache'
import { RequestError } from '../errors.ts'
import type { Metrics } from '../observability/metrics.ts'
import { stateOf } from './request-state.ts'

const WINDOW_MS = 60_000
/** So many clients are remembered; beyond, the one seen longest ago is forgotten (I7). */
const CLIENTS_MAX = 100_000
const ANONYMOUS_SHARE = 10

/** Counts in fixed windows, for a bounded number of clients; the library's own store keeps every key. */
class BoundedStore implements Store {
  readonly localKeys = true
  readonly #clients = new LRUCache<string, { totalHits: number; resetTime: Date }>({ max: CLIENTS_MAX })

  increment(key: string): ClientRateLimitInfo {
    const now = Date.now()
    const found = this.#clients.get(key)
    const client =
      found !== undefined && found.resetTime.getTime() > now
        ? found
        : { totalHits: 0, resetTime: new Date(now + WINDOW_MS) }
    client.totalHits++
    this.#clients.set(key, client)
    return client
  }

  decrement(key: string): void {
    const client = this.#clients.get(key)
    if (client !== undefined) client.totalHits--
  }

  resetKey(key: string): void {
    this.#clients.delete(key)
  }
}

/**
 * Requests a minute, for one user whatever its token and address, and a tenth of that (at least one) for an anonymous
 * address; IPv6 clients are counted by /56, which is what one customer gets. With the headers of draft 8.
 * @param perMinute above 0
 */
export function createRateLimit(
  perMinute: number,
  metrics: Pick<Metrics, 'rateLimitRefusals' | 'rejections'>,
): RequestHandler {
  const anonymousPerMinute = Math.max(1, Math.floor(perMinute / ANONYMOUS_SHARE))
  const callerOf = (request: Request) => stateOf(request).caller
  return rateLimit({
    windowMs: WINDOW_MS,
    limit: (request) => (callerOf(request) === undefined ? anonymousPerMinute : perMinute),
    keyGenerator: (request) => {
      const caller = callerOf(request)
      return caller === undefined ? `address ${ipKeyGenerator(request.ip ?? 'unknown', 56)}` : `user ${caller.userId}`
    },
    identifier: (request) => (callerOf(request) === undefined ? 'anonymous' : 'user'),
    standardHeaders: 'draft-8',
    legacyHeaders: false,
    store: new BoundedStore(),
    // Its checks write text to the console; our keys and proxies are set up here and in app.ts.
    validate: false,
    handler: (request, _response, next) => {
      metrics.rateLimitRefusals.inc({ client: callerOf(request) === undefined ? 'anonymous' : 'authenticated' })
      metrics.rejections.inc({ reason: 'rate_limit' })
      const { resetTime } = (request as Request & { rateLimit: { resetTime: Date | undefined } }).rateLimit
      const waitMs = (resetTime?.getTime() ?? Date.now()) - Date.now()
      const retryAfterS = Math.max(1, Math.ceil(waitMs / 1_000))
      next(new RequestError({ code: 'rate_limited', retryAfterS }, 'Too many requests; try again later'))
    },
  })
}

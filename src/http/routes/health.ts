/** The four health addresses, on both listeners (DESIGN §4.5). */
import * as z from 'zod'
import { type HealthService, NOT_READY_REASONS, type Readiness } from '../../health/probes.ts'
import { answer, type AnswerRoute, routesFor } from '../route.ts'

const status = z.enum(['up', 'down'])
const readyAnswer = z
  .object({
    status: z.enum(['ready', 'not_ready']),
    checks: z.object({
      storage: z.object({ status, latency_ms: z.number().optional() }).optional(),
      p2p: z.object({ status, peers: z.int().optional() }).optional(),
      consensus: z.object({ status, leader: z.boolean().optional() }).optional(),
    }),
    reasons: z.array(z.enum(NOT_READY_REASONS)).optional(),
  })
  .meta({ id: 'Readiness' })
const healthAnswer = z.object({ ...readyAnswer.shape, version: z.string(), uptime_s: z.int() }).meta({ id: 'Health' })
const liveAnswer = z.object({ status: z.literal('live') })
const startupAnswer = z.object({ status: z.enum(['started', 'starting']) })

const FRESH = { 'Cache-Control': 'no-store' }
/** The next answer of the checks can differ after this time, and not before. */
const RETRY = { ...FRESH, 'Retry-After': '1' }

/**
 * @param health asked for with each request: the service needs the metrics, and they the paths of these routes
 * @param version of Guts itself
 */
export function healthRoutes<Services>(health: () => HealthService, version: string): AnswerRoute<Services>[] {
  const { defineRoute } = routesFor<Services>()
  const codeOf = (readiness: Readiness): 200 | 503 => (readiness.status === 'ready' ? 200 : 503)
  return [
    defineRoute({
      method: 'get',
      path: '/health/live',
      summary: 'Whether the process runs',
      access: 'open',
      answers: { 200: liveAnswer },
      handle: () => answer(200, { status: 'live' } as const, FRESH),
    }),
    defineRoute({
      method: 'get',
      path: '/health/startup',
      summary: 'Whether the start is complete',
      access: 'open',
      answers: { 200: startupAnswer, 503: startupAnswer },
      handle: () =>
        health().started
          ? answer(200, { status: 'started' } as const, FRESH)
          : answer(503, { status: 'starting' } as const, RETRY),
    }),
    defineRoute({
      method: 'get',
      path: '/health/ready',
      summary: 'Whether the node can do its work',
      access: 'open',
      answers: { 200: readyAnswer, 503: readyAnswer },
      async handle() {
        const readiness = await health().readiness()
        const code = codeOf(readiness)
        return answer(code, copy(readiness), code === 200 ? FRESH : RETRY)
      },
    }),
    defineRoute({
      method: 'get',
      path: '/health',
      summary: 'Readiness, with version and uptime',
      access: 'open',
      answers: { 200: healthAnswer, 503: healthAnswer },
      async handle() {
        const readiness = await health().readiness()
        const code = codeOf(readiness)
        const body = { ...copy(readiness), version, uptime_s: Math.floor(process.uptime()) }
        return answer(code, body, code === 200 ? FRESH : RETRY)
      },
    }),
  ]
}

/** The schema strips what a check says beyond the contract. */
function copy(readiness: Readiness): z.input<typeof readyAnswer> {
  return readiness as z.input<typeof readyAnswer>
}

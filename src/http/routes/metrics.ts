import * as z from 'zod'
import type { Metrics } from '../../observability/metrics.ts'
import { renderMetrics } from '../../observability/metrics-render.ts'
import { answer, type AnswerRoute, routesFor } from '../route.ts'

/**
 * `GET /metrics`, for the internal listener only.
 * @param metrics asked for with each request: they need the paths of all routes, this one included
 */
export function metricsRoute<Services>(metrics: () => Metrics): AnswerRoute<Services> {
  return routesFor<Services>().defineRoute({
    method: 'get',
    path: '/metrics',
    summary: 'Metrics as text or OpenMetrics',
    access: 'open',
    answers: { 200: z.string() },
    async handle({ header }) {
      const { contentType, body } = await renderMetrics(metrics(), header('accept'))
      return answer(200, body, { 'Content-Type': contentType })
    },
  })
}

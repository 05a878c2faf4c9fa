import type { ReadableSpan } from '@opentelemetry/sdk-trace'
import pino from 'pino'
import { expect, it, vi } from 'vitest'
import * as z from 'zod'
import { startTracing, withSpan } from '../observability/tracing.ts'
import { answer, routesFor } from './route.ts'
import { serve } from './testing.ts'

it('opens a span for each request, a child of the caller, and puts the ids on its lines', async () => {
  const finished: ReadableSpan[] = []
  const processor = {
    onStart() {},
    onEnd: (span: ReadableSpan) => void finished.push(span),
    forceFlush: async () => {},
    shutdown: async () => {},
  }
  const stop = await startTracing({
    enabled: true,
    version: '1',
    logger: pino({ level: 'silent' }),
    spanProcessors: [processor],
  })
  const route = routesFor<undefined>().defineRoute({
    method: 'get',
    path: '/api/x',
    summary: 'x',
    access: 'public',
    answers: { 200: z.string() },
    handle: () => withSpan('storage.read', {}, () => answer(200, 'x')),
  })
  await using server = await serve([route])
  const traceId = '0af7651916cd43dd8448eb211c80319c'
  await fetch(`${server.origin}/api/x`, { headers: { traceparent: `00-${traceId}-b7ad6b7169203331-01` } })
  await vi.waitFor(() => expect(finished).toHaveLength(2))
  await stop()
  const [inner, request] = finished
  expect([inner?.name, request?.name]).toEqual(['storage.read', 'GET /api/x'])
  expect(request?.parentSpanContext?.spanId).toBe('b7ad6b7169203331')
  expect(inner?.parentSpanContext?.spanId).toBe(request?.spanContext().spanId)
  expect(request?.attributes).toEqual({
    'http.request.method': 'GET',
    'http.route': '/api/x',
    'http.response.status_code': 200,
  })
  expect(await server.lines()).toMatchObject([{ trace_id: traceId, span_id: request?.spanContext().spanId }])
})

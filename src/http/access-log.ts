/** The end of each request: one access line, the metrics, the span, and the signal for work that nobody awaits. */
import type { IncomingMessage, ServerResponse } from 'node:http'
import { REQUEST_ERRORS } from '../errors.ts'
import { accessFields, bindContext } from '../observability/context.ts'
import { HTTP_METHODS, type LISTENERS } from '../observability/label-sets.ts'
import type { Logger } from '../observability/logging.ts'
import type { Metrics } from '../observability/metrics.ts'
import type { AccessSampler } from '../observability/sampling.ts'
import { ClientLeftError, type RequestState } from './request-state.ts'

/** A request whose client left before the whole answer was out; as others call it. */
const STATUS_CLIENT_LEFT = 499

export interface AccessLogParts {
  readonly listener: (typeof LISTENERS)[number]
  readonly metrics: Metrics
  readonly logger: Logger
  readonly sampler: AccessSampler
}

export function observeRequest(
  request: IncomingMessage,
  response: ServerResponse,
  state: RequestState,
  parts: AccessLogParts,
): void {
  const { listener, metrics } = parts
  metrics.httpRequestsInFlight.inc({ listener })
  const end = bindContext(() => {
    metrics.httpRequestsInFlight.dec({ listener })
    const complete = response.writableFinished
    if (!complete) state.left.abort(new ClientLeftError('The client left'))
    report(request, response, state, parts, complete)
  })
  response.once('close', end)
}

function report(
  request: IncomingMessage,
  response: ServerResponse,
  state: RequestState,
  { metrics, logger, sampler }: AccessLogParts,
  complete: boolean,
): void {
  const durationMs = performance.now() - state.startedAtMs
  const failed = state.cutOffBy !== undefined
  const status = complete ? response.statusCode : failed ? 500 : STATUS_CLIENT_LEFT
  // Of an answer that was cut off: what was handed to the connection. What its buffers still held, nobody can tell.
  const bytesOut = state.bodyBytesOut
  const method = HTTP_METHODS.find((known) => known === request.method) ?? '_OTHER'
  const route = { method, path: state.route }
  metrics.httpRequests.inc({ ...route, status: String(status) })
  metrics.httpRequestDuration.observe(route, durationMs / 1_000)
  metrics.httpRequestSize.observe(route, state.bodyBytesIn)
  metrics.httpResponseSize.observe(route, bytesOut)
  state.span?.end(
    `${method} ${state.route}`,
    { 'http.request.method': method, 'http.route': state.route, 'http.response.status_code': status },
    status >= 500,
  )
  const lines = sampler.weigh({ route: state.route, status, durationMs })
  if (lines === 0) return
  const write = (): void =>
    logger[levelOf(status)](
      {
        method,
        route: state.route,
        status,
        bytes_in: state.bodyBytesIn,
        bytes_out: bytesOut,
        queue_ms: 0,
        ...roundTimes(accessFields()),
        duration_ms: round(durationMs),
        ...(lines === 1 ? {} : { stands_for: lines }),
        ...(failed ? { err: state.cutOffBy } : {}),
      },
      'Request',
    )
  // The costs of git are known when its work is done, a moment after the last byte was handed to the connection.
  if (state.work === undefined) write()
  else state.work.then(write, write)
}

/** Not to be ready, or to have no room, is an answer; to fail is an error. */
function levelOf(status: number): 'info' | 'warn' | 'error' {
  if (status < 500) return 'info'
  return status === REQUEST_ERRORS.unavailable ? 'warn' : 'error'
}

const round = (ms: number): number => Math.round(ms * 1_000) / 1_000

function roundTimes(fields: Readonly<Record<string, unknown>>): Record<string, unknown> {
  const rounded: Record<string, unknown> = {}
  for (const key in fields) {
    const value = fields[key]
    rounded[key] = key.endsWith('_ms') && typeof value === 'number' ? round(value) : value
  }
  return rounded
}

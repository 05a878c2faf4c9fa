/** What the pipeline knows about one request, from its first to its last byte. */
import type { IncomingMessage, ServerResponse } from 'node:http'
import { randomUUIDv7 } from 'node:crypto'
import { runInContext } from '../observability/context.ts'
import { newSpanId, newTraceId, parseTraceparent } from '../observability/trace-context.ts'
import { type RequestSpan, startRequestSpan } from '../observability/tracing.ts'
import { isUuid } from '../validation/names.ts'
import type { Caller } from './caller.ts'

export class ClientLeftError extends Error {}

export interface RequestState {
  readonly requestId: string
  readonly startedAtMs: number
  readonly span: RequestSpan | undefined
  /** Aborts when the client leaves before its answer is complete. */
  readonly left: AbortController
  /** Template of the route, once it is known. */
  route: string
  /** How a failure is told: the error body, or one sentence for git. */
  errorStyle: 'json' | 'sentence'
  caller: Caller | undefined
  /** The client waits for `100 Continue` before it sends its body. */
  awaitsContinue: boolean
  /** A failure that could only be told by cutting the answer off. */
  cutOffBy: unknown
  /** The route at work: goes on for a moment after the answer is out, and only then knows what it cost. */
  work: Promise<void> | undefined
  bodyBytesIn: number
  bodyBytesOut: number
}

/** On the request itself: a WeakMap has to give each of its keys a hash first. */
const STATE = Symbol('state')

type RequestWithState = IncomingMessage & { [STATE]?: RequestState }

export function stateOf(request: RequestWithState): RequestState {
  const state = request[STATE]
  if (state === undefined) throw new Error('The request did not enter by beginRequest')
  return state
}

/** Gives the request its ids, echoes the request's, and runs `next` in its context. */
export function beginRequest(
  request: RequestWithState,
  response: ServerResponse,
  next: (state: RequestState) => void,
): void {
  const given = request.headers['x-request-id']
  const requestId = typeof given === 'string' && isUuid(given) ? given : randomUUIDv7()
  const traceparent = request.headers['traceparent']
  const parent = parseTraceparent(typeof traceparent === 'string' ? traceparent : undefined)
  const span = startRequestSpan('request', parent)
  const state: RequestState = {
    requestId,
    startedAtMs: performance.now(),
    span,
    left: new AbortController(),
    route: '_unmatched',
    errorStyle: 'json',
    caller: undefined,
    awaitsContinue: request.headers.expect?.toLowerCase() === '100-continue',
    cutOffBy: undefined,
    work: undefined,
    bodyBytesIn: 0,
    bodyBytesOut: 0,
  }
  request[STATE] = state
  response.setHeader('X-Request-Id', requestId)
  const ids = span ?? {
    traceId: parent?.traceId ?? newTraceId(),
    spanId: newSpanId(),
    sampled: parent?.sampled ?? false,
  }
  const context = { requestId, traceId: ids.traceId, spanId: ids.spanId, sampled: ids.sampled }
  const run = (): void => runInContext(context, () => next(state))
  if (span === undefined) run()
  else span.run(run)
}

/** Bytes of the bodies as they pass the wire, chunk headers aside; what compression makes of them is what counts. */
export function countBodyIn(request: RequestWithState, chunk: Uint8Array | null): void {
  const state = request[STATE]
  if (state !== undefined && chunk !== null) state.bodyBytesIn += chunk.length
}

/** @param encoding of a text; else anything */
export function countBodyOut(response: ServerResponse, chunk: unknown, encoding: unknown): void {
  const { req: request, statusCode } = response as ServerResponse<RequestWithState>
  const state = request[STATE]
  const bodyless = request.method === 'HEAD' || statusCode === 204 || statusCode === 304
  if (state === undefined || bodyless) return
  if (chunk instanceof Uint8Array) state.bodyBytesOut += chunk.length
  else if (typeof chunk === 'string') {
    state.bodyBytesOut += Buffer.byteLength(chunk, typeof encoding === 'string' ? (encoding as BufferEncoding) : 'utf8')
  }
}

/** Lets a client that waits send its body: after credentials and limits, so that a refusal costs no upload. */
export function allowBody(request: IncomingMessage, response: ServerResponse): void {
  const state = stateOf(request)
  if (!state.awaitsContinue) return
  state.awaitsContinue = false
  response.writeContinue()
}

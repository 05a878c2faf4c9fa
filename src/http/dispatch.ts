/** One request through one route: limits, credentials, body, schemas, handler, answer. */
import { isIPv6 } from 'node:net'
import type { Request, RequestHandler, Response } from 'express'
import * as z from 'zod'
import { RequestError } from '../errors.ts'
import { annotateContext } from '../observability/context.ts'
import type { Logger } from '../observability/logging.ts'
import type { Metrics } from '../observability/metrics.ts'
import type { LoadShedder } from '../resilience/load-shedding.ts'
import { withDeadline } from '../resilience/timeout.ts'
import { toFieldProblems } from '../validation/error-body.ts'
import { type Authenticate, authenticateCaller } from './caller.ts'
import type { JsonBodyReader } from './json-body.ts'
import { allowBody, stateOf } from './request-state.ts'
import type { Access, Answer, AnswerRoute, Route, StreamRoute } from './route.ts'

/** What stands before every route that is not `open`. */
export interface Guards {
  readonly authenticate: Authenticate
  readonly shedder: LoadShedder
  /** Absent: off. */
  readonly rateLimit: RequestHandler | undefined
}

export interface DispatchParts<Services> {
  readonly services: Services
  readonly guards: Guards | undefined
  readonly requestTimeoutMs: number
  /** Declared length of a streamed body; what really comes is counted by the handler. */
  readonly requestBytesMax: number
  readonly readJsonBody: JsonBodyReader
  /** What clients reach the node at; else what they say they do. */
  readonly publicUrl: string | undefined
  readonly metrics: Metrics
  readonly logger: Logger
}

/** Sheds, authenticates and limits; the caller is in the request's state afterwards. */
export async function guard(
  request: Request,
  response: Response,
  guards: Guards,
  access: Access,
  weight: 'small' | 'heavy',
): Promise<void> {
  const state = stateOf(request)
  response.once('close', guards.shedder.enter(weight))
  let refusal: unknown
  try {
    state.caller = await authenticateCaller(request.headers.authorization, guards.authenticate, state.left.signal)
  } catch (error) {
    if (!(error instanceof RequestError) || error.detail.code !== 'unauthorized') throw error
    refusal = error
  }
  if (state.caller !== undefined) annotateContext({ userId: state.caller.userId })
  // Wrong credentials count against the address they come from: guessing is limited like any other request.
  if (guards.rateLimit !== undefined) await runHandler(guards.rateLimit, request, response)
  if (refusal !== undefined) throw refusal
  const needsCaller = access === 'write' || access === 'user' || access === 'admin'
  if (needsCaller && state.caller === undefined) {
    throw new RequestError({ code: 'unauthorized' }, 'This needs credentials')
  }
  if (access === 'admin' && state.caller?.admin !== true) {
    throw new RequestError({ code: 'forbidden' }, 'Only administrators may do this')
  }
}

export async function dispatch<Services>(
  route: Route<Services>,
  request: Request,
  response: Response,
  parts: DispatchParts<Services>,
): Promise<void> {
  const heavy = route.kind === 'stream' && route.method !== 'get'
  const work = async (signal: AbortSignal): Promise<Answer | undefined> => {
    if (route.access !== 'open' && parts.guards !== undefined) {
      await guard(request, response, parts.guards, route.access, heavy ? 'heavy' : 'small')
    }
    return route.kind === 'answer'
      ? callHandler(route, request, response, parts, signal)
      : callStreamHandler(route, request, response, parts, signal)
  }
  const { signal } = stateOf(request).left
  if (route.kind === 'stream') {
    // Bounded by its own watch on progress: a clone may take hours.
    await work(signal)
    return
  }
  const { requestTimeoutMs: timeoutMs, logger, metrics } = parts
  const result = await withDeadline(
    { timeoutMs, signal, onLateError: (err) => logger.debug({ err }, 'Failed after its request was given up') },
    work,
  ).catch((error: unknown) => {
    if (error instanceof RequestError && error.detail.code === 'timeout') metrics.timeouts.inc({ operation: 'request' })
    throw error
  })
  if (result !== undefined) sendAnswer(route, result, response)
}

async function callHandler<Services>(
  route: AnswerRoute<Services>,
  request: Request,
  response: Response,
  parts: DispatchParts<Services>,
  signal: AbortSignal,
): Promise<Answer> {
  allowBody(request, response)
  const given = { params: paramsOf(request), query: request.query }
  const body = await parts.readJsonBody(request, response)
  return route.handle(
    {
      // The path is checked before the rest: a name that cannot exist is told before what was to be done with it.
      params: parsePart(route.params, given.params),
      query: parsePart(route.query, given.query),
      body: route.body === undefined ? undefined : parsePart(route.body, body),
      caller: stateOf(request).caller,
      signal,
      url: urlOf(request, parts.publicUrl),
      header: (name) => request.get(name),
    },
    parts.services,
  )
}

async function callStreamHandler<Services>(
  route: StreamRoute<Services>,
  request: Request,
  response: Response,
  parts: DispatchParts<Services>,
  signal: AbortSignal,
): Promise<undefined> {
  const params = parsePart(route.params, paramsOf(request))
  const query = parsePart(route.query, request.query)
  const { caller } = stateOf(request)
  hostOf(request)
  const admitBody = (): void => {
    refuseTooLarge(request, parts.requestBytesMax)
    allowBody(request, response)
  }
  await route.handle({ params, query, caller, signal, request, response, admitBody }, parts.services)
  if (!response.writableEnded && !response.destroyed) throw new Error(`${route.path} left its answer open`)
  return undefined
}

function refuseTooLarge(request: Request, bytesMax: number): void {
  const declaredBytes = Number(request.headers['content-length'] ?? 0)
  if (declaredBytes <= bytesMax) return
  throw new RequestError(
    { code: 'payload_too_large' },
    `The request is over the limit (max_request_size) of ${bytesMax} bytes`,
  )
}

function parsePart<Schema extends z.ZodType>(schema: Schema, input: unknown): z.output<Schema> {
  const parsed = schema.safeParse(input)
  if (parsed.success) return parsed.data
  const problems = toFieldProblems(parsed.error, input)
  throw new RequestError({ code: 'validation_error', problems }, 'Validation failed')
}

/** Express gives a wildcard as the list of its segments. */
function paramsOf(request: Request): Record<string, string> {
  const params: Record<string, string> = {}
  for (const name in request.params) {
    const value = request.params[name] ?? ''
    params[name] = Array.isArray(value) ? value.join('/') : value
  }
  return params
}

const HOST = /^(?:[a-z0-9._-]+|\[[0-9a-f:.]+\])(?::[0-9]{1,5})?$/i

/** @throws RequestError bad_request */
function hostOf(request: Request): string {
  const host = request.host ?? addressOf(request.socket)
  if (!HOST.test(host)) throw invalidHost()
  return host
}

/** HTTP/1.0 needs to name no host: the address that was called is as good. */
function addressOf({ localAddress = 'localhost', localPort = 80 }: Request['socket']): string {
  return isIPv6(localAddress) ? `[${localAddress}]:${localPort}` : `${localAddress}:${localPort}`
}

function urlOf(request: Request, publicUrl: string | undefined): URL {
  const host = hostOf(request)
  const url = URL.parse(`${publicUrl ?? `${request.protocol}://${host}`}${request.originalUrl}`)
  if (url === null) throw invalidHost()
  return url
}

function invalidHost(): RequestError {
  return new RequestError({ code: 'bad_request' }, 'The Host header is not valid')
}

function sendAnswer<Services>(
  route: AnswerRoute<Services>,
  { status, body, headers }: Answer,
  response: Response,
): void {
  const schema = route.answers[status]
  if (schema === undefined) throw new Error(`${route.path} does not declare the status ${status}`)
  // Only what is declared goes out: a field that a query read too much stays here.
  const declared: unknown = schema.parse(body)
  for (const [name, value] of Object.entries(headers)) if (value !== undefined) response.setHeader(name, value)
  if (declared === undefined) {
    response.writeHead(status).end()
    return
  }
  const text = typeof declared === 'string' ? declared : JSON.stringify(declared)
  if (!response.hasHeader('Content-Type')) response.setHeader('Content-Type', `${route.mediaType}; charset=utf-8`)
  response.writeHead(status, { 'Content-Length': Buffer.byteLength(text) }).end(text)
}

/** A middleware of the Express kind as a promise. */
function runHandler(handler: RequestHandler, request: Request, response: Response): Promise<void> {
  return new Promise((resolve, reject) => {
    const done = (error?: unknown): void => (error === undefined ? resolve() : reject(error))
    const result: unknown = handler(request, response, done)
    if (result instanceof Promise) result.catch(reject)
  })
}

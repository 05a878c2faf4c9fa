/** The pipeline of one listener: context, access line, headers, limits, credentials, route, error answer. */
import type { IncomingMessage, ServerResponse } from 'node:http'
import type { Socket } from 'node:net'
import assert from 'node:assert/strict'
import express, { type ErrorRequestHandler, type Express } from 'express'
import { RequestError } from '../errors.ts'
import type { LISTENERS } from '../observability/label-sets.ts'
import type { Logger } from '../observability/logging.ts'
import type { Metrics } from '../observability/metrics.ts'
import { AccessSampler } from '../observability/sampling.ts'
import type { LoadShedder } from '../resilience/load-shedding.ts'
import { observeRequest } from './access-log.ts'
import type { Authenticate } from './caller.ts'
import { dispatch, type DispatchParts, guard } from './dispatch.ts'
import { sendError } from './error-answer.ts'
import { jsonBodyReader } from './json-body.ts'
import { refuseMalformed } from './malformed.ts'
import { type Messages, messagesOf } from './messages.ts'
import { createRateLimit } from './rate-limit.ts'
import { beginRequest, stateOf } from './request-state.ts'
import type { Route } from './route.ts'
import { createRouteTable, type PathRoutes, pathsOf } from './route-table.ts'
import { commonHeaders } from './security-headers.ts'

const URL_LENGTH_MAX = 4_096
/** A client whose request was answered before it was complete gets so long to stop sending. */
const LINGER_MS = 5_000

export interface AppOptions<Services> {
  readonly listener: (typeof LISTENERS)[number]
  readonly routes: readonly Route<Services>[]
  readonly services: Services
  readonly requestTimeoutMs: number
  readonly requestBytesMax: number
  /** Of a JSON body, after decompression. */
  readonly jsonBytesMax: number
  /** What clients reach the node at, without a slash at its end; else what they say they do. */
  readonly publicUrl?: string | undefined
  readonly metrics: Metrics
  readonly logger: Logger
  /** Needed as soon as one route is not `open`. */
  readonly guards?: {
    readonly authenticate: Authenticate
    readonly shedder: LoadShedder
    /** Of an authenticated client, a tenth for an anonymous address; 0 is off. */
    readonly rateLimitPerMinute: number
    readonly corsOrigins: readonly string[]
    /** Addresses and networks whose `X-Forwarded-*` is believed. */
    readonly trustedProxies: readonly string[]
  }
}

/** What a listener needs: an answer to each request, and to each connection that sent none. */
export interface HttpHandler {
  /** What `handle` is given is made of. */
  readonly messages: Messages
  /** @param refusal refuses the request whatever it is */
  handle(request: IncomingMessage, response: ServerResponse, refusal?: RequestError): void
  malformed(error: NodeJS.ErrnoException, socket: Socket): void
}

export function createApp<Services>(options: AppOptions<Services>): HttpHandler {
  const table = createRouteTable(options.routes)
  const app = buildExpress(options, table)
  const { metrics, logger, listener } = options
  const setHeaders = commonHeaders(options.guards?.corsOrigins)
  const open = options.routes.filter((route) => route.access === 'open')
  const access = { listener, metrics, logger, sampler: new AccessSampler(pathsOf(open)) }
  return {
    messages: messagesOf(app),
    handle(request, response, refusal) {
      beginRequest(request, response, (state) => {
        observeRequest(request, response, state, access)
        boundEnd(request, response, options.requestTimeoutMs)
        if (refusal === undefined && setHeaders(request, response)) return
        const refused = refusal ?? refuseLongUrl(request)
        if (refused === undefined) app(request, response)
        else sendError(refused, request, response, logger)
      })
    },
    malformed: (error, socket) => refuseMalformed(error, socket, { metrics, logger }),
  }
}

function buildExpress<Services>(options: AppOptions<Services>, table: readonly PathRoutes<Services>[]): Express {
  const { guards: given, metrics, logger } = options
  const needsGuards = options.routes.some((route) => route.access !== 'open')
  assert(!needsGuards || given !== undefined, `${options.listener}: only open routes go without guards`)
  const rateLimit =
    given === undefined || given.rateLimitPerMinute === 0
      ? undefined
      : createRateLimit(given.rateLimitPerMinute, metrics)
  const guards = given && { authenticate: given.authenticate, shedder: given.shedder, rateLimit }
  const parts: DispatchParts<Services> = {
    ...options,
    guards,
    publicUrl: options.publicUrl,
    readJsonBody: jsonBodyReader(options.jsonBytesMax),
  }

  const app = express()
  app.disable('x-powered-by')
  app.disable('etag')
  app.enable('case sensitive routing')
  app.enable('strict routing')
  app.set('query parser', 'simple')
  app.set('trust proxy', given === undefined ? false : [...given.trustedProxies])
  for (const { template, pattern, routes, allow } of table) {
    const [first] = routes.values()
    app.all(pattern, async (request, response) => {
      const state = stateOf(request)
      state.route = template
      state.errorStyle = first?.kind === 'stream' ? 'sentence' : 'json'
      const method = request.method === 'HEAD' ? 'get' : request.method.toLowerCase()
      const route = [...routes.values()].find((candidate) => candidate.method === method)
      if (route !== undefined) {
        state.work = dispatch(route, request, response, parts)
        return state.work
      }
      if (guards !== undefined && first?.access !== 'open') await guard(request, response, guards, 'public', 'small')
      throw new RequestError({ code: 'method_not_allowed', allow }, `Allowed here: ${allow.join(', ')}`)
    })
  }
  app.use(async (request, response) => {
    if (guards !== undefined) await guard(request, response, guards, 'public', 'small')
    throw new RequestError({ code: 'not_found' }, 'There is nothing at this address')
  })
  const onError: ErrorRequestHandler = (error, request, response, _next) => sendError(error, request, response, logger)
  app.use(onError)
  return app
}

function refuseLongUrl({ url = '' }: IncomingMessage): RequestError | undefined {
  if (url.length <= URL_LENGTH_MAX) return undefined
  return new RequestError({ code: 'bad_request' }, `The address is over the limit of ${URL_LENGTH_MAX} characters`)
}

/** After the answer was given, neither a body that never ends nor a reader that never reads may hold on (I8). */
function boundEnd(request: IncomingMessage, response: ServerResponse, timeoutMs: number): void {
  const destroyIn = (afterMs: number, over: NodeJS.EventEmitter): void => {
    const timer = setTimeout(() => request.socket.destroy(), afterMs)
    over.once('close', () => clearTimeout(timer))
  }
  response.once('prefinish', () => {
    // Else the kernel has all of it, and the end comes in this very turn.
    if (response.writableLength > 0) destroyIn(timeoutMs, response)
  })
  response.once('finish', () => {
    if (request.complete) return
    request.resume()
    destroyIn(LINGER_MS, request)
  })
}

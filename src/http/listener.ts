import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http'
import type { AddressInfo, Socket } from 'node:net'
import { RequestError } from '../errors.ts'
import type { LISTENERS } from '../observability/label-sets.ts'
import type { Metrics } from '../observability/metrics.ts'
import type { HttpHandler } from './app.ts'

/** Longer than the pause between the two requests of a push, shorter than most proxies wait. */
const KEEP_ALIVE_MS = 15_000
const HEADERS_MS_MAX = 10_000
const CONNECTIONS_CHECK_MS = 1_000
/** So many clients over the limit are told so; the ones beyond are hung up on. */
const EXCESS_MAX = 64

export interface ListenerOptions {
  readonly name: (typeof LISTENERS)[number]
  readonly host: string
  /** 0: any free one, for tests. */
  readonly port: number
  readonly connectionsMax: number
  /** Headers have to be there in this time, at most ten seconds. */
  readonly requestTimeoutMs: number
}

/** A listening socket with its connections: knows which are at work, so that it can drain (DESIGN §8). */
export class Listener {
  readonly #options: ListenerOptions
  readonly #handler: HttpHandler
  readonly #metrics: Pick<Metrics, 'httpConnections' | 'rejections'>
  readonly #server: Server
  readonly #sockets = new Map<Socket, Set<ServerResponse>>()
  readonly #excess = new WeakSet<Socket>()
  #draining = false

  constructor(
    options: ListenerOptions,
    handler: HttpHandler,
    metrics: Pick<Metrics, 'httpConnections' | 'rejections'>,
  ) {
    this.#options = options
    this.#handler = handler
    this.#metrics = metrics
    this.#server = createServer({
      ...handler.messages,
      // Refused below, in our own words.
      requireHostHeader: false,
      connectionsCheckingInterval: CONNECTIONS_CHECK_MS,
      keepAliveTimeout: KEEP_ALIVE_MS,
      headersTimeout: Math.min(HEADERS_MS_MAX, options.requestTimeoutMs),
      // A push may send for hours: bodies are bounded by the routes, which know what to expect.
      requestTimeout: 0,
    })
    this.#server.maxConnections = options.connectionsMax + EXCESS_MAX
    this.#server.on('connection', (socket) => this.#onConnection(socket))
    this.#server.on('drop', () => this.#metrics.rejections.inc({ reason: 'connections' }))
    this.#server.on('clientError', (error: NodeJS.ErrnoException, socket) => handler.malformed(error, socket as Socket))
    this.#server.on('connect', (_request, socket) => {
      handler.malformed(Object.assign(new Error('Not a proxy'), { code: 'CONNECT' }), socket as Socket)
    })
    this.#server.on('request', (request, response) => this.#onRequest(request, response))
    // Otherwise Node answers 100 Continue itself, before anyone has looked at the request.
    this.#server.on('checkContinue', (request, response) => this.#onRequest(request, response))
    this.#server.on('checkExpectation', (request, response) =>
      this.#onRequest(request, response, badRequest('The expectation cannot be met')),
    )
  }

  async start(): Promise<AddressInfo> {
    const { promise, resolve, reject } = Promise.withResolvers<void>()
    this.#server.once('error', reject)
    this.#server.listen({ host: this.#options.host, port: this.#options.port }, resolve)
    await promise
    this.#server.removeListener('error', reject)
    return this.#server.address() as AddressInfo
  }

  /**
   * Takes no new work, lets the work at hand finish, and cuts off what is left at the deadline.
   * @returns how many connections were cut off at work
   */
  async stop({ deadlineMs }: { deadlineMs: number }): Promise<{ cutOff: number }> {
    this.#draining = true
    const { promise: closed, resolve } = Promise.withResolvers<void>()
    this.#server.close(() => resolve())
    for (const [socket, responses] of this.#sockets) {
      // Idle, or a request only half sent: nothing was promised.
      if (responses.size === 0) socket.destroy()
      for (const response of responses) announceClose(response)
    }
    let cutOff = 0
    const deadline = setTimeout(() => {
      cutOff = this.#sockets.size
      for (const socket of this.#sockets.keys()) socket.destroy()
    }, deadlineMs)
    await closed
    clearTimeout(deadline)
    return { cutOff }
  }

  #onConnection(socket: Socket): void {
    this.#sockets.set(socket, new Set())
    this.#report()
    if (this.#sockets.size > this.#options.connectionsMax) {
      this.#excess.add(socket)
      this.#metrics.rejections.inc({ reason: 'connections' })
    }
    socket.once('close', () => {
      this.#sockets.delete(socket)
      this.#report()
    })
  }

  #onRequest(request: IncomingMessage, response: ServerResponse, refusal?: RequestError): void {
    const { socket } = request
    const responses = this.#sockets.get(socket)
    responses?.add(response)
    response.once('close', () => {
      responses?.delete(response)
      // Its headers may have promised to keep the connection, before the drain began.
      if (this.#draining && responses?.size === 0) socket.destroySoon()
    })
    const excess = this.#excess.has(socket)
    if (this.#draining || excess) announceClose(response)
    const noHost = request.headers.host === undefined && request.httpVersion === '1.1'
    this.#handler.handle(
      request,
      response,
      excess ? tooManyConnections() : noHost ? badRequest('The Host header is missing') : refusal,
    )
  }

  #report(): void {
    this.#metrics.httpConnections.set({ listener: this.#options.name }, this.#sockets.size)
  }
}

function badRequest(message: string): RequestError {
  return new RequestError({ code: 'bad_request' }, message)
}

function announceClose(response: ServerResponse): void {
  if (!response.headersSent) response.setHeader('Connection', 'close')
}

function tooManyConnections(): RequestError {
  // An idle connection is closed after this time at the latest, and makes room.
  return new RequestError({ code: 'unavailable', retryAfterS: KEEP_ALIVE_MS / 1_000 }, 'Too many connections')
}

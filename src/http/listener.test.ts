import { once } from 'node:events'
import { describe, expect, it, vi } from 'vitest'
import * as z from 'zod'
import { errorBody } from '../validation/error-body.ts'
import { answer, routesFor } from './route.ts'
import { rawClient, serve } from './testing.ts'

const { defineRoute, defineStreamRoute } = routesFor<undefined>()

function gatedRoutes() {
  const gate = Promise.withResolvers<void>()
  const entered = Promise.withResolvers<AbortSignal>()
  const slow = defineRoute({
    method: 'get',
    path: '/slow',
    summary: 'Answers when the gate opens',
    access: 'public',
    answers: { 200: z.string() },
    async handle({ signal }) {
      entered.resolve(signal)
      await gate.promise
      return answer(200, 'done')
    },
  })
  const begun = defineStreamRoute({
    method: 'get',
    path: '/begun',
    summary: 'Has sent its headers when the gate opens',
    access: 'public',
    async handle({ response, signal }) {
      response.write('begun ')
      entered.resolve(signal)
      await gate.promise
      response.end('done')
    },
  })
  return { gate, entered, routes: [slow, begun] }
}

const GET = (path: string): string => `GET ${path} HTTP/1.1\r\nHost: x\r\n\r\n`
const bodyOf = (received: string): unknown => JSON.parse(received.slice(received.indexOf('\r\n\r\n')))

describe('the connection cap', () => {
  it('serves the last client within it and refuses the next with a true Retry-After', async () => {
    const { routes, gate } = gatedRoutes()
    gate.resolve()
    await using server = await serve(routes, { listener: { connectionsMax: 2 } })
    const clients = [rawClient(server.port), rawClient(server.port)]
    await vi.waitFor(async () => expect(await server.value('guts_http_connections{listener="api"}')).toBe(2))
    const third = rawClient(server.port)
    third.send(GET('/slow'))
    await third.closed
    expect(third.received()).toMatch(/^HTTP\/1.1 503 [^]*retry-after: 15\r\n/i)
    expect(errorBody.parse(bodyOf(third.received())).error).toBe('unavailable')
    expect(await server.value('guts_http_rejections_total{reason="connections"}')).toBe(1)
    for (const client of clients) {
      client.send(GET('/slow'))
      await vi.waitFor(() => expect(client.received()).toMatch(/^HTTP\/1.1 200 /))
    }
    clients[0]?.socket.destroy()
    await vi.waitFor(async () => expect(await server.value('guts_http_connections{listener="api"}')).toBe(1))
    expect(await (await fetch(`${server.origin}/slow`)).text()).toBe('done')
  })
})

describe('bytes that are no request', () => {
  it.each([
    {
      name: 'an unknown method',
      bytes: 'BREW / HTTP/1.1\r\nHost: x\r\n\r\n',
      message: 'This is not a valid HTTP request',
    },
    { name: 'binary', bytes: '\x16\x03\x01\x02\x00\x01', message: 'This is not a valid HTTP request' },
    { name: 'CONNECT', bytes: 'CONNECT x:1 HTTP/1.1\r\nHost: x\r\n\r\n', message: 'This is not a valid HTTP request' },
    {
      name: 'two lengths',
      bytes: 'POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\n',
      message: 'This is not a valid HTTP request',
    },
    {
      name: 'length and chunks',
      bytes: 'POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 1\r\nTransfer-Encoding: chunked\r\n\r\n',
      message: 'This is not a valid HTTP request',
    },
    {
      name: 'headers over the limit',
      bytes: `GET / HTTP/1.1\r\nHost: x\r\nX: ${'x'.repeat(20_000)}\r\n\r\n`,
      message: 'The headers of the request are too large',
    },
  ])('answers $name with the one body, and closes', async ({ bytes, message }) => {
    await using server = await serve([])
    const client = rawClient(server.port)
    client.send(bytes)
    await client.closed
    expect(client.received()).toMatch(/^HTTP\/1.1 400 /)
    expect(errorBody.parse(bodyOf(client.received()))).toMatchObject({ error: 'bad_request', message })
    expect(await server.value('guts_http_rejections_total{reason="malformed"}')).toBe(1)
  })

  it.each([
    { name: 'no host', headers: '', message: 'The Host header is missing' },
    { name: 'an expectation', headers: 'Host: x\r\nExpect: tea\r\n', message: 'The expectation cannot be met' },
  ])('refuses a request with $name in the one body', async ({ headers, message }) => {
    await using server = await serve([])
    const client = rawClient(server.port)
    client.send(`GET / HTTP/1.1\r\n${headers}\r\n`)
    await vi.waitFor(() => expect(client.received()).toMatch(/^HTTP\/1.1 400 [^]*}$/))
    expect(errorBody.parse(bodyOf(client.received()))).toMatchObject({ error: 'bad_request', message })
    client.socket.destroy()
  })

  it('hangs up on clients that send headers byte by byte, or nothing', async () => {
    await using server = await serve([], { listener: { requestTimeoutMs: 200 } })
    const silent = rawClient(server.port)
    const slow = rawClient(server.port)
    slow.send('GET / HTTP/1.1\r\nHo')
    await Promise.all([slow.closed, silent.closed])
    expect(errorBody.parse(bodyOf(slow.received())).message).toBe('The request was not sent in time')
    expect(silent.received()).toBe('')
    expect(await server.value('guts_http_rejections_total{reason="slow_client"}')).toBe(1)
  })

  it('gives a body that never comes its timeout, and lets go of the connection', async () => {
    const route = defineRoute({
      method: 'post',
      path: '/x',
      summary: 'Takes a body',
      access: 'public',
      body: z.strictObject({}),
      answers: { 200: z.string() },
      handle: () => answer(200, ''),
    })
    await using server = await serve([route], { app: { requestTimeoutMs: 100 } })
    const client = rawClient(server.port)
    client.send('POST /x HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\nContent-Length: 9\r\n\r\n{')
    await vi.waitFor(() => expect(client.received()).toMatch(/^HTTP\/1.1 504 /))
    await client.closed
    expect(await server.value('guts_timeouts_total{operation="request"}')).toBe(1)
  })
})

describe('a client that leaves', () => {
  it('aborts the work for it, and is called by its name', async () => {
    const { routes, gate, entered } = gatedRoutes()
    await using server = await serve(routes)
    const client = rawClient(server.port)
    const requestId = '0192f0c1-1111-7abc-8abc-0123456789ab'
    client.send(`GET /slow HTTP/1.1\r\nHost: x\r\nX-Request-Id: ${requestId}\r\n\r\n`)
    const signal = await entered.promise
    client.socket.destroy()
    await vi.waitFor(() => expect(signal.aborted).toBe(true))
    gate.resolve()
    await vi.waitFor(async () => {
      expect((await server.lines()).find(({ msg }) => msg === 'Request')).toMatchObject({
        status: 499,
        bytes_out: 0,
        request_id: requestId,
      })
    })
    expect(await server.value('guts_http_requests_in_flight{listener="api"}')).toBe(0)
  })
})

describe('a client that does not play along', () => {
  it('leaves nothing behind when it pipelines requests and goes', async () => {
    const { routes, gate, entered } = gatedRoutes()
    await using server = await serve(routes)
    const client = rawClient(server.port)
    client.send(GET('/slow').repeat(3))
    await entered.promise
    await vi.waitFor(async () => expect(await server.value('guts_http_requests_in_flight{listener="api"}')).toBe(3))
    client.socket.destroy()
    await vi.waitFor(async () => expect(await server.value('guts_http_requests_in_flight{listener="api"}')).toBe(0))
    gate.resolve()
    await vi.waitFor(async () => {
      expect((await server.lines()).filter(({ msg }) => msg === 'Request').map(({ status }) => status)).toEqual([
        499, 499, 499,
      ])
    })
  })

  it('is hung up on when it never reads its answer', async () => {
    const route = defineRoute({
      method: 'get',
      path: '/large',
      summary: 'More than buffers between us hold',
      access: 'public',
      answers: { 200: z.string() },
      handle: () => answer(200, 'x'.repeat(2 ** 25)),
    })
    await using server = await serve([route], { app: { requestTimeoutMs: 200 } })
    const client = rawClient(server.port)
    client.socket.pause()
    client.send(GET('/large'))
    await vi.waitFor(async () => expect(await server.value('guts_http_requests_in_flight{listener="api"}')).toBe(1))
    await vi.waitFor(async () => expect(await server.value('guts_http_connections{listener="api"}')).toBe(0), 10_000)
    expect((await server.lines()).find(({ msg }) => msg === 'Request')).toMatchObject({ status: 499 })
    client.socket.destroy()
  })
})

describe('drain', () => {
  it.each([
    { name: 'before its headers', path: '/slow', connection: 'close' },
    { name: 'after its headers', path: '/begun', connection: 'keep-alive' },
  ])('lets a request finish that was caught $name, and ends everything else at once', async ({ path, connection }) => {
    const { routes, gate, entered } = gatedRoutes()
    await using server = await serve(routes)
    const [busy, idle, half] = [rawClient(server.port), rawClient(server.port), rawClient(server.port)]
    busy.send(GET(path))
    half.send('GET /slow HTT')
    await entered.promise
    await vi.waitFor(async () => expect(await server.value('guts_http_connections{listener="api"}')).toBe(3))
    const stopped = server.listener.stop({ deadlineMs: 60_000 })
    await Promise.all([idle.closed, half.closed])
    const late = rawClient(server.port)
    const [refusal] = await once(late.socket, 'error')
    expect(refusal).toMatchObject({ code: 'ECONNREFUSED' })
    gate.resolve()
    await busy.closed
    expect(busy.received()).toContain('done')
    expect(busy.received().toLowerCase()).toContain(`\r\nconnection: ${connection}\r\n`)
    expect(await stopped).toEqual({ cutOff: 0 })
  })

  it('cuts off at the deadline what does not finish, and says how many', async () => {
    const { routes, entered, gate } = gatedRoutes()
    await using server = await serve(routes)
    const client = rawClient(server.port)
    client.send(GET('/begun'))
    const signal = await entered.promise
    expect(await server.listener.stop({ deadlineMs: 1 })).toEqual({ cutOff: 1 })
    await client.closed
    await vi.waitFor(() => expect(signal.aborted).toBe(true))
    gate.resolve()
  })
})

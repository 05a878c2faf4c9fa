/** The policies around real connections: what the other side sees of them. */
import { once } from 'node:events'
import { type AddressInfo, connect, createServer, type Server, type Socket } from 'node:net'
import pino from 'pino'
import type { ReadableSpan } from '@opentelemetry/sdk-trace'
import { afterEach, beforeEach, expect, it, vi } from 'vitest'
import { hasErrorCode } from '../errors.ts'
import { newOperation, runInContext } from '../observability/context.ts'
import { createMetrics } from '../observability/metrics.ts'
import { startTracing } from '../observability/tracing.ts'
import { type Attempt, AttemptTimeoutError, CircuitOpenError, OUTBOUND_LIMITS, OutboundPolicies } from './outbound.ts'

const logger = pino({ level: 'silent' })
const call = { name: 'status', idempotent: true, ends: 'deadline', signal: new AbortController().signal } as const

let server: Server
let connections: Socket[] = []
let closed = 0
/** What the server does with a connection; at first nothing. */
let serve: (socket: Socket) => void

beforeEach(async () => {
  connections = []
  closed = 0
  serve = () => {}
  server = createServer((socket) => {
    connections.push(socket)
    socket.on('error', () => {})
    socket.on('close', () => closed++)
    socket.resume()
    serve(socket)
  })
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
})

afterEach(async () => {
  vi.useRealTimers()
  for (const socket of connections) socket.destroy()
  server.close()
  await once(server, 'close')
})

/** Where the server answers, an attempt has all the time that a busy machine may need. */
const PATIENT_MS = 20_000
const SHORT_MS = 50

function start(options: { attemptTimeoutMs: number; attemptsMax: number; breakerThreshold: number }): OutboundPolicies {
  const metrics = createMetrics({ routePaths: [], version: '1', onCollectError: () => {} })
  const isTransient = (error: unknown): boolean => hasErrorCode(error, 'ECONNREFUSED', 'ECONNRESET')
  return new OutboundPolicies({ dependency: 'peer', isTransient, ...options }, { metrics, logger })
}

/** Says one thing and reads the answer to its end, on a connection of its own that ends with the attempt. */
async function exchange({ signal }: Attempt): Promise<string> {
  const socket = connect((server.address() as AddressInfo).port, '127.0.0.1')
  signal.addEventListener('abort', () => socket.destroy(signal.reason as Error), { once: true })
  socket.write('hello')
  let answer = ''
  for await (const chunk of socket) answer += String(chunk)
  return answer
}

const outcome = (work: Promise<unknown>): Promise<unknown> => work.catch((error: unknown) => error)
const answer = (socket: Socket): void => void socket.end('well')

it('closes the connection of an attempt whose time is over, and makes three attempts of three', async () => {
  const policies = start({ attemptTimeoutMs: SHORT_MS, attemptsMax: 3, breakerThreshold: 9 })
  expect(await outcome(policies.run('a', call, exchange))).toBeInstanceOf(AttemptTimeoutError)
  await vi.waitFor(() => expect(closed).toBe(3))
  expect(connections).toHaveLength(3)
})

it('closes the connection of a caller who leaves', async () => {
  const policies = start({ attemptTimeoutMs: PATIENT_MS, attemptsMax: 1, breakerThreshold: 1 })
  const caller = new AbortController()
  serve = () => caller.abort(new Error('left'))
  const work = outcome(policies.run('a', { ...call, ends: 'progress', signal: caller.signal }, exchange))
  expect(await work).toMatchObject({ message: 'left' })
  await vi.waitFor(() => expect(closed).toBe(1))
  expect(policies.state('a')).toBe('closed')
})

it('succeeds when the second attempt does', async () => {
  const policies = start({ attemptTimeoutMs: PATIENT_MS, attemptsMax: 3, breakerThreshold: 9 })
  serve = (socket) => (connections.length === 1 ? socket.resetAndDestroy() : answer(socket))
  expect(await policies.run('a', call, exchange)).toBe('well')
  expect(connections).toHaveLength(2)
})

it('touches no socket once three calls have failed, until a probe finds the other side well', async () => {
  vi.useFakeTimers({ toFake: ['performance'] })
  const policies = start({ attemptTimeoutMs: PATIENT_MS, attemptsMax: 1, breakerThreshold: 3 })
  serve = (socket) => socket.resetAndDestroy()
  for (let failed = 0; failed < 3; failed++) await outcome(policies.run('a', call, exchange))
  expect(await outcome(policies.run('a', call, exchange))).toBeInstanceOf(CircuitOpenError)
  expect(connections).toHaveLength(3)
  vi.advanceTimersByTime(OUTBOUND_LIMITS.openMs)
  serve = answer
  expect(await policies.run('a', call, exchange)).toBe('well')
  expect(policies.state('a')).toBe('half_open')
  expect(await policies.run('a', call, exchange)).toBe('well')
  expect(policies.state('a')).toBe('closed')
  expect(connections).toHaveLength(5)
})

it('notes timeouts, retries and changes of the circuit in the span of the exchange', async () => {
  const finished: ReadableSpan[] = []
  const collecting = {
    onStart() {},
    onEnd: (span: ReadableSpan) => void finished.push(span),
    forceFlush: async () => {},
    shutdown: async () => {},
  }
  const stop = await startTracing({ enabled: true, version: '1', logger, spanProcessors: [collecting] })
  try {
    const policies = start({ attemptTimeoutMs: SHORT_MS, attemptsMax: 2, breakerThreshold: 2 })
    await runInContext(newOperation('test'), () => outcome(policies.run('a', call, exchange)))
  } finally {
    await stop()
  }
  const [span] = finished
  expect(span?.name).toBe('peer.status')
  expect(span?.events.map((event) => event.name)).toEqual(['timeout', 'retry', 'timeout', 'circuit_breaker'])
  expect(span?.events.at(-1)?.attributes).toEqual({ dependency: 'peer', key: 'a', from: 'closed', to: 'open' })
})

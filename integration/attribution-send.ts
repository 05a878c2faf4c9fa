/** Sends requests of every kind, and keeps what the client knows of each. */
import { randomUUID } from 'node:crypto'
import { connect } from 'node:net'
import { bearer, JSON_TYPE, type Kind, type Person } from './attribution-requests.ts'
import { ask, encodeRequest, exchange, type RawAnswer } from './support/raw-http.ts'

/** What one request left behind, as its client knows it. */
export interface Sent {
  readonly kind: string
  readonly requestId: string
  readonly method: string
  readonly route: string
  readonly status: number
  readonly userId: string | undefined
  readonly repository: string | undefined
  /** Of its own `traceparent`. */
  readonly traceId: string | undefined
  /** Bytes that were no request have neither trace nor route. */
  readonly traced: boolean
}

/** @param withIds whether the client names request and trace itself */
export async function send(port: number, kind: Kind, address: string, withIds: boolean): Promise<Sent> {
  const ids = withIds ? newIds() : undefined
  const headers = { ...kind.request.headers, 'X-Forwarded-For': address, ...ids?.headers }
  return sent(kind, await ask(port, { ...kind.request, headers }), ids)
}

/** Bytes that are no request. */
export async function sendMalformed(port: number): Promise<Sent> {
  const answer = await exchange(port, Buffer.from('nonsense\r\n\r\n'))
  return {
    ...sent(
      { name: 'malformed', route: '_unmatched', request: { method: '_OTHER', path: '' }, status: 400 },
      answer,
      undefined,
    ),
    traced: false,
  }
}

/** A body that stops coming: until the server gives up, or the client leaves as soon as it was asked for the body. */
export async function sendHalf(port: number, caller: Person, leaves: boolean): Promise<Sent> {
  const ids = newIds()
  const headers = { ...bearer(caller), ...JSON_TYPE, ...ids.headers, 'Content-Length': '100', Expect: '100-continue' }
  const request = { method: 'POST', path: '/api/repos', headers }
  const kind = {
    name: leaves ? 'client leaves' : 'body that stops',
    route: '/api/repos',
    request,
    caller,
    status: leaves ? 499 : 504,
  }
  if (!leaves) return sent(kind, await exchange(port, encodeRequest(request)), ids)
  await new Promise<void>((resolve) => {
    const socket = connect(port, '127.0.0.1', () => socket.write(encodeRequest(request)))
    // What is still on its way to us is refused.
    socket.on('error', () => {})
    socket.once('data', () => socket.destroy())
    socket.once('close', () => resolve())
  })
  return { ...sent(kind, undefined, ids), status: 499 }
}

interface Ids {
  readonly requestId: string
  readonly traceId: string
  readonly headers: Readonly<Record<string, string>>
}

export function newIds(): Ids {
  const requestId = randomUUID()
  const traceId = randomUUID().replaceAll('-', '')
  return {
    requestId,
    traceId,
    headers: { 'X-Request-Id': requestId, Traceparent: `00-${traceId}-00f067aa0ba902b7-01` },
  }
}

function sent(kind: Kind, answer: RawAnswer | undefined, ids: Ids | undefined): Sent {
  const requestId = answer?.headers.get('x-request-id') ?? ids?.requestId ?? ''
  if (ids !== undefined && requestId !== ids.requestId) throw new Error(`${kind.name}: its request id was not kept`)
  if (answer !== undefined && answer.status !== kind.status) {
    throw new Error(
      `${kind.name} was answered with ${answer.status}, not ${kind.status}: ${answer.bytes.toString('utf8')}`,
    )
  }
  return {
    kind: kind.name,
    requestId,
    method: kind.request.method ?? 'GET',
    route: kind.route,
    status: kind.status,
    userId: kind.caller?.userId,
    repository: kind.repository,
    traceId: ids?.traceId,
    traced: true,
  }
}

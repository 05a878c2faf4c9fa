/** I10: metrics of what protects the node move by exactly the right amount (Done when 6). */
import { once } from 'node:events'
import { connect, type Socket } from 'node:net'
import { describe, expect, it } from 'vitest'
import {
  bulkheadWait,
  GIT_ROUTE,
  gitOperation,
  MeteredNode,
  rejection,
  storageOperation,
} from './support/metered-node.ts'
import { type Change, expectChange, keyOf, requestChange, sum, scrapeSeries, settlesAt } from './support/metrics.ts'
import { blob, commit, pack, tree, whole } from './support/pack-maker.ts'
import { ask, encodeRequest, exchange } from './support/raw-http.ts'
import { command, postHeaders, pushBody } from './support/wire.ts'

const IN_FLIGHT_MAX = 1_000
const RATE_LIMIT = 20

const timeoutOf = (operation: string): Change => ({ [keyOf('guts_timeouts_total', { operation })]: 1 })
const refusal = (client: string): Change => ({
  [keyOf('guts_rate_limit_refusals_total', { client })]: 1,
  ...rejection('rate_limit'),
})

/** A connection that says only this. */
async function open(port: number, bytes: string | Uint8Array = ''): Promise<Socket> {
  const socket = connect(port, '127.0.0.1')
  socket.on('error', () => {})
  await once(socket, 'connect')
  socket.write(bytes)
  return socket
}

describe('limits', () => {
  it('requests over the rate limit, of users and of addresses', async () => {
    await using metered = await MeteredNode.start({ GUTS_RATE_LIMIT: String(RATE_LIMIT) })
    const { internal } = metered.node.ports
    const list = (status: number, headers = {}): Promise<Change> =>
      metered.request({ path: '/api/repos', headers }, '/api/repos', status)
    await expectChange(internal, async () => {
      const all: Change[] = []
      for (let i = 0; i < RATE_LIMIT; i++) all.push(await list(200, metered.authorization))
      return sum(...all, await list(429, metered.authorization), refusal('authenticated'))
    })
    await expectChange(internal, async () =>
      sum(await list(200), await list(200), await list(429), refusal('anonymous')),
    )
  })

  it('connections over the cap, those open, and requests under way', async () => {
    await using metered = await MeteredNode.start({ GUTS_MAX_CONNECTIONS: '2' })
    const { api, internal } = metered.node.ports
    await expectChange(internal, async () => {
      const held = encodeRequest({
        method: 'POST',
        path: '/api/repos',
        headers: { ...metered.json, 'Content-Length': '100' },
      })
      const sockets = [await open(api), await open(api, held)]
      await settlesAt(metered.node, keyOf('guts_http_connections', { listener: 'api' })).toBe(2)
      await settlesAt(metered.node, keyOf('guts_http_requests_in_flight', { listener: 'api' })).toBe(1)
      const refused = await metered.request({ path: '/api/repos' }, '_unmatched', 503)
      for (const socket of sockets) socket.destroy()
      // Both are back at 0 in the end. The client that left had sent nothing of its body.
      const left = requestChange({ method: 'POST', route: '/api/repos', status: 499, bytesIn: 0, bytesOut: 0 })
      return sum(refused, rejection('connections'), left)
    })
    await settlesAt(metered.node, keyOf('guts_http_connections', { listener: 'api' })).toBe(0)
  })

  it('clients too slow with their headers or bodies', async () => {
    await using metered = await MeteredNode.start({ GUTS_REQUEST_TIMEOUT: '1' })
    const { api, internal } = metered.node.ports
    await metered.create('site')
    await expectChange(internal, async () => {
      const answer = await exchange(api, Buffer.from('GET / HTTP/1.1\r\nHost: a\r\n'))
      expect(answer.status).toBe(400)
      return {
        [keyOf('guts_http_requests_total', { method: '_OTHER', path: '_unmatched', status: 400 })]: 1,
        ...rejection('slow_client'),
      }
    })
    await expectChange(internal, async () => {
      const request = { method: 'POST', path: '/api/repos', headers: { ...metered.json, 'Content-Length': '100' } }
      const answer = await exchange(api, encodeRequest(request))
      expect(answer.status).toBe(504)
      const ended = requestChange({
        method: 'POST',
        route: '/api/repos',
        status: 504,
        bytesIn: 0,
        bytesOut: answer.body.length,
      })
      return sum(ended, timeoutOf('request'))
    })
    await expectChange(internal, async () => {
      const headers = postHeaders({
        service: 'git-receive-pack',
        version: '0',
        token: metered.token,
        headers: { 'Content-Length': '1000' },
      })
      const sent = command('refs/heads/main', '1'.repeat(40))
      const request = { method: 'POST', path: '/git/alice/site/git-receive-pack', headers }
      const answer = await exchange(api, Buffer.concat([encodeRequest(request), sent]))
      expect(answer.status).toBe(504)
      const route = `${GIT_ROUTE}/git-receive-pack`
      const ended = requestChange({
        method: 'POST',
        route,
        status: 504,
        bytesIn: sent.length,
        bytesOut: answer.body.length,
      })
      return sum(ended, timeoutOf('transfer'), gitOperation('receive_pack', '0', 'timeout'))
    })
    await expectChange(internal, async () => {
      const headers = postHeaders({
        service: 'git-receive-pack',
        version: '0',
        token: metered.token,
        headers: { 'Content-Length': '1000' },
      })
      const sent = command('refs/heads/main', '1'.repeat(40))
      const request = encodeRequest({ method: 'POST', path: '/git/alice/site/git-receive-pack', headers })
      const socket = await open(api, Buffer.concat([request, sent]))
      await settlesAt(metered.node, keyOf('guts_http_requests_in_flight', { listener: 'api' })).toBe(1)
      socket.destroy()
      const left = requestChange({
        method: 'POST',
        route: `${GIT_ROUTE}/git-receive-pack`,
        status: 499,
        bytesIn: sent.length,
        bytesOut: 0,
      })
      return sum(left, gitOperation('receive_pack', '0', 'aborted'))
    })
  })

  it('a body that is none', async () => {
    await using metered = await MeteredNode.start()
    await expectChange(metered.node.ports.internal, async () => {
      const head = encodeRequest({
        method: 'POST',
        path: '/api/repos',
        headers: { ...metered.json, 'Transfer-Encoding': 'chunked' },
      })
      const answer = await exchange(metered.node.ports.api, Buffer.concat([head, Buffer.from('no chunk\r\n')]))
      expect(answer.status).toBe(400)
      expect(JSON.parse(answer.body.toString())).toMatchObject({
        error: 'bad_request',
        request_id: answer.headers.get('x-request-id'),
      })
      const ended = requestChange({
        method: 'POST',
        route: '/api/repos',
        status: 400,
        bytesIn: 0,
        bytesOut: answer.body.length,
      })
      return sum(ended, rejection('malformed'))
    })
  })

  it('more requests at a time than the node takes', async () => {
    await using metered = await MeteredNode.start({ GUTS_REQUEST_TIMEOUT: '3600' })
    const { api, internal } = metered.node.ports
    await expectChange(internal, async () => {
      const held = encodeRequest({
        method: 'POST',
        path: '/api/repos',
        headers: { ...metered.json, 'Content-Length': '100' },
      })
      const sockets = await Promise.all(Array.from({ length: IN_FLIGHT_MAX }, () => open(api, held)))
      await settlesAt(metered.node, keyOf('guts_http_requests_in_flight', { listener: 'api' })).toBe(IN_FLIGHT_MAX)
      await settlesAt(metered.node, 'guts_load_shedding').toBe(1)
      const refused = await metered.request({ path: '/api/repos' }, '/api/repos', 503)
      for (const socket of sockets) socket.destroy()
      const left = requestChange({ method: 'POST', route: '/api/repos', status: 499, bytesIn: 0, bytesOut: 0 })
      return sum(refused, rejection('overload'), ...sockets.map(() => left))
    })
    expect((await scrapeSeries(metered.node)).get('guts_load_shedding')).toBe(0)
  })

  it('operations that wait for a slot, and those that find the queue full', async () => {
    await using metered = await MeteredNode.start()
    const { api, internal } = metered.node.ports
    await metered.create('site')
    const data = blob('hello\n')
    const top = tree(['100644', 'hello', data.oid])
    const history = [commit(top.oid)]
    for (let i = 1; i < 1_500; i++) history.push(commit(top.oid, [history[i - 1]?.oid ?? ''], `${i}\n`))
    const incoming = pack([data, top, ...history].map((one) => whole(one)))
    await metered.post({
      repository: 'alice/site',
      service: 'git-receive-pack',
      body: pushBody([command('refs/heads/main', history.at(-1)?.oid ?? '')], incoming),
    })
    const inFlight = keyOf('guts_bulkhead_in_flight', { bulkhead: 'browse' })
    const queued = keyOf('guts_bulkhead_queued', { bulkhead: 'browse' })
    await expectChange(internal, async () => {
      // A history that ends far back: each look takes a while.
      const path = '/api/repos/alice/site/commits?page=14&per_page=100'
      let highest = { inFlight: 0, queued: 0 }
      const done = new AbortController()
      const watch = (async () => {
        while (!done.signal.aborted) {
          const series = await scrapeSeries(metered.node)
          highest = {
            inFlight: Math.max(highest.inFlight, series.get(inFlight) ?? 0),
            queued: Math.max(highest.queued, series.get(queued) ?? 0),
          }
        }
      })()
      const answers = await Promise.all(Array.from({ length: 400 }, () => ask(api, { path })))
      done.abort()
      await watch
      expect(highest.inFlight).toBeGreaterThan(0)
      expect(highest.queued).toBeGreaterThan(0)
      const refused = answers.filter(({ status }) => status === 503)
      const served = answers.filter(({ status }) => status === 200)
      expect(refused.length).toBeGreaterThan(0)
      expect(refused.length + served.length).toBe(answers.length)
      const route = '/api/repos/{owner}/{name}/commits'
      return sum(
        ...answers.map(({ status, body }) =>
          requestChange({ method: 'GET', route, status, bytesIn: 0, bytesOut: body.length }),
        ),
        ...refused.map(() => rejection('queue_full')),
        ...served.flatMap(() => [bulkheadWait('browse'), storageOperation('object_read')]),
        ...answers.map(() => storageOperation('refs_read')),
      )
    })
    const after = await scrapeSeries(metered.node)
    expect([after.get(inFlight), after.get(queued)]).toEqual([0, 0])
  })
})

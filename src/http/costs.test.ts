import { describe, expect, it, vi } from 'vitest'
import { rawClient, serve, TOKEN } from './testing.ts'
import { bearer, post, routes } from './testing-routes.ts'

describe('costs', () => {
  it('writes one access line with ids, subject and costs, and moves each metric by exactly one request', async () => {
    await using own = await serve(routes)
    const traceId = '0af7651916cd43dd8448eb211c80319c'
    const requestId = '0192f0c1-1111-7abc-8abc-0123456789ab'
    const response = await fetch(`${own.origin}/api/repos/alice/site`, {
      headers: { ...bearer, traceparent: `00-${traceId}-b7ad6b7169203331-01`, 'x-request-id': requestId },
    })
    const body = await response.text()
    await vi.waitFor(async () => {
      expect(await own.lines()).toEqual([
        {
          level: 'info',
          msg: 'Request',
          time: expect.any(String),
          duration_ms: expect.any(Number),
          request_id: requestId,
          trace_id: traceId,
          span_id: expect.stringMatching(/^[0-9a-f]{16}$/),
          user_id: 'u-alice',
          repository: 'alice/site',
          objects: 7,
          pack_bytes: 9,
          queue_ms: 0,
          method: 'GET',
          route: '/api/repos/{owner}/{name}',
          status: 200,
          bytes_in: 0,
          bytes_out: body.length,
        },
      ])
    })
    const labels = 'method="GET",path="/api/repos/{owner}/{name}"'
    expect(await own.value(`guts_http_requests_total{${labels},status="200"}`)).toBe(1)
    expect(await own.value(`guts_http_request_duration_seconds_count{${labels}}`)).toBe(1)
    expect(await own.value(`guts_http_response_size_bytes_sum{${labels}}`)).toBe(body.length)
    expect(await own.value('guts_http_requests_in_flight{listener="api"}')).toBe(0)
    await fetch(`${own.origin}/api/repos`, post('{"name":"site"}'))
    const posted = 'method="POST",path="/api/repos"'
    await vi.waitFor(async () => expect(await own.value(`guts_http_request_size_bytes_sum{${posted}}`)).toBe(15))
  })

  it('keeps 200 interleaved requests apart', async () => {
    await using own = await serve(routes)
    const sent = await Promise.all(
      Array.from({ length: 200 }, async (_, index) => {
        const headers = index % 2 === 0 ? bearer : {}
        const response = await fetch(`${own.origin}/api/repos/alice/site-${index}`, { headers })
        const body = (await response.json()) as { request_id: string }
        expect(body.request_id).toBe(response.headers.get('x-request-id'))
        return [body.request_id, `alice/site-${index}`, index % 2 === 0 ? 'u-alice' : undefined]
      }),
    )
    await vi.waitFor(async () => expect(await own.lines()).toHaveLength(200))
    const logged = (await own.lines()).map((line) => [line['request_id'], line['repository'], line['user_id']])
    expect(logged.toSorted()).toEqual(sent.toSorted())
  })

  it('lets no client create series', async () => {
    await using own = await serve(routes)
    const series = async (): Promise<string[]> =>
      (await own.metrics.registry.metrics()).split('\n').flatMap((line) => /^(guts_\S+?) /.exec(line)?.[1] ?? [])
    const ask = async (index: number): Promise<void> => {
      const method = ['GET', 'POST', 'DELETE', 'PATCH'][index % 4] ?? 'GET'
      await fetch(`${own.origin}/x/${index}`, {
        method,
        headers: { 'x-request-id': `${index}`, 'user-agent': `${index}` },
      })
      await fetch(`${own.origin}/api/repos/alice/site-${index}`)
      const client = rawClient(own.port)
      client.send(`BREW${index} / HTTP/1.1\r\nHost: x\r\n\r\n`)
      await client.closed
    }
    for (let index = 0; index < 4; index++) await ask(index)
    const before = await series()
    for (let index = 4; index < 60; index++) await ask(index)
    expect(await series()).toEqual(before)
  })

  it('keeps secrets planted everywhere a client can put them out of lines, metrics and error bodies', async () => {
    await using own = await serve(routes)
    const encoded = Buffer.from(`alice:${TOKEN}`).toString('base64')
    const bodies = await Promise.all(
      [
        fetch(`${own.origin}/${TOKEN}?token=${TOKEN}`),
        fetch(`${own.origin}/api/repos/${TOKEN}/${TOKEN}`),
        fetch(`${own.origin}/api/repos?${TOKEN}=1`),
        fetch(`${own.origin}/api/repos`, post(JSON.stringify({ [TOKEN]: TOKEN, name: TOKEN }))),
        fetch(`${own.origin}/api/repos`, post(`{"name": ${TOKEN}`)),
        fetch(`${own.origin}/api/repos`, post('{}', { 'content-type': TOKEN })),
        fetch(`${own.origin}/api/repos`, {
          headers: { 'x-request-id': TOKEN, 'user-agent': TOKEN, traceparent: TOKEN, referer: TOKEN },
        }),
        fetch(`${own.origin}/api/fail/crash`, { headers: { authorization: `Basic ${encoded}`, cookie: TOKEN } }),
        fetch(`${own.origin}/api/repos`, { headers: { authorization: `Basic ${TOKEN}${TOKEN}` } }),
      ].map(async (response) => (await response).text()),
    )
    await vi.waitFor(async () => {
      const requests = (await own.lines()).filter(({ msg }) => msg === 'Request')
      expect(requests).toHaveLength(bodies.length)
    })
    for (const text of [...bodies, await own.text(), await own.metrics.registry.metrics()]) {
      for (const leak of [TOKEN, TOKEN.slice(9), encoded]) expect(text).not.toContain(leak)
    }
  })
})

import { describe, expect, it } from 'vitest'
import * as z from 'zod'
import { LoadShedder } from '../resilience/load-shedding.ts'
import { errorBody } from '../validation/error-body.ts'
import { answer, routesFor } from './route.ts'
import { ADMIN_TOKEN, serve, TOKEN } from './testing.ts'

const { defineRoute, defineStreamRoute } = routesFor<undefined>()
const get = (path: string, access: 'open' | 'public') =>
  defineRoute({
    method: 'get',
    path,
    summary: path,
    access,
    answers: { 200: z.string() },
    handle: () => answer(200, 'ok'),
  })
const push = defineStreamRoute({
  method: 'post',
  path: '/git',
  summary: 'Heavy',
  access: 'public',
  handle: async ({ response }) => void response.end(),
})
const routes = [get('/api', 'public'), get('/health/live', 'open'), push]

const as = (token: string): RequestInit => ({ headers: { authorization: `Bearer ${token}` } })

async function statuses(url: string, count: number, init: RequestInit = {}): Promise<number[]> {
  const found: number[] = []
  for (let index = 0; index < count; index++) found.push((await fetch(url, init)).status)
  return found
}

describe('the rate limit', () => {
  it('admits n of a user and a tenth of an anonymous address, and refuses n + 1', async () => {
    await using server = await serve(routes, { guards: { rateLimitPerMinute: 20 } })
    const url = `${server.origin}/api`
    expect(await statuses(url, 3)).toEqual([200, 200, 429])
    // Each client has its own count, whatever the address.
    expect(await statuses(url, 21, as(TOKEN))).toEqual([...Array.from({ length: 20 }, () => 200), 429])
    expect(await statuses(url, 1, as(ADMIN_TOKEN))).toEqual([200])
    expect(await server.value('guts_rate_limit_refusals_total{client="anonymous"}')).toBe(1)
    expect(await server.value('guts_rate_limit_refusals_total{client="authenticated"}')).toBe(1)
    expect(await server.value('guts_http_rejections_total{reason="rate_limit"}')).toBe(2)
  })

  it('says when to come again, in the one body and the standard headers', async () => {
    await using server = await serve(routes, { guards: { rateLimitPerMinute: 10 } })
    const [first, second] = [await fetch(`${server.origin}/api`), await fetch(`${server.origin}/api`)]
    expect(first?.headers.get('ratelimit-policy')).toMatch(/^"anonymous"; q=1; w=60/)
    expect(first?.headers.get('ratelimit')).toMatch(/^"anonymous"; r=0; t=\d+$/)
    expect(second?.status).toBe(429)
    expect(errorBody.parse(await second?.json()).error).toBe('rate_limited')
    const waitS = Number(second?.headers.get('retry-after'))
    expect(waitS).toBeGreaterThanOrEqual(1)
    expect(waitS).toBeLessThanOrEqual(60)
    const git = await fetch(`${server.origin}/git`, { method: 'POST' })
    expect([git.status, await git.text()]).toEqual([429, 'Too many requests; try again later\n'])
  })

  it('counts wrong credentials and unknown addresses, and never health', async () => {
    await using server = await serve(routes, { guards: { rateLimitPerMinute: 20 } })
    expect(await statuses(`${server.origin}/api`, 1, as('guts_pat_wrong'))).toEqual([401])
    expect(await statuses(`${server.origin}/nowhere`, 1)).toEqual([404])
    expect(await statuses(`${server.origin}/api`, 1, as('guts_pat_guess'))).toEqual([429])
    expect(await statuses(`${server.origin}/health/live`, 5)).toEqual([200, 200, 200, 200, 200])
  })

  it.each([
    { name: 'is off at 0', rateLimitPerMinute: 0, trustedProxies: [], addresses: ['10.0.0.1'], last: 200 },
    {
      name: 'does not believe an address from anyone',
      rateLimitPerMinute: 10,
      trustedProxies: [],
      addresses: ['10.0.0.1', '10.0.0.2'],
      last: 429,
    },
    {
      name: 'believes one from a trusted proxy',
      rateLimitPerMinute: 10,
      trustedProxies: ['127.0.0.1'],
      addresses: ['10.0.0.1', '10.0.0.2'],
      last: 200,
    },
    {
      name: 'takes a network of IPv6 for one client',
      rateLimitPerMinute: 10,
      trustedProxies: ['127.0.0.1'],
      addresses: ['2001:db8::1', '2001:db8::2'],
      last: 429,
    },
  ])('$name', async ({ addresses, last, ...guards }) => {
    await using server = await serve(routes, { guards })
    let status = 0
    for (const address of addresses) {
      status = (await fetch(`${server.origin}/api`, { headers: { 'x-forwarded-for': address } })).status
    }
    expect(status).toBe(last)
  })
})

describe('load shedding', () => {
  it('refuses with the one body and Retry-After, and keeps health', async () => {
    const { createMetrics } = await import('../observability/metrics.ts')
    const metrics = createMetrics({ routePaths: [], version: '1', onCollectError: () => {} })
    const shedder = new LoadShedder(metrics, { inFlightMax: 1 })
    await using server = await serve(routes, { guards: { shedder } })
    const leave = shedder.enter('small')
    const refused = await fetch(`${server.origin}/api`)
    expect([refused.status, refused.headers.get('retry-after')]).toEqual([503, '1'])
    expect(errorBody.parse(await refused.json()).error).toBe('unavailable')
    expect(await statuses(`${server.origin}/health/live`, 1)).toEqual([200])
    leave()
    // Each answer gives its place back.
    expect(await statuses(`${server.origin}/api`, 3)).toEqual([200, 200, 200])
  })
})

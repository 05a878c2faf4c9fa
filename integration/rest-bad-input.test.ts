/** The REST API against bad input: always the one error body, the right status, and nothing stored (DESIGN §4.4, I4, I12). */
import { gzipSync } from 'node:zlib'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { Victim } from './bad-input/fixture.ts'
import { expectErrorBody } from './support/error-answer.ts'
import { ask, type RawAnswer, type RawRequest } from './support/raw-http.ts'

let victim: Victim
let bearer: Record<string, string>

beforeAll(async () => {
  victim = await Victim.start({ GUTS_MAX_JSON_SIZE_KB: '2' })
  bearer = { Authorization: `Bearer ${victim.host.token}` }
})
afterAll(() => victim[Symbol.asyncDispose]())

const send = (request: RawRequest): Promise<RawAnswer> =>
  ask(victim.node.ports.api, { ...request, headers: { ...bearer, ...request.headers } })
const JSON_TYPE = { 'Content-Type': 'application/json' }
const create = (body: string | Uint8Array, headers: Record<string, string> = JSON_TYPE): Promise<RawAnswer> =>
  send({ method: 'POST', path: '/api/repos', headers, body })

const GET_ONLY = [
  '/api/limits',
  '/api/user',
  '/api/users',
  '/api/repos/alice/site/branches',
  '/api/repos/alice/site/commits',
]

describe('an address or a method that is not there', () => {
  it.each([
    '/',
    '/api',
    '/api/',
    '/api/repos/',
    '/api/nothing',
    '/API/repos',
    '/api//repos',
    '/api/repos/alice',
    '/api/repos/alice/site/',
    '/git',
    '/git/alice',
    '/metrics',
    '/.env',
    '/api/repos/alice/site/hooks',
    '/constructor',
    '/__proto__',
  ])('%s: 404', async (path) => {
    for (const method of ['GET', 'POST', 'DELETE']) {
      const answer = await send({ method, path })
      expectErrorBody(answer, 404)
    }
  })

  it.each(GET_ONLY)('%s has no such method: 405, and Allow', async (path) => {
    for (const method of ['POST', 'PUT', 'PATCH', 'DELETE', 'PROPFIND']) {
      const answer = await send({ method, path })
      expectErrorBody(answer, 405)
      expect(answer.headers.get('allow')).toBe('GET, HEAD')
    }
  })

  it.each([
    { name: 'a path of 100,000 characters', path: `/api/repos/${'a'.repeat(100_000)}` },
    { name: 'a path over the limit', path: `/api/repos/alice/site/contents/${'a/'.repeat(2_100)}a` },
    { name: 'a query over the limit', path: `/api/repos?page=${'1'.repeat(5_000)}` },
    { name: 'percent signs that encode nothing', path: '/api/repos/%zz/site' },
    { name: 'bytes that are no UTF-8', path: '/api/repos/%ff%fe/site' },
  ])('$name: 400', async ({ path }) => {
    expectErrorBody(await send({ path }), 400)
  })
})

describe('a body that is none', () => {
  it.each([
    { name: 'nothing', body: '', status: 422 },
    { name: 'half of JSON', body: '{"name": "x', status: 400 },
    { name: 'JSON with a tail', body: '{"name":"fine"} x', status: 400 },
    { name: 'a byte order mark in the middle', body: '{"name":\u{feff}"fine"}', status: 400 },
    { name: 'a number', body: '7', status: 400 },
    { name: 'null', body: 'null', status: 400 },
    { name: 'a list', body: '[]', status: 422 },
    { name: 'very deep lists', body: '['.repeat(1_000) + ']'.repeat(1_000), status: 422 },
    { name: 'lists that never end', body: '['.repeat(2_000), status: 400 },
    { name: 'a field nobody knows', body: '{"name":"fine","owner_id":"1"}', status: 422 },
    { name: 'a prototype', body: '{"name":"fine","__proto__":{"private":true}}', status: 422 },
    { name: 'a constructor', body: '{"name":"fine","constructor":{"prototype":{}}}', status: 422 },
    { name: 'a private of text', body: '{"name":"fine","private":"true"}', status: 422 },
    {
      name: 'a description of 501 characters',
      body: JSON.stringify({ name: 'fine', description: 'd'.repeat(501) }),
      status: 422,
    },
    {
      name: 'one byte over the limit',
      body: JSON.stringify({ name: 'fine', description: '' }).padEnd(2_049),
      status: 413,
    },
    { name: 'two megabytes', body: JSON.stringify({ name: 'x'.repeat(2 ** 21) }), status: 413 },
  ])('$name: $status', async ({ body, status }) => {
    const error = expectErrorBody(await create(body), status)
    if (status === 413) expect(error.message).toMatch(/limit.*2048/)
    await victim.expectUnharmed()
  })

  it('of exactly the limit is taken', async () => {
    const body = JSON.stringify({ name: 'exactly' }).padEnd(2_048)
    expect((await create(body)).status).toBe(201)
    await victim.remember()
  })

  it.each([
    { name: 'no type', headers: {} },
    { name: 'text', headers: { 'Content-Type': 'text/plain' } },
    { name: 'a form', headers: { 'Content-Type': 'application/x-www-form-urlencoded' } },
    { name: 'almost JSON', headers: { 'Content-Type': 'application/jsonp' } },
    { name: 'an encoding nobody knows', headers: { ...JSON_TYPE, 'Content-Encoding': 'compress' } },
    { name: 'a character set nobody knows', headers: { 'Content-Type': 'application/json; charset=klingon' } },
  ])('$name: 415', async ({ headers }) => {
    expectErrorBody(await create('{"name":"fine"}', headers), 415)
    await victim.expectUnharmed()
  })

  it('a bomb in gzip: 413', async () => {
    const bomb = gzipSync(JSON.stringify({ name: 'x'.repeat(2 ** 24) }))
    expectErrorBody(await create(bomb.subarray(0, 2_000), { ...JSON_TYPE, 'Content-Encoding': 'gzip' }), 413)
    expectErrorBody(await create(bomb, { ...JSON_TYPE, 'Content-Encoding': 'gzip' }), 413)
    await victim.expectUnharmed()
  })

  it('gzip that is none: 400', async () => {
    expectErrorBody(await create('{"name":"fine"}', { ...JSON_TYPE, 'Content-Encoding': 'gzip' }), 400)
    await victim.expectUnharmed()
  })
})

describe('a query that is none', () => {
  it.each([
    'page=0',
    'page=-1',
    'page=1e2',
    'page=',
    'page=1&page=2',
    'per_page=101',
    'per_page=0x10',
    'page=9999999999999999',
    'order=up',
    'owner=..',
    '__proto__=x',
    'page[]=1',
  ])('%s: 422', async (query) => {
    expectErrorBody(await send({ path: `/api/repos?${query}` }), 422)
  })
})

describe('whoever has no right', () => {
  const changes = [
    { method: 'GET', body: undefined },
    { method: 'PATCH', body: '{"private":false}' },
    { method: 'DELETE', body: undefined },
  ]

  it.each(changes)('is told of a hidden repository what is told of none: $method', async ({ method, body }) => {
    const as = async (name: string, headers: Record<string, string>) => {
      const request = { method, path: `/api/repos/alice/${name}`, headers: { ...JSON_TYPE, ...headers } }
      const answer = await ask(victim.node.ports.api, body === undefined ? request : { ...request, body })
      const { request_id: _, ...rest } = JSON.parse(answer.body.toString()) as Record<string, unknown>
      expectErrorBody(answer, answer.status)
      return { status: answer.status, ...rest }
    }
    const stranger = { Authorization: `Bearer ${victim.strangersToken}` }
    expect(await as('hidden', stranger)).toEqual(await as('nothing', stranger))
    expect(await as('hidden', {})).toEqual(await as('nothing', {}))
    expect((await as('hidden', stranger)).status).toBe(404)
    await victim.expectUnharmed()
  })

  it('makes no repository in the name of another, and changes none that it may read', async () => {
    const headers = { ...JSON_TYPE, Authorization: `Bearer ${victim.strangersToken}` }
    const made = await create('{"name":"mine","owner":"alice"}', headers)
    expect([403, 404, 422]).toContain(made.status)
    expectErrorBody(made, made.status)
    for (const method of ['PATCH', 'DELETE']) {
      const answer = await send({ method, path: '/api/repos/alice/site', headers, body: '{}' })
      expect([403, 404]).toContain(answer.status)
      expectErrorBody(answer, answer.status)
    }
    await victim.expectUnharmed()
  })
})

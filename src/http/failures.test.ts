import { gzipSync } from 'node:zlib'
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest'
import { errorBody } from '../validation/error-body.ts'
import { serve, TOKEN, type TestServer } from './testing.ts'
import { basic, bearer, json, post, routes } from './testing-routes.ts'

let server: TestServer
beforeAll(async () => {
  server = await serve(routes, { app: { requestTimeoutMs: 1_000 }, guards: { corsOrigins: ['https://app.example'] } })
})
afterAll(() => server[Symbol.asyncDispose]())

interface Failure {
  name: string
  path: string
  init?: RequestInit
  status: number
  error: string
  headers?: Record<string, string>
  fields?: string[]
}

const failures: Failure[] = [
  { name: 'an unknown route', path: '/nowhere', status: 404, error: 'not_found' },
  { name: 'a trailing slash', path: '/api/repos/', status: 404, error: 'not_found' },
  { name: 'other case', path: '/API/repos', status: 404, error: 'not_found' },
  {
    name: 'a wrong method',
    path: '/api/repos',
    init: { method: 'PUT' },
    status: 405,
    error: 'method_not_allowed',
    headers: { allow: 'POST, GET, HEAD, DELETE' },
  },
  { name: 'OPTIONS', path: '/api/repos', init: { method: 'OPTIONS' }, status: 405, error: 'method_not_allowed' },
  { name: 'bad JSON', path: '/api/repos', init: post('{'), status: 400, error: 'bad_request' },
  { name: 'JSON that is no object', path: '/api/repos', init: post('7'), status: 400, error: 'bad_request' },
  {
    name: 'another type',
    path: '/api/repos',
    init: post('{}', { 'content-type': 'text/plain' }),
    status: 415,
    error: 'unsupported_media_type',
  },
  {
    name: 'a type that only begins alike',
    path: '/api/repos',
    init: post('{}', { 'content-type': 'application/jsonx' }),
    status: 415,
    error: 'unsupported_media_type',
  },
  {
    name: 'another character set',
    path: '/api/repos',
    init: post('{}', { 'content-type': 'application/json; charset=latin9' }),
    status: 415,
    error: 'unsupported_media_type',
  },
  {
    name: 'another encoding',
    path: '/api/repos',
    init: post('{}', { ...json, 'content-encoding': 'zip' }),
    status: 415,
    error: 'unsupported_media_type',
  },
  {
    name: 'a body over the limit',
    path: '/api/repos',
    init: post(`"${'x'.repeat(2 ** 20)}"`),
    status: 413,
    error: 'payload_too_large',
  },
  {
    name: 'a small body that inflates over the limit',
    path: '/api/repos',
    init: post(new Uint8Array(gzipSync(`"${'x'.repeat(2 ** 21)}"`)), { ...json, 'content-encoding': 'gzip' }),
    status: 413,
    error: 'payload_too_large',
  },
  {
    name: 'no body',
    path: '/api/repos',
    init: { method: 'POST', headers: bearer },
    status: 422,
    error: 'validation_error',
    fields: ['body required'],
  },
  {
    name: 'wrong fields',
    path: '/api/repos',
    init: post('{"name":"My Site","private":1,"x":2}'),
    status: 422,
    error: 'validation_error',
    fields: ['name invalid_format', 'private invalid_type', 'x unknown_field'],
  },
  {
    name: 'a key that is no field',
    path: '/api/repos',
    init: post('{"name":"site","__proto__":{"admin":true}}'),
    status: 422,
    error: 'validation_error',
    fields: ['__proto__ unknown_field'],
  },
  {
    name: 'a bad name in the path',
    path: '/api/repos/alice/..%2f..',
    status: 422,
    error: 'validation_error',
    fields: ['name invalid_format'],
  },
  {
    name: 'a zero byte in the path',
    path: '/api/repos/alice/si%00te',
    status: 422,
    error: 'validation_error',
    fields: ['name invalid_format'],
  },
  { name: 'a bad escape in the path', path: '/api/repos/alice/%zz', status: 400, error: 'bad_request' },
  {
    name: 'an unknown query',
    path: '/api/repos?sort=x',
    status: 422,
    error: 'validation_error',
    fields: ['sort unknown_field'],
  },
  {
    name: 'a query given twice',
    path: '/api/repos?page=1&page=2',
    status: 422,
    error: 'validation_error',
    fields: ['page invalid_type'],
  },
  {
    name: 'a page over the limit',
    path: '/api/repos?per_page=101',
    status: 422,
    error: 'validation_error',
    fields: ['per_page too_large'],
  },
  { name: 'an over-long path', path: `/${'x'.repeat(4_096)}`, status: 400, error: 'bad_request' },
  {
    name: 'no credentials',
    path: '/api/repos',
    init: { method: 'POST' },
    status: 401,
    error: 'unauthorized',
    headers: { 'www-authenticate': 'Bearer realm="guts"' },
  },
  {
    name: 'a wrong token, even where none is needed',
    path: '/api/repos',
    init: { headers: { authorization: 'Bearer guts_pat_wrong' } },
    status: 401,
    error: 'unauthorized',
  },
  {
    name: 'a token under a wrong name',
    path: '/api/repos',
    init: { headers: { authorization: basic('bob', TOKEN) } },
    status: 401,
    error: 'unauthorized',
  },
  {
    name: 'a scheme we do not know',
    path: '/api/repos',
    init: { headers: { authorization: 'Digest x' } },
    status: 401,
    error: 'unauthorized',
  },
  {
    name: 'a user where an administrator is asked',
    path: '/api/repos',
    init: { method: 'DELETE', headers: bearer },
    status: 403,
    error: 'forbidden',
  },
  { name: 'a crash', path: '/api/fail/crash', status: 500, error: 'internal_error' },
  { name: 'an answer nobody declared', path: '/api/fail/undeclared', status: 500, error: 'internal_error' },
  { name: 'a refusal', path: '/api/fail/refuse', status: 503, error: 'unavailable', headers: { 'retry-after': '7' } },
  { name: 'a handler that hangs', path: '/api/fail/hang', status: 504, error: 'timeout' },
]

describe('failures', () => {
  it.each(failures)('$name: $status $error', async ({ path, init, status, error, headers = {}, fields }) => {
    const response = await fetch(server.origin + path, init)
    const text = await response.text()
    expect([response.status, text]).toEqual([status, expect.any(String)])
    const body = errorBody.parse(JSON.parse(text))
    expect(body.error).toBe(error)
    expect(body.request_id).toBe(response.headers.get('x-request-id'))
    expect(body.details?.map((problem) => `${problem.field} ${problem.code}`)).toEqual(fields)
    for (const [name, value] of Object.entries(headers)) expect(response.headers.get(name)).toBe(value)
    for (const leak of ['/var/lib', 'guts_pat_A', 'stack']) expect(text).not.toContain(leak)
  })

  it('logs the reason of a crash, without its secrets', async () => {
    await vi.waitFor(async () => {
      const line = (await server.lines()).find(({ msg }) => msg === 'A request failed')
      expect(JSON.stringify(line)).toContain('secret path /var/lib/guts')
    })
    expect(await server.text()).not.toContain(TOKEN)
  })
})

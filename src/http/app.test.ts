import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest'
import { ADMIN_TOKEN, rawClient, serve, TOKEN, type TestServer } from './testing.ts'
import { basic, bearer, json, routes } from './testing-routes.ts'

let server: TestServer
beforeAll(async () => {
  server = await serve(routes, { app: { requestTimeoutMs: 1_000 }, guards: { corsOrigins: ['https://app.example'] } })
})
afterAll(() => server[Symbol.asyncDispose]())

describe('answers', () => {
  it('gives what the schema declares and no more', async () => {
    const response = await fetch(`${server.origin}/api/repos/alice/site`, {
      headers: { authorization: basic('alice', TOKEN) },
    })
    expect(await response.json()).toEqual({
      owner: 'alice',
      name: 'site',
      caller: 'alice',
      request_id: expect.any(String),
    })
    expect(response.headers.get('content-security-policy')).toBe("default-src 'none';frame-ancestors 'none'")
    expect(response.headers.get('x-content-type-options')).toBe('nosniff')
    expect(response.headers.get('x-powered-by')).toBeNull()
  })

  it.each([
    { name: 'Bearer', authorization: `Bearer ${TOKEN}` },
    { name: 'Basic with its name', authorization: basic('alice', TOKEN) },
    { name: 'Basic without a name', authorization: basic('', TOKEN) },
  ])('takes a token as $name', async ({ authorization }) => {
    const init = { method: 'POST', body: '{"name":"site"}', headers: { ...json, authorization } }
    const response = await fetch(`${server.origin}/api/repos`, init)
    expect([response.status, await response.json()]).toEqual([201, { name: 'site', private: false, by: 'alice' }])
    expect(response.headers.get('location')).toBe('/api/repos/site')
  })

  it('answers an administrator, without a body', async () => {
    const response = await fetch(`${server.origin}/api/repos`, {
      method: 'DELETE',
      headers: { authorization: basic('root', ADMIN_TOKEN) },
    })
    expect([response.status, await response.text()]).toEqual([204, ''])
  })

  it('links pages', async () => {
    const response = await fetch(`${server.origin}/api/repos?page=2`)
    expect(await response.json()).toEqual([2, 30])
    expect(response.headers.get('link')).toContain(`<${server.origin}/api/repos?page=3&per_page=30>; rel="next"`)
  })

  it('answers HEAD like GET, without the body', async () => {
    const [get, head] = await Promise.all(
      ['GET', 'HEAD'].map((method) => fetch(`${server.origin}/api/repos`, { method })),
    )
    expect(await head?.text()).toBe('')
    expect(head?.headers.get('content-length')).toBe(get?.headers.get('content-length'))
    await vi.waitFor(async () => {
      const line = (await server.lines()).find(({ method }) => method === 'HEAD')
      expect(line).toMatchObject({ route: '/api/repos', status: 200, bytes_out: 0 })
    })
  })

  it('takes the rest of a path with its slashes', async () => {
    const response = await fetch(`${server.origin}/api/contents/src/deep%20er/main.ts`)
    expect(await response.json()).toEqual({ path: 'src/deep er/main.ts' })
  })

  it.each([
    { name: 'its UUID', given: '0192F0C1-1111-7abc-8abc-0123456789ab', kept: true },
    { name: 'no UUID', given: 'x', kept: false },
    { name: 'a token', given: TOKEN, kept: false },
  ])('echoes the request id of a client that sent $name: $kept', async ({ given, kept }) => {
    const response = await fetch(`${server.origin}/api/repos`, { headers: { 'x-request-id': given } })
    const echoed = response.headers.get('x-request-id')
    expect(echoed === given).toBe(kept)
    expect(echoed).toMatch(/^[0-9a-f-]{36}$/i)
  })

  it('lets pages of configured origins in, and no others', async () => {
    const preflight = {
      method: 'OPTIONS',
      headers: { origin: 'https://app.example', 'access-control-request-method': 'POST' },
    }
    const allowed = await fetch(`${server.origin}/api/repos`, preflight)
    expect([allowed.status, allowed.headers.get('access-control-allow-origin')]).toEqual([204, 'https://app.example'])
    const other = await fetch(`${server.origin}/api/repos`, { headers: { origin: 'https://evil.example' } })
    expect([other.headers.get('access-control-allow-origin'), other.headers.get('vary')]).toEqual([null, 'Origin'])
  })
})

describe('git routes', () => {
  const url = (name: string): string => `${server.origin}/git/alice/${name}/git-upload-pack`
  const sentence = async (response: Response): Promise<unknown[]> => [
    response.status,
    response.headers.get('content-type'),
    await response.text(),
  ]
  const text = 'text/plain; charset=utf-8'

  it('streams, after credentials', async () => {
    const response = await fetch(url('site'), { method: 'POST', body: 'x'.repeat(70_000), headers: bearer })
    expect([response.status, await response.text()]).toEqual([200, '70000 done'])
  })

  it('answers failures before the headers with one sentence', async () => {
    const anonymous = await fetch(url('site'), { method: 'POST' })
    expect(anonymous.headers.get('www-authenticate')).toBe('Basic realm="guts"')
    expect(await sentence(anonymous)).toEqual([401, text, 'This needs credentials\n'])
    expect(await sentence(await fetch(url('site')))).toEqual([405, text, 'Allowed here: POST\n'])
    expect(await sentence(await fetch(url('si..te'), { method: 'POST', headers: bearer }))).toEqual([
      422,
      text,
      'Validation failed\n',
    ])
    const large = { method: 'POST', body: 'x'.repeat(2 ** 20 + 1), headers: bearer }
    expect(await sentence(await fetch(url('site'), large))).toEqual([
      413,
      text,
      'The request is over the limit (max_request_size) of 1048576 bytes\n',
    ])
  })

  it('cuts off an answer that fails after its headers, and does not call it a success', async () => {
    const read = fetch(url('broken'), { method: 'POST', body: 'x', headers: bearer }).then((response) =>
      response.text(),
    )
    await expect(read).rejects.toThrow()
    await vi.waitFor(async () => {
      const line = (await server.lines()).find(
        ({ route, status }) => status === 500 && String(route).startsWith('/git'),
      )
      expect(line).toMatchObject({ level: 'error', err: { message: 'the pack is broken' } })
    })
  })

  it('asks for a body only after credentials and limits', async () => {
    const head = (extra: string): string =>
      'POST /git/alice/site/git-upload-pack HTTP/1.1\r\nHost: x\r\n' +
      `Expect: 100-continue\r\nContent-Length: 3\r\n${extra}\r\n`
    const refused = rawClient(server.port)
    refused.send(head('Authorization: Bearer wrong\r\n'))
    await refused.closed
    expect(refused.received()).toMatch(/^HTTP\/1.1 401 /)
    expect(refused.received()).toMatch(/connection: close/i)
    const admitted = rawClient(server.port)
    admitted.send(head(`Authorization: Bearer ${TOKEN}\r\n`))
    await vi.waitFor(() => expect(admitted.received()).toBe('HTTP/1.1 100 Continue\r\n\r\n'))
    admitted.send('abc')
    await vi.waitFor(() => expect(admitted.received()).toContain('3 '))
    admitted.socket.destroy()
  })
})

import { afterAll, beforeAll, describe, expect, it } from 'vitest'

import { type RestServer, serveRest } from './testing-rest.ts'

let rest: RestServer
beforeAll(async () => {
  rest = await serveRest()
})
afterAll(() => rest[Symbol.asyncDispose]())

const ISO = /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$/
const user = (username: string) => ({
  id: expect.any(String),
  username,
  created_at: expect.stringMatching(ISO),
})

describe('users', () => {
  it('know who they are', async () => {
    expect((await rest.ask('/api/user', rest.alice)).body).toEqual({ ...user('alice'), admin: false })
    expect((await rest.ask('/api/user', rest.root)).body).toEqual({ ...user('root'), admin: true })
  })

  it('are listed in pages and found by name, for users', async () => {
    const { body, headers } = await rest.ask('/api/users?per_page=2', rest.bob)
    expect(body).toEqual([user('alice'), user('bob')])
    expect(headers.get('link')).toContain('page=2>; rel="next"')
    expect((await rest.ask('/api/users/root', rest.bob)).body).toEqual(user('root'))
    expect((await rest.ask('/api/users/nobody', rest.bob)).status).toBe(404)
    expect((await rest.ask('/api/users/No..body', rest.bob)).status).toBe(422)
  })

  it('are nobody else’s business', async () => {
    for (const path of ['/api/user', '/api/users', '/api/users/alice', '/api/users/nobody', '/api/user/tokens']) {
      expect([path, (await rest.ask(path)).status]).toEqual([path, 401])
    }
    const { body } = await rest.ask('/api/user', { ...rest.alice, token: `${rest.alice.token.slice(0, -1)}!` })
    expect(body).toMatchObject({ error: 'unauthorized' })
  })
})

describe('tokens', () => {
  const create = (body: unknown) => rest.ask('/api/user/tokens', rest.alice, { method: 'POST', body })

  it('are shown once, work, are listed without themselves, and can be revoked', async () => {
    const made = await create({ name: 'laptop', expires_in_s: 3_600 })
    expect([made.status, made.headers.get('cache-control')]).toEqual([201, 'no-store'])
    const { token, id, ...shown } = made.body as { token: string; id: string }
    expect(shown).toEqual({
      name: 'laptop',
      created_at: expect.stringMatching(ISO),
      expires_at: expect.stringMatching(ISO),
    })
    const person = { ...rest.alice, token }
    expect((await rest.ask('/api/user', person)).status).toBe(200)
    const list = await rest.ask('/api/user/tokens', person)
    expect(list.body).toMatchObject([
      { name: 'test', expires_at: null },
      { id, name: 'laptop' },
    ])
    expect(JSON.stringify(list.body)).not.toContain('guts_pat_')
    const revoke = (as: typeof person) => rest.ask(`/api/user/tokens/${id}`, as, { method: 'DELETE' })
    expect((await revoke(rest.bob)).status).toBe(404)
    expect((await rest.ask('/api/user', person)).status).toBe(200)
    expect((await revoke(rest.alice)).status).toBe(204)
    expect((await rest.ask('/api/user', person)).status).toBe(401)
    expect((await revoke(rest.alice)).status).toBe(404)
    expect(await rest.server.text()).not.toContain(token)
  })

  it('take the name of the user, or none, with Basic', async () => {
    const ask = async (name: string): Promise<number> => {
      const authorization = `Basic ${Buffer.from(`${name}:${rest.alice.token}`).toString('base64')}`
      return (await fetch(`${rest.server.origin}/api/user`, { headers: { authorization } })).status
    }
    expect([await ask('alice'), await ask(''), await ask('bob')]).toEqual([200, 200, 401])
  })

  it.each([
    { body: {}, field: 'name' },
    { body: { name: '' }, field: 'name' },
    { body: { name: 'x'.repeat(101) }, field: 'name' },
    { body: { name: 'x', expires_in_s: 0 }, field: 'expires_in_s' },
    { body: { name: 'x', expires_in_s: 315_360_001 }, field: 'expires_in_s' },
    { body: { name: 'x', user: 'bob' }, field: 'user' },
  ])('are not made from $body', async ({ body, field }) => {
    expect((await create(body)).body).toMatchObject({ error: 'validation_error', details: [{ field }] })
    expect((await create({ name: 'x'.repeat(100), expires_in_s: 315_360_000 })).status).toBe(201)
    expect((await rest.ask('/api/user/tokens/not-an-id', rest.alice, { method: 'DELETE' })).status).toBe(422)
  })
})

it('tells its limits to anyone, as they are configured', async () => {
  const { status, body } = await rest.ask('/api/limits')
  expect(status).toBe(200)
  const limits = new Map((body as { name: string; value: number; unit: string | null }[]).map((one) => [one.name, one]))
  expect(limits.get('max_request_size_mb')).toMatchObject({ value: 100, unit: 'MB' })
  expect(limits.get('max_json_size_kb')).toMatchObject({ value: 256, unit: 'KB' })
  expect(limits.get('max_delta_depth')).toMatchObject({ value: 4095, unit: null })
  expect(limits.get('rate_limit')).toMatchObject({ value: 6000, unit: 'per minute' })
  expect(limits.get('file_bytes')).toMatchObject({ value: 2 ** 20, unit: 'bytes' })
  for (const name of ['private_key', 'api_addr', 'data_dir', 'log_level', 'p2p_min_peers']) {
    expect(limits.has(name)).toBe(false)
  }
})

it('describes itself', async () => {
  const response = await fetch(`${rest.server.origin}/openapi.json`)
  const document = (await response.json()) as { paths: Record<string, Record<string, { security: unknown }>> }
  expect(Object.keys(document.paths).sort()).toEqual([
    '/api/limits',
    '/api/repos',
    '/api/repos/{owner}/{name}',
    '/api/repos/{owner}/{name}/branches',
    '/api/repos/{owner}/{name}/commits',
    '/api/repos/{owner}/{name}/contents',
    '/api/repos/{owner}/{name}/contents/{path}',
    '/api/user',
    '/api/user/tokens',
    '/api/user/tokens/{id}',
    '/api/users',
    '/api/users/{username}',
    '/docs',
    '/docs/page.js',
    '/docs/swagger-ui-bundle.js',
    '/docs/swagger-ui.css',
    '/openapi.json',
  ])
  expect(document.paths['/api/repos']?.['post']?.security).toEqual([{ bearer: [] }, { basic: [] }])
})

import { existsSync, readdirSync } from 'node:fs'
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest'

import { git } from '../../collaboration/testing.ts'
import { RequestError } from '../../errors.ts'
import { rawClient } from '../testing.ts'
import { type RestServer, serveRest } from './testing-rest.ts'

let rest: RestServer
beforeAll(async () => {
  rest = await serveRest()
})
afterAll(() => rest[Symbol.asyncDispose]())
beforeEach(() => {
  rest.gate.closedBy = undefined
})

const ISO = /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$/
const text = (length: number): string => 'a'.repeat(length)
const create = (body: unknown, as = rest.alice) => rest.ask('/api/repos', as, { method: 'POST', body })
const stored = (): unknown =>
  rest.people.database.reader
    .prepare('SELECT o.name AS owner, r.name FROM repositories r JOIN owners o ON o.id = r.owner_id ORDER BY 1, 2')
    .all()
    .map((row) => `${String(row['owner'])}/${String(row['name'])}`)
let serial = 0
async function made(options: object = {}): Promise<string> {
  const name = `made-${++serial}`
  expect((await create({ name, ...options })).status).toBe(201)
  return name
}

describe('POST /api/repos', () => {
  it('answers with the repository, where it is and where it is cloned from', async () => {
    const { status, headers, body } = await create({ name: 'site', description: 'Hä?', private: true })
    expect(status).toBe(201)
    expect(headers.get('location')).toBe('/api/repos/alice/site')
    expect(body).toEqual({
      id: expect.stringMatching(/^[0-9a-f-]{36}$/),
      name: 'site',
      owner: 'alice',
      full_name: 'alice/site',
      description: 'Hä?',
      private: true,
      default_branch: 'main',
      empty: true,
      clone_url: `${rest.server.origin}/git/alice/site`,
      mirror_of: null,
      created_at: expect.stringMatching(ISO),
      updated_at: expect.stringMatching(ISO),
      pushed_at: null,
    })
    expect((await rest.ask('/api/repos/alice/site', rest.alice)).body).toEqual(body)
    git(rest.people.files.path({ owner: 'alice', name: 'site' }), 'fsck', '--strict')
  })

  it('takes owner, description and private as they are by default', async () => {
    const name = await made({ owner: 'alice' })
    const { body } = await rest.ask(`/api/repos/alice/${name}`)
    expect(body).toMatchObject({ description: '', private: false })
    expect((await create({ name, owner: 'bob' }, rest.root)).body).toMatchObject({ full_name: `bob/${name}` })
  })

  it.each([
    { name: 'a name and a description at their limits', body: { name: text(100), description: text(500) } },
    { name: 'a name of two characters', body: { name: 'a1' } },
    { name: 'a name with hyphens', body: { name: '0-a--b-9' } },
  ])('takes $name', async ({ body }) => {
    expect((await create(body)).status).toBe(201)
  })

  it.each([
    { body: {}, field: 'name', code: 'required' },
    { body: undefined, field: 'body', code: 'required' },
    { body: { name: '' }, field: 'name', code: 'too_short' },
    { body: { name: 'a' }, field: 'name', code: 'invalid_format' },
    { body: { name: text(101) }, field: 'name', code: 'too_long' },
    { body: { name: 'A-b' }, field: 'name', code: 'invalid_format' },
    { body: { name: '-ab' }, field: 'name', code: 'invalid_format' },
    { body: { name: 'ab-' }, field: 'name', code: 'invalid_format' },
    { body: { name: '../../etc' }, field: 'name', code: 'invalid_format' },
    { body: { name: '..' }, field: 'name', code: 'invalid_format' },
    { body: { name: 'ab.git' }, field: 'name', code: 'invalid_format' },
    { body: { name: 'ab\0' }, field: 'name', code: 'invalid_format' },
    { body: { name: 7 }, field: 'name', code: 'invalid_type' },
    { body: { name: 'ok', owner: '../bob' }, field: 'owner', code: 'invalid_format' },
    { body: { name: 'ok', description: text(501) }, field: 'description', code: 'too_long' },
    { body: { name: 'ok', private: 'yes' }, field: 'private', code: 'invalid_type' },
    { body: { name: 'ok', admin: true }, field: 'admin', code: 'unknown_field' },
  ])('refuses $body by $field, and stores nothing', async ({ body, field, code }) => {
    const before = [stored(), readdirSync(rest.people.paths.repositories, { recursive: true }).length]
    const answered = await create(body)
    expect(answered.status).toBe(422)
    expect(answered.body).toEqual({
      error: 'validation_error',
      message: 'Validation failed',
      details: expect.arrayContaining([{ field, code, message: expect.any(String) }]),
      request_id: answered.headers.get('x-request-id'),
    })
    expect([stored(), readdirSync(rest.people.paths.repositories, { recursive: true }).length]).toEqual(before)
  })

  it('says exactly what is wrong with a name', async () => {
    const { headers, body } = await create({ name: 'My Site' })
    const message = 'Name must contain only lowercase letters, numbers, and hyphens'
    expect(body).toEqual({
      error: 'validation_error',
      message: 'Validation failed',
      details: [{ field: 'name', code: 'invalid_format', message }],
      request_id: headers.get('x-request-id'),
    })
  })

  it('gives a name to one of many who ask at the same time', async () => {
    const answers = await Promise.all(Array.from({ length: 10 }, () => create({ name: 'contested' })))
    const statuses = answers.map(({ status }) => status).sort()
    expect(statuses).toEqual([201, ...Array.from({ length: 9 }, () => 409)])
    const loser = answers.find(({ status }) => status === 409)
    expect(loser?.body).toMatchObject({ error: 'conflict', message: 'The name alice/contested is taken' })
    git(rest.people.files.path({ owner: 'alice', name: 'contested' }), 'fsck', '--strict')
  })

  it('is for known callers, below their own name', async () => {
    const anonymous = await rest.ask('/api/repos', undefined, { method: 'POST', body: { name: 'nobodys' } })
    expect([anonymous.status, anonymous.headers.get('www-authenticate')]).toEqual([401, 'Bearer realm="guts"'])
    const refused = [await create({ name: 'xx', owner: 'bob' }), await create({ name: 'xx', owner: 'nobody' })]
    for (const { status, body } of refused) expect([status, body]).toMatchObject([403, { error: 'forbidden' }])
    expect(refused.map(({ body }) => (body as { message: string }).message)).toEqual(
      Array.from({ length: 2 }, () => 'You may not create repositories for this owner'),
    )
    expect((await create({ name: 'xx', owner: 'nobody' }, rest.root)).status).toBe(404)
  })
})

describe('reading', () => {
  it('answers alike for what is hidden and what is missing, to whoever asks', async () => {
    const hidden = await made({ private: true })
    const init = [{ method: 'GET' }, { method: 'PATCH', body: { description: 'mine' } }, { method: 'DELETE' }]
    for (const suffix of ['', '/branches', '/commits', '/contents', '/contents/a']) {
      for (const request of suffix === '' ? init : init.slice(0, 1)) {
        const both = []
        for (const name of [hidden, 'not-there']) {
          const { status, body, headers } = await rest.ask(`/api/repos/alice/${name}${suffix}`, rest.bob, request)
          const { request_id: _, ...rest_ } = body as { request_id: string }
          both.push([status, rest_, [...headers.keys()]])
        }
        expect(both[0]).toEqual(both[1])
        expect(both[0]?.[0]).toBe(404)
      }
    }
    expect((await rest.ask(`/api/repos/alice/${hidden}`)).status).toBe(404)
    expect((await rest.ask(`/api/repos/alice/${hidden}`, rest.alice)).status).toBe(200)
    expect((await rest.ask(`/api/repos/alice/${hidden}`, rest.root)).status).toBe(200)
  })

  it.each([
    '..%2fbob/site',
    'alice/%2e%2e',
    'alice/..%2f..%2fguts.db',
    'alice/a%00b',
    `alice/${text(101)}`,
    'Alice/site',
  ])('takes no name such as %s', async (path) => {
    const client = rawClient(rest.server.port)
    client.send(`GET /api/repos/${path} HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n`)
    await client.closed
    expect(client.received()).toMatch(/^HTTP\/1\.1 (422|404) /)
    expect(client.received()).toMatch(/"error":"(validation_error|not_found)"/)
  })

  it('lists in pages with links, only what the caller may read', async () => {
    for (let i = 0; i < 5; i++) await create({ name: `page-${i}`, private: i % 2 === 1 }, rest.bob)
    const seen = async (query: string, as?: typeof rest.bob) => {
      const { body, headers } = await rest.ask(`/api/repos?${query}`, as)
      return [(body as { name: string }[]).map(({ name }) => name), headers.get('link')]
    }
    const link = (rel: string, page: number): string =>
      `<${rest.server.origin}/api/repos?owner=bob&per_page=2&page=${page}>; rel="${rel}"`
    const query = 'owner=bob&per_page=2'
    const mine = (await rest.ask('/api/repos?owner=bob&per_page=100', rest.bob)).body as { name: string }[]
    const last = Math.ceil(mine.length / 2)
    expect(await seen(`${query}&page=2`, rest.bob)).toEqual([
      mine.slice(2, 4).map(({ name }) => name),
      [link('first', 1), link('prev', 1), ...(last > 2 ? [link('next', 3), link('last', last)] : [])].join(', '),
    ])
    const [anonymous] = await seen('owner=bob&per_page=100')
    expect(anonymous).toEqual(expect.arrayContaining(['page-0', 'page-2', 'page-4']))
    expect(anonymous).not.toContain('page-1')
    expect(await seen('owner=nobody')).toEqual([[], null])
    for (const wrong of ['per_page=101', 'page=0', 'owner=..', 'sort=name']) {
      expect((await rest.ask(`/api/repos?${wrong}`)).status).toBe(422)
    }
  })

  it('names the public address where one is configured', async () => {
    await using other = await serveRest('https://git.example.org/guts')
    await other.ask('/api/repos', other.alice, { method: 'POST', body: { name: 'site' } })
    const { body } = await other.ask('/api/repos/alice/site')
    expect(body).toMatchObject({ clone_url: 'https://git.example.org/guts/git/alice/site' })
  })
})

describe('changing and deleting', () => {
  it('changes only what is named', async () => {
    const name = await made({ description: 'before' })
    const patch = (body: unknown, as = rest.alice) =>
      rest.ask(`/api/repos/alice/${name}`, as, { method: 'PATCH', body })
    expect(await patch({ private: true })).toMatchObject({
      status: 200,
      body: { private: true, description: 'before' },
    })
    const { body } = await patch({ description: '', default_branch: 'trunk' }, rest.root)
    expect(body).toMatchObject({ private: true, description: '', default_branch: 'trunk' })
    const path = rest.people.files.path({ owner: 'alice', name })
    expect(git(path, 'symbolic-ref', 'HEAD')).toBe('refs/heads/trunk\n')
    for (const wrong of [
      { default_branch: '-x' },
      { default_branch: 'a..b' },
      { default_branch: 'HEAD' },
      { default_branch: '' },
      { default_branch: `a/${text(251)}` },
      { default_branch: 'a\u{d800}' },
      { description: text(501) },
      { name: 'other' },
    ]) {
      expect((await patch(wrong)).status).toBe(422)
    }
  })

  it('is not for others', async () => {
    const name = await made()
    const path = `/api/repos/alice/${name}`
    expect((await rest.ask(path, rest.bob, { method: 'PATCH', body: { private: true } })).status).toBe(403)
    expect((await rest.ask(path, rest.bob, { method: 'DELETE' })).status).toBe(403)
    expect((await rest.ask(path, undefined, { method: 'DELETE' })).status).toBe(401)
    expect((await rest.ask(path)).body).toMatchObject({ private: false })
  })

  it('deletes row and folder, and gives the name back', async () => {
    const name = await made()
    const path = rest.people.files.path({ owner: 'alice', name })
    const answers = await Promise.all(
      Array.from({ length: 3 }, () => rest.ask(`/api/repos/alice/${name}`, rest.alice, { method: 'DELETE' })),
    )
    expect(answers.map(({ status }) => status).sort()).toEqual([204, 404, 404])
    expect(answers.find(({ status }) => status === 204)?.body).toBeUndefined()
    expect(existsSync(path)).toBe(false)
    expect((await rest.ask(`/api/repos/alice/${name}`, rest.alice)).status).toBe(404)
    expect((await create({ name })).status).toBe(201)
  })

  it('waits while the gate is closed, and says for how long', async () => {
    const name = await made()
    rest.gate.closedBy = new RequestError({ code: 'unavailable', retryAfterS: 7 }, 'Maintenance')
    const path = `/api/repos/alice/${name}`
    const before = stored()
    for (const answered of [
      await create({ name: 'later' }),
      await rest.ask(path, rest.alice, { method: 'PATCH', body: { private: true } }),
      await rest.ask(path, rest.alice, { method: 'DELETE' }),
      await rest.ask('/api/user/tokens', rest.alice, { method: 'POST', body: { name: 'later' } }),
      await rest.ask(`/api/user/tokens/${rest.alice.tokenId}`, rest.alice, { method: 'DELETE' }),
    ]) {
      expect([answered.status, answered.headers.get('retry-after')]).toEqual([503, '7'])
      expect(answered.body).toMatchObject({ error: 'unavailable', message: 'Maintenance' })
    }
    expect((await rest.ask(path, rest.alice)).body).toMatchObject({ private: false })
    expect(stored()).toEqual(before)
  })

  it('says when the disk is full, in the words of the API', async () => {
    rest.gate.closedBy = Object.assign(new Error('ENOSPC: no space left on device, /var/lib'), { code: 'ENOSPC' })
    const { status, headers, body } = await create({ name: 'full-disk' })
    expect([status, headers.get('retry-after')]).toEqual([503, '2'])
    expect(body).toMatchObject({ error: 'unavailable' })
    expect(JSON.stringify(body)).not.toContain('/var/lib')
    const request_id = headers.get('x-request-id')
    expect(await rest.server.lines()).toContainEqual(
      expect.objectContaining({ level: 'error', msg: 'A request failed', request_id }),
    )
  })
})

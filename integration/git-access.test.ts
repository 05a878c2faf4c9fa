/** Who may not is told nothing of what is there, and what is no git request is told so in one sentence (DESIGN §4.4, I12). */
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { FIRST, Victim } from './bad-input/fixture.ts'
import { pack } from './support/pack-maker.ts'
import { ask, type RawAnswer } from './support/raw-http.ts'
import { command, FLUSH, pkt, postHeaders, pushBody } from './support/wire.ts'

let victim: Victim

beforeAll(async () => {
  victim = await Victim.start()
})
afterAll(() => victim[Symbol.asyncDispose]())

const basic = (token: string): Record<string, string> => ({
  Authorization: `Basic ${Buffer.from(`:${token}`).toString('base64')}`,
})
const get = (path: string, headers: Record<string, string> = {}): Promise<RawAnswer> =>
  ask(victim.node.ports.api, { path, headers })

/** Without what differs from answer to answer. */
function shown({ status, headers, body }: RawAnswer): object {
  const kept = [...headers].filter(([name]) => name !== 'x-request-id' && name !== 'date')
  return { status, headers: Object.fromEntries(kept), body: body.toString() }
}

const SERVICES = ['git-upload-pack', 'git-receive-pack'] as const
const bodies = {
  'git-upload-pack': Buffer.concat([pkt(`want ${FIRST.oid}\n`), FLUSH, pkt('done\n')]),
  'git-receive-pack': pushBody([command('refs/heads/x', FIRST.oid)], pack([])),
}

/** Every way to ask one service of one repository. */
async function everyAnswer(repository: string, service: (typeof SERVICES)[number], headers: Record<string, string>) {
  const answers = [
    await get(`/git/${repository}/info/refs?service=${service}`, headers),
    await get(`/git/${repository}.git/info/refs?service=${service}`, { ...headers, 'Git-Protocol': 'version=2' }),
    await ask(victim.node.ports.api, {
      method: 'POST',
      path: `/git/${repository}.git/${service}`,
      headers: { ...postHeaders({ service }), ...headers },
      body: bodies[service],
    }),
  ]
  return answers.map(shown)
}

describe('a hidden repository and one that is not there', () => {
  const missing = ['alice/nothing', 'nobody/nothing', 'alice/UPPER', 'alice/..', `alice/${'x'.repeat(300)}`]

  it.each(SERVICES)('look alike to the anonymous: 401, for %s', async (service) => {
    const hidden = await everyAnswer('alice/hidden', service, {})
    expect(hidden).toHaveLength(3)
    for (const answer of hidden) {
      expect(answer).toMatchObject({ status: 401, headers: { 'www-authenticate': 'Basic realm="guts"' } })
    }
    for (const name of missing) expect(await everyAnswer(name, service, {}), name).toEqual(hidden)
  })

  it.each(SERVICES)('look alike to whoever has no right: 404, for %s', async (service) => {
    const hidden = await everyAnswer('alice/hidden', service, basic(victim.strangersToken))
    for (const answer of hidden) expect(answer).toMatchObject({ status: 404, body: 'Repository not found\n' })
    for (const name of missing) {
      expect(await everyAnswer(name, service, basic(victim.strangersToken)), name).toEqual(hidden)
    }
  })
})

it('a public repository is read by anybody, and written by none but who may', async () => {
  const [anonymous] = await everyAnswer('alice/site', 'git-upload-pack', {})
  expect(anonymous).toMatchObject({ status: 200 })
  for (const answer of await everyAnswer('alice/site', 'git-receive-pack', {}))
    expect(answer).toMatchObject({ status: 401 })
  for (const answer of await everyAnswer('alice/site', 'git-receive-pack', basic(victim.strangersToken))) {
    expect(answer).toMatchObject({ status: 404, body: 'Repository not found\n' })
  }
  await victim.expectUnharmed()
})

it.each([
  { name: 'a wrong token', headers: basic('guts_pat_wrong') },
  { name: 'an empty password', headers: basic('') },
  { name: 'a scheme that is not known', headers: { Authorization: 'Negotiate abc' } },
  { name: 'no base64', headers: { Authorization: 'Basic !!!!' } },
  { name: 'two kilobytes', headers: { Authorization: `Bearer ${'x'.repeat(2_000)}` } },
])('credentials that are not valid get 401, also where none are needed: $name', async ({ headers }) => {
  const answer = await get('/git/alice/site/info/refs?service=git-upload-pack', headers)
  expect(answer.status).toBe(401)
  expect(answer.headers.get('www-authenticate')).toBe('Basic realm="guts"')
})

describe('what is no request of git', () => {
  const post = (path: string, headers: Record<string, string>) =>
    ask(victim.node.ports.api, {
      method: 'POST',
      path,
      headers: { ...basic(victim.host.token), ...headers },
      body: FLUSH,
    })
  const upload = '/git/alice/site.git/git-upload-pack'
  const receive = '/git/alice/site.git/git-receive-pack'
  const refs = '/git/alice/site.git/info/refs'

  it.each([
    { name: 'the dumb protocol', ask: () => get(refs), status: 403 },
    { name: 'an unknown service', ask: () => get(`${refs}?service=git-upload-archive`), status: 403 },
    { name: 'a service out of a prototype', ask: () => get(`${refs}?service=constructor`), status: 403 },
    { name: 'two services', ask: () => get(`${refs}?service=git-upload-pack&service=git-receive-pack`), status: 422 },
    { name: 'no content type', ask: () => post(upload, {}), status: 415 },
    { name: 'JSON', ask: () => post(upload, { 'Content-Type': 'application/json' }), status: 415 },
    {
      name: 'the type of the other service',
      ask: () => post(receive, { 'Content-Type': 'application/x-git-upload-pack-request' }),
      status: 415,
    },
    {
      name: 'an encoding nobody knows',
      ask: () => post(upload, { ...postHeaders({ service: 'git-upload-pack' }), 'Content-Encoding': 'br' }),
      status: 415,
    },
    {
      name: 'an encoding out of a prototype',
      ask: () => post(upload, { ...postHeaders({ service: 'git-upload-pack' }), 'Content-Encoding': 'constructor' }),
      status: 415,
    },
    {
      name: 'two encodings',
      ask: () => post(upload, { ...postHeaders({ service: 'git-upload-pack' }), 'Content-Encoding': 'gzip, gzip' }),
      status: 415,
    },
    { name: 'GET of a service', ask: () => get(upload), status: 405 },
    { name: 'POST of a listing', ask: () => post(refs, {}), status: 405 },
  ])('$name: one plain sentence', async ({ ask: send, status }) => {
    const answer = await send()
    expect(answer.status).toBe(status)
    expect(answer.headers.get('content-type')).toBe('text/plain; charset=utf-8')
    expect(answer.body.toString()).toMatch(/^[A-Z][^\n]+\n$/)
    await victim.expectUnharmed()
  })
})

describe('a path that leads elsewhere', () => {
  const up = [
    '..',
    '%2e%2e',
    '%2E%2e',
    '..%2f..',
    '..%5c..',
    '..\\..',
    '%00',
    'site%00',
    '%c0%ae%c0%ae',
    '．．',
    '%ef%bc%8e%ef%bc%8e',
    '%252e%252e',
    'site.git%2f..%2fhidden',
  ]
  it.each(up)('%s', async (part) => {
    for (const path of [
      `/git/${part}/hidden/info/refs`,
      `/git/alice/${part}/info/refs`,
      `/git/alice/${part}.git/info/refs`,
      `/git/alice/site/${part}/hidden/info/refs`,
    ]) {
      const answer = await get(`${path}?service=git-upload-pack`, basic(victim.strangersToken))
      expect([400, 404], `${path}: ${answer.bytes.toString().slice(0, 200)}`).toContain(answer.status)
    }
    await victim.expectUnharmed()
  })
})

/** Names and paths that lead elsewhere, in every place of the REST API that takes one (DESIGN §4.4, I4). */
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { Victim } from './bad-input/fixture.ts'
import { expectErrorBody } from './support/error-answer.ts'
import { ask, type RawAnswer, type RawRequest } from './support/raw-http.ts'

let victim: Victim

beforeAll(async () => {
  victim = await Victim.start()
})
afterAll(() => victim[Symbol.asyncDispose]())

const send = (request: RawRequest): Promise<RawAnswer> =>
  ask(victim.node.ports.api, {
    ...request,
    headers: { Authorization: `Bearer ${victim.host.token}`, 'Content-Type': 'application/json', ...request.headers },
  })
const create = (body: string): Promise<RawAnswer> => send({ method: 'POST', path: '/api/repos', body })

const BAD_NAMES = [
  '',
  'a',
  'A',
  '-a',
  'a-',
  'a_b',
  'a.b',
  'a b',
  '..',
  '../x',
  'a/b',
  'a\\b',
  'a\u0000b',
  'a\nb',
  'ａｂ',
  'a\u200bb',
  'a\u2024\u2024',
  'é1',
  'x'.repeat(101),
  '.git',
  'ab.git',
  'con:x',
  '~root',
  '$(id)',
  "a'b",
  '%2e%2e',
]

describe('a bad name', () => {
  it.each(BAD_NAMES.map((name) => ({ name })))('$name: 422, wherever one is given', async ({ name }) => {
    for (const body of [{ name }, { name: 'fine', owner: name }]) {
      const error = expectErrorBody(await create(JSON.stringify(body)), 422)
      expect(error.details?.[0]?.field).toBe('owner' in body ? 'owner' : 'name')
    }
    const inPath = encodeURIComponent(name)
    if (name !== '') {
      for (const path of [
        `/api/repos/${inPath}/site`,
        `/api/repos/alice/${inPath}`,
        `/api/users/${inPath}`,
        `/api/repos/alice/${inPath}/branches`,
      ]) {
        expectErrorBody(await send({ path }), 422)
      }
    }
    await victim.expectUnharmed()
  })
})

const UP = [
  '..',
  '../..',
  '%2e%2e',
  '%2e%2e%2f%2e%2e',
  '..%2f..%2fetc%2fpasswd',
  '..%5c..',
  '..\\..',
  '%00',
  'hello%00',
  '.',
  '%2e',
  'a//b',
  '%2fetc%2fpasswd',
  '%2f',
  '%5c%5cserver',
]
const STATUSES = [400, 404, 422]

describe('a way out of the repository', () => {
  it.each(UP)('%s', async (part) => {
    for (const path of [
      `/api/repos/alice/site/contents/${part}`,
      `/api/repos/alice/site/contents/hello/${part}`,
      `/api/repos/alice/site/contents?ref=${part}`,
      `/api/repos/alice/site/commits?path=${part}`,
      `/api/repos/alice/site/commits?ref=${part}`,
      `/api/repos/${part}/site`,
      `/api/repos/alice/${part}`,
      `/api/users/${part}`,
    ]) {
      const answer = await send({ path })
      // To git a backslash is a letter like any other: a file of that name has no history.
      if (path.includes('commits?path') && answer.body.toString() === '[]') continue
      expect(STATUSES, `${path}: ${answer.bytes.toString().slice(0, 300)}`).toContain(answer.status)
      expectErrorBody(answer, answer.status)
      const deletion = await send({ method: 'DELETE', path: `/api/repos/alice/${part}` })
      expect([...STATUSES, 405], `DELETE ${part}`).toContain(deletion.status)
    }
    await victim.expectUnharmed()
  })
})

import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'

import { git, gitWith } from '../../collaboration/testing.ts'
import { BROWSE_LIMITS } from '../../transfer/workers/browse-limits.ts'
import { rawClient } from '../testing.ts'
import { type RestServer, serveRest } from './testing-rest.ts'

const work = mkdtempSync(join(tmpdir(), 'guts-work-'))
let rest: RestServer

beforeAll(async () => {
  rest = await serveRest()
  git(work, 'init', '--quiet', '-b', 'main')
  for (let i = 0; i < 7; i++) {
    writeFileSync(join(work, i % 2 === 0 ? 'even ö.txt' : 'odd.txt'), `text ${i}\n`)
    git(work, 'add', '--all')
    const env = { GIT_AUTHOR_DATE: `@${1_700_000_000 + i} +0200`, GIT_COMMITTER_DATE: `@${1_700_000_100 + i} -0300` }
    gitWith({ env }, work, 'commit', '--quiet', '-m', `change ${i}\n\nwhy`)
  }
  for (const branch of ['dev', 'feature/x', 'release-1']) git(work, 'branch', branch, 'HEAD~2')
  // A tag and a branch of one name: git takes the tag.
  git(work, 'tag', 'release-1', 'HEAD~3')
  git(work, 'tag', '-a', 'v1', '-m', 'one', 'HEAD~1')
  writeFileSync(join(work, 'large.bin'), Buffer.alloc(BROWSE_LIMITS.file_bytes.value + 1))
  git(work, 'add', '--all')
  git(work, 'commit', '--quiet', '-m', 'large')
  for (const name of ['site', 'empty', 'doomed']) {
    await rest.ask('/api/repos', rest.alice, { method: 'POST', body: { name, private: true } })
  }
  await rest.fill('alice', 'site', work)
  await rest.fill('alice', 'doomed', work)
})
afterAll(async () => {
  await rest[Symbol.asyncDispose]()
  rmSync(work, { recursive: true })
})

const get = (path: string, name = 'site') => rest.ask(`/api/repos/alice/${name}/${path}`, rest.alice)
const oidOf = (name: string): string => git(work, 'rev-parse', name).trim()
const oids = (body: unknown): string[] => (body as { oid: string }[]).map(({ oid }) => oid)
const log = (...args: string[]): string[] =>
  git(work, 'log', '--format=%H', ...args)
    .trim()
    .split('\n')

describe('branches', () => {
  it('are listed with the default one marked, in pages', async () => {
    const { status, headers, body } = await get('branches?per_page=3')
    expect([status, body]).toEqual([
      200,
      [
        { name: 'dev', oid: oidOf('dev'), default: false },
        { name: 'feature/x', oid: oidOf('dev'), default: false },
        { name: 'main', oid: oidOf('main'), default: true },
      ],
    ])
    const url = `${rest.server.origin}/api/repos/alice/site/branches?per_page=3&page=2`
    expect(headers.get('link')).toBe(`<${url}>; rel="next", <${url}>; rel="last"`)
    expect((await get('branches?per_page=3&page=2')).body).toMatchObject([{ name: 'release-1' }])
    expect((await get('branches', 'empty')).body).toEqual([])
  })

  it('can become the default one, and others cannot', async () => {
    const patch = (branch: string) =>
      rest.ask('/api/repos/alice/site', rest.alice, { method: 'PATCH', body: { default_branch: branch } })
    expect((await patch('nope')).body).toMatchObject({
      error: 'validation_error',
      details: [{ field: 'default_branch', code: 'not_found' }],
    })
    expect((await patch('feature/x')).body).toMatchObject({ default_branch: 'feature/x', empty: false })
    expect(oids((await get('commits?per_page=1')).body)).toEqual([oidOf('dev')])
    expect((await patch('main')).status).toBe(200)
  })
})

describe('commits', () => {
  it('are listed as git log does, with all that they say', async () => {
    const { status, body } = await get('commits')
    expect([status, oids(body)]).toEqual([200, log('main')])
    expect((body as unknown[])[1]).toEqual({
      oid: oidOf('main~1'),
      tree: oidOf('main~1^{tree}'),
      parents: [oidOf('main~2')],
      author: { name: 'Ann Löwe', email: 'ann@example.org', time: '2023-11-14T22:13:26.000Z' },
      committer: { name: 'Ann Löwe', email: 'ann@example.org', time: '2023-11-14T22:15:06.000Z' },
      message: 'change 6\n\nwhy\n',
    })
  })

  it.each([
    { ref: 'dev', as: 'dev' },
    { ref: 'feature%2Fx', as: 'dev' },
    { ref: 'refs/heads/dev', as: 'dev' },
    { ref: 'heads/dev', as: 'dev' },
    { ref: 'release-1', as: 'refs/tags/release-1' },
    { ref: 'v1', as: 'v1' },
    { ref: 'HEAD', as: 'main' },
  ])('begin at $ref', async ({ ref, as }) => {
    expect(oids((await get(`commits?ref=${ref}`)).body)).toEqual(log(as))
  })

  it('begin at an object id', async () => {
    expect(oids((await get(`commits?ref=${oidOf('main~4')}`)).body)).toEqual(log('main~4'))
  })

  it('can be those of one path', async () => {
    const path = encodeURIComponent('even ö.txt')
    expect(oids((await get(`commits?path=${path}`)).body)).toEqual(log('main', '--', 'even ö.txt'))
    expect((await get('commits?path=nothing')).body).toEqual([])
  })

  it('come in pages whose links end with the history', async () => {
    const url = (page: number): string => `<${rest.server.origin}/api/repos/alice/site/commits?per_page=4&page=${page}>`
    const first = await get('commits?per_page=4')
    expect(first.headers.get('link')).toBe(`${url(2)}; rel="next"`)
    const second = await get('commits?per_page=4&page=2')
    expect(second.headers.get('link')).toBe(`${url(1)}; rel="first", ${url(1)}; rel="prev"`)
    expect([...oids(first.body), ...oids(second.body)]).toEqual(log('main'))
    expect((await get('commits?per_page=4&page=3')).body).toEqual([])
  })

  it('of an empty repository are none', async () => {
    expect(await get('commits', 'empty')).toMatchObject({ status: 200, body: [] })
    expect((await get('commits?ref=main', 'empty')).status).toBe(404)
  })
})

describe('contents', () => {
  it('of the root and of a file are what git has', async () => {
    const { status, body } = await get('contents')
    const file = { name: 'even ö.txt', path: 'even ö.txt', type: 'file', mode: '100644', size: 7 }
    expect(status).toBe(200)
    expect(body).toEqual([
      { ...file, oid: oidOf('main:even ö.txt') },
      { ...file, name: 'large.bin', path: 'large.bin', size: 2 ** 20 + 1, oid: oidOf('main:large.bin') },
      { ...file, name: 'odd.txt', path: 'odd.txt', oid: oidOf('main:odd.txt') },
    ])
    expect((await get(`contents/${encodeURIComponent('even ö.txt')}?ref=dev`)).body).toEqual({
      ...file,
      oid: oidOf('dev:even ö.txt'),
      encoding: 'base64',
      content: Buffer.from('text 4\n').toString('base64'),
    })
  })

  it('of a file over the limit are refused by the name of the limit', async () => {
    const { status, body } = await get('contents/large.bin')
    expect([status, body]).toMatchObject([
      422,
      { error: 'validation_error', details: [{ field: 'path', code: 'too_large' }] },
    ])
    expect(JSON.stringify(body)).toContain('limit file_bytes of 1048576 bytes')
  })

  it('of an empty repository are none', async () => {
    expect(await get('contents', 'empty')).toMatchObject({ status: 200, body: [] })
    expect(await get('contents/a', 'empty')).toMatchObject({ status: 404, body: { message: 'Path not found' } })
  })

  it('are gone with the repository, while it is read', async () => {
    const reads = Array.from({ length: 20 }, () => get('contents/odd.txt', 'doomed'))
    const deleted = await rest.ask('/api/repos/alice/doomed', rest.alice, { method: 'DELETE' })
    expect(deleted.status).toBe(204)
    for (const { status } of await Promise.all(reads)) expect([200, 404]).toContain(status)
    expect(await get('contents/odd.txt', 'doomed')).toMatchObject({
      status: 404,
      body: { message: 'Repository not found' },
    })
  })
})

describe('addresses that lead nowhere', () => {
  it.each([
    { path: 'commits?ref=nothing', status: 404 },
    { path: `commits?ref=${'1'.repeat(40)}`, status: 404 },
    { path: 'contents/nothing', status: 404 },
    { path: 'contents/odd.txt/below', status: 404 },
    { path: 'contents?ref=refs/heads/nothing', status: 404 },
    { path: 'commits?ref=', status: 422 },
    { path: 'commits?ref=..', status: 422 },
    { path: 'commits?ref=main..dev', status: 422 },
    { path: 'commits?ref=main~1', status: 422 },
    { path: 'commits?ref=--all', status: 404 },
    { path: 'commits?ref=main%0A', status: 422 },
    { path: 'commits?ref=a%00', status: 422 },
    { path: `commits?ref=${'a'.repeat(1_024)}`, status: 404 },
    { path: `commits?ref=${'a'.repeat(1_025)}`, status: 422 },
    { path: 'commits?path=../x', status: 422 },
    { path: 'commits?path=/odd.txt', status: 422 },
    { path: 'commits?path=a%00', status: 422 },
    { path: 'commits?ref=main&ref=dev', status: 422 },
    { path: 'commits?page=1000000&per_page=100', status: 200 },
    { path: 'contents/..%2f..%2fguts.db', status: 422 },
    { path: 'contents/a%2f%2e%2e%2fb', status: 422 },
    { path: 'contents/a//b', status: 422 },
    { path: 'contents/a/', status: 422 },
    { path: 'contents/./a', status: 422 },
    { path: 'contents/a%00b', status: 422 },
    { path: 'contents/', status: 404 },
    { path: 'contents/%ff', status: 400 },
    { path: `contents/${'a'.repeat(3_900)}`, status: 404 },
    { path: `contents/${'a'.repeat(4_100)}`, status: 400 },
  ])('$path: $status', async ({ path, status }) => {
    // Not by fetch, which tidies addresses up.
    const client = rawClient(rest.server.port)
    const authorization = `Authorization: Bearer ${rest.alice.token}`
    client.send(
      `GET /api/repos/alice/site/${path} HTTP/1.1\r\nHost: x\r\n${authorization}\r\nConnection: close\r\n\r\n`,
    )
    await client.closed
    expect(client.received()).toMatch(new RegExp(`^HTTP/1.1 ${status} `))
    if (status === 422)
      expect(client.received()).toMatch(/"error":"validation_error".*"details":\[\{"field":"(ref|path)"/)
  })
})

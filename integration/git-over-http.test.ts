/** How requests of git stand on a connection: expectations, reuse, pipelines, chunks, and answers without bodies. */
import { existsSync } from 'node:fs'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest'
import { FIRST, MB, Victim } from './bad-input/fixture.ts'
import { pack } from './support/pack-maker.ts'
import { RawConnection } from './support/raw-connection.ts'
import { encodeRequest } from './support/raw-http.ts'
import { command, decodeReply, FLUSH, NO_OID, pkt, postHeaders, pushBody } from './support/wire.ts'

let victim: Victim

beforeAll(async () => {
  victim = await Victim.start({ GUTS_REQUEST_TIMEOUT: '1' })
})
afterAll(() => victim[Symbol.asyncDispose]())

const path = '/git/alice/site.git/git-receive-pack'
const service = 'git-receive-pack' as const
const open = (): Promise<RawConnection> => RawConnection.open(victim.node.ports.api)
const push = (ref: string): Buffer => pushBody([command(ref, FIRST.oid)], pack([]))
const lines = (body: Buffer): readonly string[] => decodeReply({ status: 200, headers: new Map(), body }).lines
const expecting = (token: string | undefined, bytes: number, to = path): Buffer =>
  encodeRequest({
    method: 'POST',
    path: to,
    headers: {
      ...postHeaders({ service, token }),
      Expect: '100-continue',
      'Content-Length': String(bytes),
      Connection: 'keep-alive',
    },
  })

describe('Expect: 100-continue', () => {
  it('is met once the pusher is found to have the right', async () => {
    using connection = await open()
    const body = push('refs/heads/expected')
    connection.send(expecting(victim.host.token, body.length))
    expect(await connection.answer()).toMatchObject({ status: 100 })
    expect(connection.pending).toHaveLength(0)
    connection.send(body)
    const { status, body: report } = await connection.answer()
    expect(status).toBe(200)
    expect(lines(report)).toEqual(['unpack ok\n', 'ok refs/heads/expected\n'])
    await victim.expectAlive()
  })

  it.each([
    { name: 'nobody known: 401', token: () => undefined, bytes: 100, status: 401 },
    { name: 'a wrong token: 401', token: () => 'guts_pat_wrong', bytes: 100, status: 401 },
    { name: 'nobody known, with too much: still 401', token: () => undefined, bytes: MB + 1, status: 401 },
    { name: 'somebody without the right: 404', token: () => victim.strangersToken, bytes: 100, status: 404 },
    {
      name: 'somebody without the right, with too much: still 404',
      token: () => victim.strangersToken,
      bytes: MB + 1,
      status: 404,
    },
    { name: 'too much: 413', token: () => victim.host.token, bytes: MB + 1, status: 413 },
  ])('is not met for $name', async ({ token, bytes, status }) => {
    using connection = await open()
    connection.send(expecting(token(), bytes))
    // The first answer is the last one, and nothing was read.
    expect((await connection.answer()).status).toBe(status)
    await connection.closed()
    expect(connection.pending).toHaveLength(0)
    await victim.expectUnharmed()
  })
})

it('one connection takes refusals and pushes one after another', async () => {
  using connection = await open()
  const { token } = victim.host
  const send = async (body: Buffer, as: string | undefined = token) => {
    connection.request({ method: 'POST', path, headers: postHeaders({ service, token: as }), body })
    return connection.answer()
  }
  expect((await send(push('refs/heads/one'))).status).toBe(200)
  expect((await send(push('refs/heads/two'), 'wrong')).status).toBe(401)
  expect(lines((await send(push('refs/heads/..'))).body)[1]).toMatch(/^ng /)
  expect((await send(Buffer.from('+00a'))).body.toString()).toMatch(/ERR .*valid length/)
  expect((await send(pushBody([command('refs/heads/bad', FIRST.oid)], Buffer.from('PACK')))).status).toBe(200)
  expect(lines((await send(push('refs/heads/three'))).body)).toEqual(['unpack ok\n', 'ok refs/heads/three\n'])
  await victim.expectAlive()
})

it('requests in a pipeline are answered in their order', async () => {
  using connection = await open()
  const { token } = victim.host
  const refs = '/git/alice/site.git/info/refs?service=git-upload-pack'
  const clone = Buffer.concat([pkt(`want ${FIRST.oid}\n`), FLUSH, pkt('done\n')])
  const keep = { Connection: 'keep-alive' }
  connection.send(
    Buffer.concat([
      encodeRequest({ path: refs, headers: keep }),
      encodeRequest({
        method: 'POST',
        path,
        headers: { ...postHeaders({ service, token }), ...keep },
        body: push('refs/heads/pipe'),
      }),
      encodeRequest({ path: '/git/alice/hidden/info/refs', headers: keep }),
      encodeRequest({
        method: 'POST',
        path: '/git/alice/site/git-upload-pack',
        headers: { ...postHeaders({ service: 'git-upload-pack' }), ...keep },
        body: clone,
      }),
      encodeRequest({ method: 'HEAD', path: refs, headers: keep }),
    ]),
  )
  expect((await connection.answer()).body.toString()).toMatch(/^001e# service=git-upload-pack\n/)
  expect(lines((await connection.answer()).body)).toEqual(['unpack ok\n', 'ok refs/heads/pipe\n'])
  expect((await connection.answer()).status).toBe(401)
  expect((await connection.answer()).body.toString('latin1')).toMatch(/^0008NAK\nPACK/)
  expect((await connection.answer('HEAD')).status).toBe(200)
  await victim.expectAlive()
})

it('HEAD has the headers of GET, and no body', async () => {
  using connection = await open()
  for (const query of ['git-upload-pack', 'git-receive-pack']) {
    const request = {
      path: `/git/alice/site/info/refs?service=${query}`,
      headers: postHeaders({ service, token: victim.host.token }),
    }
    connection.request({ ...request, method: 'HEAD' })
    const head = await connection.answer('HEAD')
    connection.request(request)
    const got = await connection.answer()
    expect(head.status).toBe(200)
    expect(head.headers.get('content-type')).toBe(got.headers.get('content-type'))
    expect(got.body.length).toBeGreaterThan(0)
  }
})

it('a push in chunks of one byte is taken', async () => {
  using connection = await open()
  const body = push('refs/heads/chunked')
  const headers = { ...postHeaders({ service, token: victim.host.token }), 'Transfer-Encoding': 'chunked' }
  connection.request({ method: 'POST', path, headers })
  for (const byte of body) connection.send(Buffer.concat([Buffer.from('1\r\n'), Buffer.of(byte), Buffer.from('\r\n')]))
  connection.send('0\r\n\r\n')
  expect(lines((await connection.answer()).body)).toEqual(['unpack ok\n', 'ok refs/heads/chunked\n'])
  await victim.expectAlive()
})

it.each([
  { name: 'chunks that are none', headers: { 'Transfer-Encoding': 'chunked' }, body: 'zz\r\nabc' },
  {
    name: 'a chunk of more than 64 bits',
    headers: { 'Transfer-Encoding': 'chunked' },
    body: 'fffffffffffffffffffff\r\nabc',
  },
  { name: 'two lengths', headers: { 'Content-Length': '5\r\nContent-Length: 6' }, body: '00000' },
  {
    name: 'a length and chunks',
    headers: { 'Content-Length': '5', 'Transfer-Encoding': 'chunked' },
    body: '0\r\n\r\n',
  },
  { name: 'a negative length', headers: { 'Content-Length': '-1' }, body: '' },
])('a body that HTTP forbids is refused, and changes nothing: $name', async ({ headers, body }) => {
  using connection = await open()
  connection.request({
    method: 'POST',
    path,
    headers: { ...postHeaders({ service, token: victim.host.token }), ...headers },
  })
  connection.send(body)
  await connection.closed()
  expect(connection.pending.toString()).toMatch(/^$|^HTTP\/1\.1 400 /)
  await victim.expectUnharmed()
})

it('what comes after a push was given up changes nothing any more', async () => {
  const ref = 'refs/heads/late'
  await victim.push([command(ref, FIRST.oid)], pack([]))
  await victim.remember()
  using connection = await open()
  const deletion = command(ref, NO_OID, FIRST.oid)
  const length = deletion.length + FLUSH.length
  connection.request({
    method: 'POST',
    path,
    headers: { ...postHeaders({ service, token: victim.host.token }), 'Content-Length': String(length) },
  })
  connection.send(deletion)
  expect((await connection.answer()).status).toBe(504)
  connection.send(FLUSH)
  await connection.closed()
  await vi.waitFor(async () => expect(await victim.node.metric('guts_http_requests_in_flight{listener="api"}')).toBe(0))
  expect(existsSync(join(victim.gitDirectory, ref))).toBe(true)
  expect(victim.refsInDatabase()).toContain(ref)
  await victim.expectNothingLeft()
})

/** A repository goes while others push to it, and perhaps another one comes to its place: nothing is mixed up (I2, I4). */
import { execFileSync } from 'node:child_process'
import { existsSync } from 'node:fs'
import { afterAll, beforeAll, expect, it, vi } from 'vitest'
import { Victim } from './bad-input/fixture.ts'
import { fsck } from './support/git.ts'
import { blob, commit, pack, tree, whole } from './support/pack-maker.ts'
import { RawConnection } from './support/raw-connection.ts'
import { encodeRequest } from './support/raw-http.ts'
import { pushesUnderWay } from './support/stored.ts'
import { command, decodeReply, FLUSH, pkt, postHeaders, pushBody } from './support/wire.ts'

let victim: Victim

beforeAll(async () => {
  victim = await Victim.start()
})
afterAll(() => victim[Symbol.asyncDispose]())

const FILE = blob('for a repository that goes\n')
const ROOT = tree(['100644', 'file', FILE.oid])
const TIP = commit(ROOT.oid)
const BODY = pushBody([command('refs/heads/main', TIP.oid)], pack([FILE, ROOT, TIP].map((one) => whole(one))))

/** A push of which the last bytes are missing. */
async function beginPush(name: string): Promise<RawConnection> {
  const service = 'git-receive-pack'
  const headers = { ...postHeaders({ service, token: victim.host.token }), Connection: 'keep-alive' }
  const bytes = encodeRequest({ method: 'POST', path: `/git/alice/${name}/${service}`, headers, body: BODY })
  const connection = await RawConnection.open(victim.node.ports.api)
  connection.send(bytes.subarray(0, -10))
  await vi.waitFor(() => expect(pushesUnderWay(victim.node.dataDirectory)).toHaveLength(1))
  return connection
}

async function remove(name: string): Promise<void> {
  const { status } = await victim.node.api(`/api/repos/alice/${name}`, victim.host.token, { method: 'DELETE' })
  expect(status).toBe(204)
}

it('a push to a repository that was deleted meanwhile is refused, and brings nothing back', async () => {
  await victim.host.create('going')
  using connection = await beginPush('going')
  await remove('going')
  connection.send(BODY.subarray(-10))
  const answer = await connection.answer()
  expect(decodeReply(answer).lines.filter((line) => line.startsWith('ok '))).toEqual([])
  expect(decodeReply(answer).reason).toMatch(/repository was deleted/)
  expect(existsSync(victim.host.gitDirectory('going'))).toBe(false)
  await victim.expectUnharmed()
})

it('a push to a repository that was deleted is not taken by the one that came to its place', async () => {
  await victim.host.create('placed')
  using connection = await beginPush('placed')
  await remove('placed')
  const { gitDirectory } = await victim.host.create('placed')
  connection.send(BODY.subarray(-10))
  const answer = await connection.answer()
  expect(decodeReply(answer).lines.filter((line) => line.startsWith('ok '))).toEqual([])
  await vi.waitFor(() => expect(pushesUnderWay(victim.node.dataDirectory)).toEqual([]))
  await fsck(gitDirectory)
  const branches = await victim.node.api('/api/repos/alice/placed/branches', victim.host.token)
  expect(await branches.json()).toEqual([])
  const count = execFileSync('git', ['-C', gitDirectory, 'count-objects', '-v'], { encoding: 'utf8' })
  expect(count).toMatch(/^count: 0$/m)
  expect(count).toMatch(/^in-pack: 0$/m)
  await victim.expectAlive()
})

it('a fetch from a repository that was deleted meanwhile reads so', async () => {
  await victim.host.create('left')
  using connection = await RawConnection.open(victim.node.ports.api)
  const service = 'git-upload-pack'
  const body = Buffer.concat([pkt(`want ${TIP.oid}\n`), FLUSH, pkt('done\n')])
  const bytes = encodeRequest({
    method: 'POST',
    path: `/git/alice/left/${service}`,
    headers: { ...postHeaders({ service, token: victim.host.token }), Connection: 'keep-alive' },
    body,
  })
  connection.send(bytes.subarray(0, -10))
  await vi.waitFor(async () => {
    expect(await victim.node.metric('guts_http_requests_in_flight{listener="api"}')).toBe(1)
  })
  await remove('left')
  connection.send(bytes.subarray(-10))
  expect(decodeReply(await connection.answer()).reason).toMatch(/ERR upload-pack: the repository was deleted/)
  await victim.expectUnharmed()
})

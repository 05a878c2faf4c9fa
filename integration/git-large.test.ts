/** Shapes that made others overflow, hang or hold on: very long histories, very many refs, clients that do not read them. */
import { createHash } from 'node:crypto'
import { existsSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { describe, expect, it, vi } from 'vitest'
import { ENTRY_BYTES_MAX } from '../src/storage/repositories/ref-log.ts'
import { recordCost } from './bad-input/cost.ts'
import { FIRST, HELLO, Victim } from './bad-input/fixture.ts'
import { guts } from './support/command-line.ts'
import { heldBy } from './support/held.ts'
import { contentsOf, fsck, Git, temporaryFolder } from './support/git.ts'
import { importLine } from './support/history.ts'
import { commit, pack, tree, whole } from './support/pack-maker.ts'
import { RawConnection } from './support/raw-connection.ts'
import { encodeRequest, exchange } from './support/raw-http.ts'
import { command, FLUSH, pkt, postHeaders } from './support/wire.ts'

const COMMITS = 100_000
const DEEP = 100_000
const WIDE = {
  GUTS_MAX_PACK_OBJECTS: '100000',
  GUTS_MAX_INFLATED_SIZE_MB: '100',
  GUTS_MAX_REQUEST_SIZE_MB: '100',
  GUTS_MAX_PUSH_COMMANDS: '20000',
  GUTS_MAX_HAVES: '100000',
}

it(`a line of ${COMMITS} commits goes in, is brought into order, and comes out by every protocol`, async () => {
  await using victim = await Victim.start({ ...WIDE, GUTS_MAX_PACK_OBJECTS: String(COMMITS + 2) })
  const { node, host, gitDirectory } = victim
  using folder = temporaryFolder('line')
  const git = new Git(folder.path)
  await git.run('init', '--quiet', '--bare', 'line.git')
  const source = join(folder.path, 'line.git')
  await importLine(source, COMMITS)
  const url = host.url('site')
  await recordCost(node, `a push of ${COMMITS} commits in one line`, () =>
    git.in('line.git').run('push', '--quiet', url, 'line'),
  )
  await fsck(gitDirectory)
  const contents = await contentsOf(source)
  const clone = async (version: string): Promise<void> => {
    const out = join(folder.path, `out${version}.git`)
    const options = ['--quiet', '--bare', '--single-branch', '-b', 'line']
    const cloner = new Git(folder.path, ['-c', `protocol.version=${version}`])
    await recordCost(node, `a clone of ${COMMITS} commits in one line, protocol ${version}`, () =>
      cloner.run('clone', ...options, url, out),
    )
    expect(await contentsOf(out)).toEqual(contents)
  }
  await clone('2')

  const { stdout } = await recordCost(node, `maintenance of ${COMMITS} commits in one line`, () =>
    guts(['repo', 'gc', 'alice/site', '--json'], node.environment),
  ).then(({ result }) => result)
  expect(JSON.parse(stdout)).toMatchObject([{ packs: 2, objects: COMMITS + 5 }])
  await clone('0')
  await fetchTheRest(new Git(join(folder.path, 'half.git'), ['-c', 'protocol.version=1']), source, url)
  expect(await contentsOf(join(folder.path, 'half.git'))).toEqual(contents)
  const page = await node.api('/api/repos/alice/site/commits?ref=line&per_page=100&page=300', host.token)
  expect(page.status).toBe(200)
  expect(await page.json()).toHaveLength(100)
  await victim.remember()
  await victim.expectAlive()
})

/** Of somebody who has the older half of the line, and a commit of its own on top of that. */
async function fetchTheRest(half: Git, source: string, url: string): Promise<void> {
  await new Git(dirname(half.folder)).run('init', '--quiet', '--bare', half.folder)
  const middle = await new Git(source).run('rev-parse', `line~${COMMITS / 2}`)
  await half.run('fetch', '--quiet', url, `${middle}:refs/heads/line`)
  const own = await half.run('commit-tree', '-m', 'own', '-p', 'line', 'line^{tree}')
  await half.run('update-ref', 'refs/heads/own', own)
  await half.run('fetch', '--quiet', url, 'line:refs/heads/line')
  await half.run('update-ref', '-d', 'refs/heads/own')
}

it(`${DEEP} trees, each in the next, go in, and out again`, async () => {
  await using victim = await Victim.start({ ...WIDE, GUTS_MAX_PACK_OBJECTS: String(DEEP + 1) })
  const entries: Buffer[] = []
  let nested = HELLO.oid
  for (let depth = 0; depth < DEEP; depth++) {
    const made = tree([depth === 0 ? '100644' : '40000', 'd', nested])
    nested = made.oid
    entries.push(whole(made))
  }
  const top = commit(nested, [FIRST.oid])
  entries.push(whole(top))
  const reply = await victim.push([command('refs/heads/deep', top.oid)], pack(entries))
  expect(reply.lines).toEqual(['unpack ok\n', 'ok refs/heads/deep\n'])
  // C git's own walk of trees calls itself, and would need a larger stack.
  const path = '/git/alice/site.git/git-upload-pack'
  const body = Buffer.concat([pkt(`want ${top.oid}\n`), FLUSH, pkt('done\n')])
  const headers = postHeaders({ service: 'git-upload-pack', token: victim.host.token })
  const answer = await exchange(victim.node.ports.api, encodeRequest({ method: 'POST', path, headers, body }))
  const sent = answer.body.subarray(pkt('NAK\n').length)
  expect([sent.toString('latin1', 0, 4), sent.readUInt32BE(8)]).toEqual(['PACK', DEEP + 4])
  expect(createHash('sha1').update(sent.subarray(0, -20)).digest().equals(sent.subarray(-20))).toBe(true)
  expect((await victim.node.readiness())?.status).toBe(200)
})

it('HEAD is never set to what is not there', async () => {
  await using victim = await Victim.start()
  for (const name of ['missing', '../../x', 'main/..', 'HEAD', '', 'refs/heads/main', 'a.lock', '-x']) {
    const init = { method: 'PATCH', body: JSON.stringify({ default_branch: name }) }
    const { status } = await victim.node.api('/api/repos/alice/site', victim.host.token, init)
    expect([404, 409, 422], name).toContain(status)
  }
  await victim.expectUnharmed()
})

describe('a listing of 10 MB', () => {
  const name = (number: number): string => `refs/heads/${String(number).padStart(240, 'x')}/${'y'.repeat(240)}`

  it('that nobody reads ends after a while', async () => {
    await using victim = await Victim.start({ ...WIDE, GUTS_REQUEST_TIMEOUT: '2' })
    const push = (first: number, count: number) =>
      victim.push(
        Array.from({ length: count }, (_, at) =>
          command(name(first + at), FIRST.oid, undefined, at === 0 ? undefined : ''),
        ),
        pack([]),
      )
    // More than one entry of the log of refs can hold: refused, and nothing of it is there.
    const refused = await push(0, 20_000)
    expect(refused.reason).toContain(`take more than ${ENTRY_BYTES_MAX} bytes; push them in parts`)
    await victim.expectUnharmed()
    for (const first of [0, 10_000]) {
      const reply = await push(first, 10_000)
      expect(reply.reason.slice(0, 300)).toMatch(/^unpack ok\n/)
      expect(reply.lines.filter((line) => line.startsWith('ok '))).toHaveLength(10_000)
    }
    expect(existsSync(victim.gitDirectory)).toBe(true)
    await victim.remember()
    const lsRefs = Buffer.concat([pkt('command=ls-refs\n'), Buffer.from('0001'), pkt('peel\n'), FLUSH])
    const headers = { ...postHeaders({ service: 'git-upload-pack', version: '2' }), Connection: 'keep-alive' }
    const requests = [
      encodeRequest({ path: '/git/alice/site/info/refs?service=git-upload-pack' }),
      encodeRequest({ method: 'POST', path: '/git/alice/site/git-upload-pack', headers, body: lsRefs }),
    ]
    for (const bytes of requests) {
      using connection = await RawConnection.open(victim.node.ports.api)
      connection.stopReading()
      connection.send(bytes)
      const open = 'guts_http_connections{listener="api"}'
      await vi.waitFor(async () => expect(await victim.node.metric(open)).toBeGreaterThan(0))
      await vi.waitFor(async () => expect(await victim.node.metric(open)).toBe(0), { timeout: 15_000, interval: 100 })
    }
    const { gauges, passingFiles, quarantine } = await heldBy(victim.node)
    expect([new Set(Object.values(gauges)), passingFiles, quarantine]).toEqual([new Set([0]), [], []])
    expect(victim.node.running).toBe(true)
    await fsck(victim.gitDirectory)
  })
})

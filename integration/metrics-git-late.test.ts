/** I10: git operations that fail when their status 200 is out are counted under a name of their own (Done when 6). */
import { chmodSync, mkdirSync, readdirSync, readFileSync, truncateSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { GIT_ROUTE, MeteredNode } from './support/metered-node.ts'
import { type Change, changes, freshScrape, keyOf } from './support/metrics.ts'
import { blob, commit, delta, pack, refDelta, tree, whole } from './support/pack-maker.ts'
import { Random } from './support/random.ts'
import { RawConnection } from './support/raw-connection.ts'
import { command, FLUSH, pkt, postHeaders, pushBody } from './support/wire.ts'

let metered: MeteredNode

beforeAll(async () => {
  metered = await MeteredNode.start({}, 'damaged')
})

afterAll(() => metered[Symbol.asyncDispose]())

/** Failures that come when the status 200 is out: the client is cut off, or told inside the stream. */
describe('late failures', () => {
  const PATIENCE = { timeout: 10_000, interval: 50 }
  // Far more than the buffers between the node and its client hold.
  const LARGE = blob(new Random(1).text(40_000_000))
  const top = tree(['100644', 'large', LARGE.oid])
  const only = commit(top.oid)
  const SMALL = blob('not large\n')
  const small = tree(['100644', 'small', SMALL.oid])
  const first = commit(small.oid)
  const push = (name: string, entries: readonly Buffer[]): Promise<Change> =>
    metered.post({
      repository: `alice/${name}`,
      service: 'git-receive-pack',
      body: pushBody([command('refs/heads/main', only.oid)], pack(entries)),
    })
  const late = (service: string): string => keyOf('guts_git_late_failures_total', { service })

  const packFolder = (name: string): string =>
    join(metered.node.dataDirectory, `repositories/alice/${name}.git/objects/pack`)
  const packIn = (name: string): string => {
    const [found = ''] = readdirSync(packFolder(name)).filter((file) => file.endsWith('.pack'))
    return found
  }

  it('a pack that gets shorter while it is sent', async () => {
    await metered.create('short')
    await push('short', [whole(LARGE), whole(top), whole(only)])
    const body = Buffer.concat([pkt(`want ${only.oid} ofs-delta side-band-64k\n`), FLUSH, pkt('done\n')])
    const before = await freshScrape(metered.node.ports.internal)
    const headers = postHeaders({ service: 'git-upload-pack', version: '0', token: metered.token, headers: {} })
    using client = await RawConnection.open(metered.node.ports.api)
    client.request({ method: 'POST', path: '/git/alice/short/git-upload-pack', headers, body })
    await client.received(() => client.pending.includes('PACK'))
    client.stopReading()
    truncateSync(join(packFolder('short'), packIn('short')), 1_000_000)
    await client.readSlowly({ bytes: 10_000_000, everyMs: 0 })
    expect(client.pending.includes('The pack could not be read')).toBe(true)
    const expected = {
      [late('upload_pack')]: 1,
      [keyOf('guts_git_operations_total', { service: 'upload_pack', version: '0', result: 'failed' })]: 1,
      // It began with 200 and was cut off.
      [keyOf('guts_http_requests_total', { method: 'POST', path: `${GIT_ROUTE}/git-upload-pack`, status: 500 })]: 1,
    }
    await expect
      .poll(async () => changes(before, await freshScrape(metered.node.ports.internal)), PATIENCE)
      .toMatchObject(expected)
  })

  it('a pack that turns out to be damaged when its first part is sent', async () => {
    // A client that takes no thin packs has the old version: the new one, a delta of that, is made whole for it, and cannot.
    const [oldVersion, newVersion] = [blob('a version\n'.repeat(9)), blob('a version\n'.repeat(10))]
    const oldTree = tree(['100644', 'text', oldVersion.oid])
    const oldCommit = commit(oldTree.oid)
    const newTree = tree(['100644', 'large', LARGE.oid], ['100644', 'text', newVersion.oid])
    const newCommit = commit(newTree.oid, [oldCommit.oid])
    const change = refDelta(oldVersion.oid, delta(oldVersion.data.length, newVersion.data))
    const old = [oldVersion, oldTree, oldCommit].map((object) => whole(object))
    await metered.create('damaged')
    await metered.post({
      repository: 'alice/damaged',
      service: 'git-receive-pack',
      body: pushBody(
        [command('refs/heads/main', newCommit.oid)],
        pack([...old, whole(LARGE), change, whole(newTree), whole(newCommit)]),
      ),
    })
    const packPath = join(packFolder('damaged'), packIn('damaged'))
    const stored = readFileSync(packPath)
    const at = stored.indexOf(change)
    expect(at).toBeGreaterThan(LARGE.data.length / 2)
    stored.fill(0xff, at + change.length - 8, at + change.length)
    chmodSync(packPath, 0o600)
    writeFileSync(packPath, stored)
    const before = await freshScrape(metered.node.ports.internal)
    const headers = postHeaders({ service: 'git-upload-pack', version: '0', token: metered.token, headers: {} })
    using client = await RawConnection.open(metered.node.ports.api)
    const lines = [pkt(`want ${newCommit.oid} ofs-delta side-band-64k\n`), FLUSH, pkt(`have ${oldCommit.oid}\n`)]
    const body = Buffer.concat([...lines, pkt('done\n')])
    client.request({ method: 'POST', path: '/git/alice/damaged/git-upload-pack', headers, body })
    await client.received(() => client.pending.includes('The pack could not be read'))
    expect(client.pending.includes('PACK')).toBe(true)
    const expected = {
      [late('upload_pack')]: 1,
      [keyOf('guts_git_operations_total', { service: 'upload_pack', version: '0', result: 'failed' })]: 1,
    }
    await expect
      .poll(async () => changes(before, await freshScrape(metered.node.ports.internal)), PATIENCE)
      .toMatchObject(expected)
  })

  it('a pack that cannot be put in its place', async () => {
    // With a delta to resolve its progress is shown: the answer has begun.
    const base = blob('a base\n')
    const change = delta(base.data.length, SMALL.data)
    const entries = [whole(base), refDelta(base.oid, change), whole(small), whole(first)]
    const send = (name: string): Promise<Change> =>
      metered.post({
        repository: `alice/${name}`,
        service: 'git-receive-pack',
        body: pushBody([command('refs/heads/main', first.oid)], pack(entries)),
      })
    await metered.create('free')
    await send('free')
    await metered.create('blocked')
    mkdirSync(join(packFolder('blocked'), packIn('free'), 'in the way'), { recursive: true })
    const before = await freshScrape(metered.node.ports.internal)
    const expected = {
      ...(await send('blocked')),
      [late('receive_pack')]: 1,
      [keyOf('guts_git_operations_total', { service: 'receive_pack', version: '0', result: 'failed' })]: 1,
    }
    await expect
      .poll(async () => changes(before, await freshScrape(metered.node.ports.internal)), PATIENCE)
      .toMatchObject(expected)
  })
})

/** I10: metrics of git move by exactly the right amount (Done when 6). */
import { readdirSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import {
  bulkheadWait,
  GIT_ROUTE,
  gitOperation,
  MeteredNode,
  packMoved,
  REPOSITORY_ROUTE,
  storageOperation,
} from './support/metered-node.ts'
import { type Change, expectChange, keyOf, requestChange, sum, type Series } from './support/metrics.ts'
import { blob, commit, pack, tag, tree, whole } from './support/pack-maker.ts'
import { ask } from './support/raw-http.ts'
import { command, FLUSH, NO_OID, pkt, postHeaders, pushBody } from './support/wire.ts'

const HELLO = blob('hello\n')
const TREE = tree(['100644', 'hello', HELLO.oid])
const FIRST = commit(TREE.oid)
const TAG = tag(FIRST.oid, 'commit')

let metered: MeteredNode

beforeAll(async () => {
  metered = await MeteredNode.start({}, 'damaged')
  await metered.create('site')
})

afterAll(() => metered[Symbol.asyncDispose]())

/** One after another: each begins with what the last one left. */
let last: Series | undefined
async function expectMore(action: () => Promise<Change>): Promise<void> {
  const before = last
  last = undefined
  last = await expectChange(metered.node.ports.internal, action, before)
}

describe('git', () => {
  const objects = pack([HELLO, TREE, FIRST, TAG].map((one) => whole(one)))

  it('a push, with objects of each type', async () => {
    await expectMore(async () =>
      sum(
        await metered.post({
          repository: 'alice/site',
          service: 'git-receive-pack',
          body: pushBody([command('refs/heads/main', FIRST.oid), command('refs/tags/v1', TAG.oid)], objects),
        }),
        gitOperation('receive_pack', '0', 'ok'),
        packMoved('in', 4, objects.length),
        bulkheadWait('push'),
        ...['pack_write', 'pack_publish', 'refs_update', 'refs_project', 'refs_read'].map((name) =>
          storageOperation(name),
        ),
        { guts_storage_packs: 1 },
        ...['commit', 'tree', 'blob', 'tag'].map((type) => ({ [keyOf('guts_storage_objects_total', { type })]: 1 })),
      ),
    )
  })

  it('a push that is refused: the ref is there', async () => {
    await expectMore(async () =>
      sum(
        await metered.post({
          repository: 'alice/site',
          service: 'git-receive-pack',
          body: pushBody([command('refs/heads/main', FIRST.oid)], objects),
        }),
        gitOperation('receive_pack', '0', 'refused'),
        packMoved('in', 4, objects.length),
        bulkheadWait('push'),
        storageOperation('pack_write'),
        storageOperation('refs_read'),
      ),
    )
  })

  it('a push of what is no pack', async () => {
    const bad = Buffer.concat([objects.subarray(0, -1), Buffer.of(objects.at(-1) ?? 0 ^ 1)])
    bad[bad.length - 1] = (bad[bad.length - 1] ?? 0) ^ 1
    await expectMore(async () =>
      sum(
        await metered.post({
          repository: 'alice/site',
          service: 'git-receive-pack',
          body: pushBody([command('refs/heads/other', FIRST.oid)], bad),
        }),
        gitOperation('receive_pack', '0', 'refused'),
        { [keyOf('guts_git_pack_bytes_total', { direction: 'in' })]: bad.length },
        bulkheadWait('push'),
        storageOperation('pack_write'),
      ),
    )
  })

  it.for([
    { service: 'git-upload-pack', version: '0' },
    { service: 'git-upload-pack', version: '1' },
    { service: 'git-receive-pack', version: '0' },
  ] as const)('a listing of $service in version $version', async ({ service, version }) => {
    const headers = postHeaders({ service, version, token: metered.token, headers: {} })
    const path = `/git/alice/site/info/refs?service=${service}`
    await expectMore(async () =>
      sum(
        await metered.request({ path, headers }, `${GIT_ROUTE}/info/refs`, 200),
        gitOperation(service === 'git-upload-pack' ? 'upload_pack' : 'receive_pack', version, 'ok'),
        storageOperation('refs_read'),
      ),
    )
  })

  it('what version 2 offers is no operation, ls-refs is one', async () => {
    const headers = postHeaders({ service: 'git-upload-pack', version: '2', token: metered.token, headers: {} })
    await expectMore(() =>
      metered.request(
        { path: '/git/alice/site/info/refs?service=git-upload-pack', headers },
        `${GIT_ROUTE}/info/refs`,
        200,
      ),
    )
    await expectMore(async () =>
      sum(
        await metered.post({
          repository: 'alice/site',
          service: 'git-upload-pack',
          version: '2',
          body: Buffer.concat([pkt('command=ls-refs\n'), Buffer.from('0001'), FLUSH]),
        }),
        gitOperation('upload_pack', '2', 'ok'),
        storageOperation('refs_read'),
      ),
    )
  })

  it('a clone without bands, whose bytes are the pack', async () => {
    const body = Buffer.concat([pkt(`want ${TAG.oid} ofs-delta\n`), FLUSH, pkt('done\n')])
    await expectMore(async () => {
      const headers = postHeaders({ service: 'git-upload-pack', version: '0', token: metered.token, headers: {} })
      const path = '/git/alice/site/git-upload-pack'
      const answer = await ask(metered.node.ports.api, { method: 'POST', path, headers, body })
      const nak = Buffer.from('0008NAK\n')
      expect(answer.body.subarray(0, nak.length)).toEqual(nak)
      const sent = answer.body.subarray(nak.length)
      expect(sent.toString('latin1', 0, 4)).toBe('PACK')
      expect(sent.readUInt32BE(8)).toBe(4)
      return sum(
        requestChange({
          method: 'POST',
          route: `${GIT_ROUTE}/git-upload-pack`,
          status: 200,
          bytesIn: body.length,
          bytesOut: answer.body.length,
        }),
        gitOperation('upload_pack', '0', 'ok'),
        packMoved('out', 4, sent.length),
        bulkheadWait('fetch'),
        storageOperation('refs_read'),
      )
    })
  })

  it('a fetch of what is not there', async () => {
    const body = Buffer.concat([pkt(`want ${'1'.repeat(40)} ofs-delta\n`), FLUSH, pkt('done\n')])
    await expectMore(async () =>
      sum(
        await metered.post({ repository: 'alice/site', service: 'git-upload-pack', body }),
        gitOperation('upload_pack', '0', 'refused'),
        storageOperation('refs_read'),
      ),
    )
  })

  it('a look at a history', async () => {
    await expectMore(async () =>
      sum(
        await metered.request({ path: '/api/repos/alice/site/commits' }, `${REPOSITORY_ROUTE}/commits`, 200),
        storageOperation('object_read'),
        storageOperation('refs_read'),
        bulkheadWait('browse'),
      ),
    )
  })

  it('a ref that is deleted: the objects stay', async () => {
    await expectMore(async () =>
      sum(
        await metered.post({
          repository: 'alice/site',
          service: 'git-receive-pack',
          body: pushBody([command('refs/tags/v1', NO_OID, TAG.oid)]),
        }),
        gitOperation('receive_pack', '0', 'ok'),
        ...['refs_update', 'refs_project', 'refs_read'].map((name) => storageOperation(name)),
      ),
    )
  })

  it('fails when the objects are gone from the disk', async () => {
    const packs = join(metered.node.dataDirectory, 'repositories/alice/site.git', 'objects/pack')
    for (const name of readdirSync(packs)) rmSync(join(packs, name))
    const body = Buffer.concat([pkt(`want ${FIRST.oid} ofs-delta\n`), FLUSH, pkt('done\n')])
    await expectMore(async () =>
      sum(
        await metered.post({ repository: 'alice/site', service: 'git-upload-pack', body }),
        gitOperation('upload_pack', '0', 'failed'),
        bulkheadWait('fetch'),
        // Once for the fetch, and once to see whether the repository was deleted meanwhile.
        storageOperation('refs_read', 2),
      ),
    )
  })
})

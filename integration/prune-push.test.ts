/** I2: what a running push leans on may be pruned meanwhile; then it is refused, and goes through when it is made again. */
import { basename, join } from 'node:path'
import { expect, it, vi } from 'vitest'
import { diskFileSystem, type FileSystem } from '../src/storage/file-system.ts'
import { repositoriesIn } from './crash-states/repositories-in.ts'
import { fsckAll, Git, temporaryFolder } from './support/git.ts'
import { createUserHere, startNodeHere } from './support/node-in-process.ts'
import { blob, commit, pack, tree, whole } from './support/pack-maker.ts'
import { type GitReply, command, NO_OID, post, pushBody } from './support/wire.ts'

const PATIENCE = { timeout: 20_000, interval: 100 }
const MAIN = 'refs/heads/main'
const SIDE = 'refs/heads/side'
const LONGER_THAN_GRACE_MS = 15 * 24 * 3_600_000

it('a push that builds on what is pruned while it is checked is refused, and can be made again', async () => {
  using folder = temporaryFolder('prune-push')
  const data = join(folder.path, 'data')
  let meet: (() => Promise<unknown>) | undefined
  let meetAt = 'incoming.idx'
  const fileSystem: FileSystem = {
    ...diskFileSystem,
    create: async (path, mode) => {
      const file = await diskFileSystem.create(path, mode)
      if (basename(path) !== meetAt || meet === undefined) return file
      const work = meet
      meet = undefined
      if (meetAt === 'incoming.pack') {
        const write = (bytes: Uint8Array, at: number): Promise<void> =>
          file.write(bytes, at).then(async () => void (await work()))
        return { write, sync: () => file.sync(), close: () => file.close() }
      }
      // The last thing that a push does before it waits for the repository's lock.
      const close = (): Promise<void> => file.close().then(async () => void (await work()))
      return { write: (bytes, at) => file.write(bytes, at), sync: () => file.sync(), close }
    },
  }
  const node = await startNodeHere(data, fileSystem)
  try {
    const token = await createUserHere(node, 'alice')
    const headers = { authorization: `Bearer ${token}`, 'content-type': 'application/json' }
    const body = JSON.stringify({ name: 'site' })
    await fetch(`http://127.0.0.1:${node.apiPort}/api/repos`, { method: 'POST', headers, body })
    const push = async (
      commands: readonly Buffer[],
      bytes?: Buffer,
    ): Promise<GitReply['lines'][number] | undefined> => {
      const request = { port: node.apiPort, repository: 'alice/site', service: 'git-receive-pack' as const, token }
      // The node shares its event loop with the test, and sheds what comes while that is busy.
      return vi.waitFor(async () => {
        const reply = await post({ ...request, body: pushBody(commands, bytes) })
        expect(reply.status).toBe(200)
        return reply.lines[1]
      }, PATIENCE)
    }
    const [site] = await repositoriesIn(node.data.database)
    if (site === undefined) throw new Error('There is no repository')
    const prune = (afterMs: number) =>
      node.data.housekeeping.runs.prune(site, { aim: 'all', nowMs: Date.now() + afterMs })

    const file = blob('a file\n')
    const top = tree(['100644', 'file', file.oid])
    const first = commit(top.oid)
    const side = commit(top.oid, [first.oid], 'to the side\n')
    const later = commit(top.oid, [side.oid], 'on what is to the side\n')
    expect(await push([command(MAIN, first.oid)], pack([whole(file), whole(top), whole(first)]))).toBe(`ok ${MAIN}\n`)
    expect(await push([command(SIDE, side.oid)], pack([whole(side)]))).toBe(`ok ${SIDE}\n`)
    expect(await push([command(SIDE, NO_OID, side.oid)])).toBe(`ok ${SIDE}\n`)
    expect(await prune(0)).toMatchObject({ packs: 2, unreachable: 1, prunedObjects: 0 })

    let pruned: Awaited<ReturnType<typeof prune>>
    meet = async () => (pruned = await prune(LONGER_THAN_GRACE_MS))
    // It was good when it was checked: what it names was there.
    expect(await push([command(SIDE, later.oid)], pack([whole(later)]))).toBe(
      `ng ${SIDE} what it builds on was taken away while it was checked; try again\n`,
    )
    expect(pruned).toMatchObject({ packs: 1, objects: 0, unreachable: 0, prunedObjects: 1 })
    const git = new Git(join(data, 'repositories/alice/site.git'))
    expect((await git.try(['cat-file', '-e', side.oid])).code).not.toBe(0)
    await fsckAll(join(data, 'repositories'))
    expect(await push([command(SIDE, later.oid)], pack([whole(later)]))).toBe(`ng ${SIDE} unpacker error\n`)
    // git finds by itself what to send: what is not there any more as well.
    expect(await push([command(SIDE, later.oid)], pack([whole(side), whole(later)]))).toBe(`ok ${SIDE}\n`)
    await git.run('rev-list', '--objects', SIDE)
    await fsckAll(join(data, 'repositories'))

    // What is pruned while a pack comes is nothing to it: it is checked afterwards.
    expect(await push([command(SIDE, NO_OID, later.oid)])).toBe(`ok ${SIDE}\n`)
    expect(await prune(0)).toMatchObject({ unreachable: 2 })
    meetAt = 'incoming.pack'
    meet = async () => (pruned = await prune(LONGER_THAN_GRACE_MS))
    const next = commit(top.oid, [first.oid], 'next\n')
    expect(await push([command(MAIN, next.oid, first.oid)], pack([whole(next)]))).toBe(`ok ${MAIN}\n`)
    expect(pruned).toMatchObject({ prunedObjects: 2 })
    await fsckAll(join(data, 'repositories'))
    const text = await node.metrics.registry.metrics()
    expect(text).toContain('guts_maintenance_pruned_objects_total 3')
    const [, bytes] = /^guts_maintenance_pruned_bytes_total (\d+)$/m.exec(text) ?? []
    expect(Number(bytes)).toBeGreaterThan(pruned?.prunedBytes ?? Number.NaN)
    expect(pruned?.prunedBytes).toBeGreaterThan(100)
  } finally {
    await node.stop()
  }
})

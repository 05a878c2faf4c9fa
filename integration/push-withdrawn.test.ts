/** I2: a push that was checked against what another one had published does not outlive that one's failure. */
import { readdirSync } from 'node:fs'
import { basename, join } from 'node:path'
import { expect, it } from 'vitest'
import { diskFileSystem, type FileSystem } from '../src/storage/file-system.ts'
import { fsckAll, temporaryFolder } from './support/git.ts'
import { createUserHere, startNodeHere } from './support/node-in-process.ts'
import { blob, commit, pack, tree, whole } from './support/pack-maker.ts'
import { type GitReply, command, post, pushBody } from './support/wire.ts'

/** Calls `meet` while the first pack of a repository is in its place and not durable yet, and then fails. */
class FailingDisk {
  meet: (() => Promise<void>) | undefined
  readonly fileSystem: FileSystem
  #indexes = 0
  #onIndex: (() => void) | undefined

  constructor() {
    this.fileSystem = {
      ...diskFileSystem,
      create: async (path, mode) => {
        const file = await diskFileSystem.create(path, mode)
        if (basename(path) !== 'incoming.idx') return file
        // The last thing that a push does before it waits for the repository's lock.
        const close = async (): Promise<void> => {
          await file.close()
          this.#indexes++
          this.#onIndex?.()
        }
        return { write: (bytes, at) => file.write(bytes, at), sync: () => file.sync(), close }
      },
      syncDirectory: async (path) => {
        const meet = basename(path) === 'pack' ? this.meet : undefined
        if (meet === undefined) return diskFileSystem.syncDirectory(path)
        this.meet = undefined
        await meet()
        throw new Error('This disk fails')
      },
    }
  }

  async indexes(count: number): Promise<void> {
    while (this.#indexes < count) await new Promise<void>((resolve) => (this.#onIndex = resolve))
  }
}

it('a push that builds on a pack that goes again is refused, and can be made again', async () => {
  using folder = temporaryFolder('push-withdrawn')
  const data = join(folder.path, 'data')
  const disk = new FailingDisk()
  const node = await startNodeHere(data, disk.fileSystem)
  try {
    const token = await createUserHere(node, 'alice')
    const create = await fetch(`http://127.0.0.1:${node.apiPort}/api/repos`, {
      method: 'POST',
      headers: { authorization: `Bearer ${token}`, 'content-type': 'application/json' },
      body: JSON.stringify({ name: 'site' }),
    })
    expect(create.status).toBe(201)
    const push = (ref: string, oid: string, bytes: Buffer): Promise<GitReply> => {
      const body = pushBody([command(ref, oid)], bytes)
      return post({ port: node.apiPort, repository: 'alice/site', service: 'git-receive-pack', token, body })
    }
    const file = blob('a file\n')
    const top = tree(['100644', 'file', file.oid])
    const first = commit(top.oid)
    const second = commit(top.oid, [first.oid], 'on the first one\n')
    const withFirst = pack([whole(file), whole(top), whole(first)])

    let later: Promise<GitReply> | undefined
    disk.meet = async () => {
      later = push('refs/heads/second', second.oid, pack([whole(second)]))
      await disk.indexes(2)
    }
    const failed = await push('refs/heads/first', first.oid, withFirst)
    expect(failed.lines).toEqual(['unpack internal error of the server\n', 'ng refs/heads/first unpacker error\n'])
    const reply = await later
    expect(reply?.lines[1]).toBe(
      'ng refs/heads/second what it builds on was taken away while it was checked; try again\n',
    )
    expect(readdirSync(join(data, 'repositories/alice/site.git/objects/pack'))).toEqual([])

    expect((await push('refs/heads/first', first.oid, withFirst)).lines[1]).toBe('ok refs/heads/first\n')
    const again = await push('refs/heads/second', second.oid, pack([whole(second)]))
    expect(again.lines[1]).toBe('ok refs/heads/second\n')
    await fsckAll(join(data, 'repositories'))
  } finally {
    await node.stop()
  }
})

/** A node that is told to end gives up what it does to its packs, and leaves them as they were. */
import { readdirSync } from 'node:fs'
import { basename, join } from 'node:path'
import { expect, it } from 'vitest'
import { diskFileSystem, type FileSystem } from '../src/storage/file-system.ts'
import { fsckAll, temporaryFolder } from './support/git.ts'
import { createUserHere, startNodeHere } from './support/node-in-process.ts'
import { Client } from './crash-states/client.ts'
import { repositoriesIn } from './crash-states/repositories-in.ts'

it('maintenance ends with the node, at once and without harm', async () => {
  using folder = temporaryFolder('maintenance-stop')
  const data = join(folder.path, 'data')
  let onPack: (() => void) | undefined
  const fileSystem: FileSystem = {
    ...diskFileSystem,
    create: async (path, mode) => {
      const file = await diskFileSystem.create(path, mode)
      if (basename(path) === 'incoming.pack') onPack?.()
      return file
    },
  }
  const node = await startNodeHere(data, fileSystem)
  try {
    const client = new Client(folder.path, await createUserHere(node, 'alice'))
    await client.create(node)
    await client.git.run('init', '--quiet', '--initial-branch=main')
    for (const text of ['a', 'b']) await client.push(node, `${await client.commit(text, { text })}:refs/heads/main`)
    const packs = join(data, 'repositories/alice/site.git/objects/pack')
    const before = readdirSync(packs)
    const [site] = await repositoriesIn(node.data.database)
    if (site === undefined) throw new Error('There is no repository')
    let stopped: Promise<void> | undefined
    onPack = () => void (stopped ??= node.stop())
    await expect(node.data.housekeeping.runs.prune(site, { aim: 'all', nowMs: Date.now() })).rejects.toThrow(/abort/i)
    await stopped
    expect(readdirSync(packs)).toEqual(before)
    expect(readdirSync(join(data, 'quarantine'))).toEqual([])
    const text = await node.metrics.registry.metrics()
    expect(text).toContain('guts_maintenance_runs_total{result="stopped"} 1')
    await fsckAll(join(data, 'repositories'))
  } finally {
    await node.stop()
  }
})

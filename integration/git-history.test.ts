/** Done-when 2, second half: a real history goes in by push and comes out by clone, object for object. */
import { execFileSync } from 'node:child_process'
import { join } from 'node:path'
import { expect, it } from 'vitest'
import { fsck, Git, temporaryFolder } from './support/git.ts'
import { importHistory } from './support/history.ts'
import { NodeHost } from './support/hosts.ts'
import { NodeProcess } from './support/node-process.ts'

const SEED = 20_261_124
const COMMITS = 12_000

it(`${COMMITS} commits with merges and tags, seed ${SEED}`, async () => {
  using folder = temporaryFolder('history')
  await using node = await NodeProcess.start()
  const { url, gitDirectory } = await (await NodeHost.on(node)).create('history')
  const source = join(folder.path, 'source.git')
  execFileSync('git', ['init', '--quiet', '--bare', '--initial-branch=main', source])
  const shape = { commits: COMMITS, filesPerCommit: 2, fileBytes: 400, mergeEvery: 15, tagEvery: 50 }
  await importHistory(source, { seed: SEED, ...shape })
  const git = new Git(source)
  expect(Number(await git.run('rev-list', '--count', '--all'))).toBeGreaterThanOrEqual(10_000)
  expect(Number(await git.run('rev-list', '--count', '--merges', '--all'))).toBeGreaterThan(100)

  // In two pushes, so that the second one is thin and grows on what is there.
  await git.run('push', '--quiet', url, 'main~400:refs/heads/main')
  await git.run('push', '--quiet', '--mirror', url)
  await fsck(gitDirectory)
  await git.run('clone', '--quiet', '--mirror', url, join(folder.path, 'clone.git'))

  const listing = ['rev-list', '--objects', '--all'] as const
  const clone = new Git(join(folder.path, 'clone.git'))
  const refs = ['for-each-ref', '--format=%(refname) %(objectname)'] as const
  expect(await clone.run(...refs)).toBe(await git.run(...refs))
  expect(await clone.run(...listing)).toBe(await git.run(...listing))
  await fsck(join(folder.path, 'clone.git'))
})

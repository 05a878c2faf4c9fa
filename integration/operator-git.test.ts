/** Operators' habits: git's own maintenance in a bare repository that is being served (DESIGN §6: harmless). */
import { mkdirSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import { expect, it } from 'vitest'
import { fsck, Git, temporaryFolder } from './support/git.ts'
import { NodeHost } from './support/hosts.ts'
import { NodeProcess } from './support/node-process.ts'

const PUSHES = 12

it.each([
  { name: 'git repack -a -d', command: ['repack', '-a', '-d', '-q'] },
  { name: 'git gc', command: ['gc', '--quiet'] },
  { name: 'git gc --prune=now', command: ['gc', '--quiet', '--prune=now'] },
  { name: 'git pack-refs --all', command: ['pack-refs', '--all'] },
])('$name without pause loses no push that was acknowledged', async ({ command }) => {
  using folder = temporaryFolder('operator')
  await using node = await NodeProcess.start({ environment: { GUTS_RATE_LIMIT: '0' } })
  const { url, gitDirectory } = await (await NodeHost.on(node)).create('site')
  mkdirSync(join(folder.path, 'work'))
  const work = new Git(join(folder.path, 'work'))
  await work.run('init', '--quiet', '--initial-branch=main')
  const done = new AbortController()
  const operator = (async () => {
    const git = new Git(gitDirectory)
    // What git says while refs and packs come and go under it is its own affair.
    while (!done.signal.aborted) await git.try(command)
  })()
  const pushed = new Map<string, string>()
  try {
    for (let i = 0; i < PUSHES; i++) {
      await work.commit(`commit ${i}`)
      const oid = await work.run('rev-parse', 'HEAD')
      await work.run('push', '--quiet', url, `HEAD:refs/heads/b${i}`)
      pushed.set(`refs/heads/b${i}`, oid)
    }
  } finally {
    done.abort()
    await operator
  }
  const listed = await work.run('ls-remote', url, 'refs/heads/*')
  expect(new Map(listed.split('\n').map((line) => [line.slice(41), line.slice(0, 40)]))).toEqual(pushed)
  await work.run('clone', '--quiet', '--mirror', url, join(folder.path, 'clone.git'))
  await fsck(gitDirectory)
  await fsck(join(folder.path, 'clone.git'))
})

it('a repository without its refs folder is one again after a start', async () => {
  using folder = temporaryFolder('operator')
  const dataDirectory = join(folder.path, 'data')
  let node = await NodeProcess.start({ dataDirectory })
  const host = await NodeHost.on(node)
  const { url, gitDirectory } = await host.create('site')
  mkdirSync(join(folder.path, 'work'))
  const work = new Git(join(folder.path, 'work'))
  await work.run('init', '--quiet', '--initial-branch=main')
  await work.commit('one')
  await work.run('push', '--quiet', url, 'main')
  await node.stop()
  rmSync(join(gitDirectory, 'refs'), { recursive: true })
  node = await NodeProcess.start({ dataDirectory })
  try {
    expect(await new Git(gitDirectory).run('rev-parse', 'main')).toBe(await work.run('rev-parse', 'main'))
    await fsck(gitDirectory)
  } finally {
    await node[Symbol.asyncDispose]()
  }
})

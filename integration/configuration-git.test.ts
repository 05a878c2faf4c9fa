/** Each budget of git, by the machine's git: what is at the limit passes, one more is told which limit it is (I7). */
import { randomBytes } from 'node:crypto'
import { readdirSync, utimesSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { gutsJson } from './support/command-line.ts'
import { fsck, Git, type GitOutcome, temporaryFolder } from './support/git.ts'
import { NodeHost } from './support/hosts.ts'
import { NodeProcess } from './support/node-process.ts'

let folder: ReturnType<typeof temporaryFolder>
let git: Git

beforeEach(async () => {
  folder = temporaryFolder('configuration')
  git = new Git(folder.path)
  await git.run('init', '--quiet', '--initial-branch=main')
})

afterEach(() => folder[Symbol.dispose]())

/** Commits files of random bytes, which no delta makes smaller. */
async function commitFiles(...sizes: number[]): Promise<void> {
  for (const [index, size] of sizes.entries()) {
    writeFileSync(join(folder.path, `file-${index}-${randomBytes(4).toString('hex')}`), randomBytes(size))
  }
  await git.commit('files')
}

async function hostWith(environment: Record<string, string>) {
  const node = await NodeProcess.start({ environment })
  const host = await NodeHost.on(node)
  return { node, ...(await host.create('site')) }
}

function expectRefused({ code, stderr }: GitOutcome, limit: string | number): void {
  expect(code).not.toBe(0)
  expect(stderr).toMatch(/limit/i)
  expect(stderr).toContain(String(limit))
}

const push = (url: string, ...refs: string[]): Promise<GitOutcome> => git.try(['push', url, ...refs])

describe('a push', () => {
  it('GUTS_MAX_PACK_OBJECTS: three objects and four', async () => {
    const { node, url, gitDirectory } = await hostWith({ GUTS_MAX_PACK_OBJECTS: '3' })
    await using _node = node
    await commitFiles(10)
    expect((await push(url, 'main')).code).toBe(0)
    await git.run('checkout', '--quiet', '--orphan', 'other')
    await commitFiles(20, 30)
    expectRefused(await push(url, 'other'), 3)
    await fsck(gitDirectory)
  })

  it.each([
    { name: 'GUTS_MAX_OBJECT_SIZE_MB', sizes: [2 ** 20], more: [2 ** 20 + 1] },
    { name: 'GUTS_MAX_INFLATED_SIZE_MB', sizes: [2 ** 19, 2 ** 18], more: [2 ** 19, 2 ** 19] },
  ])('$name: one MB and more', async ({ name, sizes, more }) => {
    const { node, url, gitDirectory } = await hostWith({ [name]: '1' })
    await using _node = node
    await commitFiles(...sizes)
    expect(await push(url, 'main')).toMatchObject({ code: 0 })
    await git.run('checkout', '--quiet', '--orphan', 'other')
    await git.run('rm', '--quiet', '-rf', '.')
    await commitFiles(...more)
    expectRefused(await push(url, 'other'), 2 ** 20)
    await fsck(gitDirectory)
  })

  it('GUTS_MAX_DELTA_DEPTH: chains of so many deltas, and of one more', async () => {
    const { node, url } = await hostWith({ GUTS_MAX_DELTA_DEPTH: '2' })
    await using _node = node
    // A window that slides over random blocks: the nearest version is the best base, so chains get as long as they may.
    const blocks = Array.from({ length: 28 }, () => randomBytes(500))
    for (let number = 0; number < 8; number++) {
      writeFileSync(join(folder.path, 'file'), Buffer.concat(blocks.slice(number, number + 20)))
      await git.commit(`version ${number}`)
    }
    const repack = async (depth: number): Promise<void> => {
      await git.run('repack', '-adfq', `--depth=${depth}`, '--window=10')
      const [pack = ''] = readdirSync(join(folder.path, '.git/objects/pack')).filter((name) => name.endsWith('.idx'))
      const listing = await git.run('verify-pack', '-v', join('.git/objects/pack', pack))
      expect(listing).toContain(`chain length = ${depth}:`)
      expect(listing).not.toContain(`chain length = ${depth + 1}:`)
    }
    await repack(3)
    expectRefused(await push(url, 'main'), 2)
    await repack(2)
    expect(await push(url, 'main')).toMatchObject({ code: 0 })
  })

  it('GUTS_MAX_PUSH_COMMANDS: two refs and three', async () => {
    const { node, url } = await hostWith({ GUTS_MAX_PUSH_COMMANDS: '2' })
    await using _node = node
    await commitFiles(10)
    expectRefused(await push(url, 'main:a', 'main:b', 'main:c'), 2)
    expect(await push(url, 'main:a', 'main:b')).toMatchObject({ code: 0 })
  })
})

describe('a fetch', () => {
  /** Branches of histories that have nothing in common: each is a want of its own. */
  async function withBranches(count: number, environment: Record<string, string>) {
    const host = await hostWith(environment)
    for (let number = 0; number < count; number++) {
      await git.run('checkout', '--quiet', '--orphan', `branch-${number}`)
      await commitFiles(10)
    }
    expect(await push(host.url, '--all')).toMatchObject({ code: 0 })
    return host
  }

  it.each(['0', '2'])('GUTS_MAX_WANTS: two objects and three, in protocol %s', async (version) => {
    const { node, url } = await withBranches(3, { GUTS_MAX_WANTS: '2' })
    await using _node = node
    const protocol = ['-c', `protocol.version=${version}`]
    const fetch = (...branches: string[]): Promise<GitOutcome> =>
      new Git(folder.path, protocol).try([
        'fetch',
        url,
        ...branches.map((branch) => `${branch}:got/${version}/${branch}`),
      ])
    using empty = temporaryFolder('configuration')
    const clone = new Git(empty.path, protocol)
    expectRefused(await clone.try(['clone', '--quiet', url, 'all']), 2)
    expect(await clone.try(['clone', '--quiet', '--single-branch', '-b', 'branch-0', url, 'one'])).toMatchObject({
      code: 0,
    })
    expect(await fetch('branch-0', 'branch-1')).toMatchObject({ code: 0 })
  })

  it.each(['0', '2'])('GUTS_MAX_HAVES: so many commits that are here, in protocol %s', async (version) => {
    const { node, url } = await withBranches(1, { GUTS_MAX_HAVES: '20' })
    await using _node = node
    using other = temporaryFolder('configuration')
    const stranger = new Git(other.path, ['-c', `protocol.version=${version}`])
    await stranger.run('init', '--quiet')
    await stranger.commit('few')
    expect(await stranger.try(['fetch', url, 'branch-0'])).toMatchObject({ code: 0 })
    await stranger.run('update-ref', '-d', 'FETCH_HEAD').catch(() => '')
    using third = temporaryFolder('configuration')
    const many = new Git(third.path, ['-c', `protocol.version=${version}`])
    await many.run('init', '--quiet')
    for (let number = 0; number < 60; number++) await many.commit(`${number}`)
    expectRefused(await many.try(['fetch', url, 'branch-0']), 20)
  })

  it.each(['0', '2'])('GUTS_MAX_ADVERTISED_REFS: two refs and three, in protocol %s', async (version) => {
    const { node, url } = await withBranches(2, { GUTS_MAX_ADVERTISED_REFS: '2' })
    await using _node = node
    const list = (): Promise<GitOutcome> =>
      new Git(folder.path, ['-c', `protocol.version=${version}`]).try(['ls-remote', url])
    expect(await list()).toMatchObject({ code: 0 })
    await push(url, 'branch-0:refs/heads/third')
    expectRefused(await list(), 2)
  })
})

describe('maintenance', () => {
  it.each([
    { days: '1', pruned: 1 },
    { days: '3', pruned: 0 },
  ])('GUTS_PRUNE_GRACE_DAYS: after $days days, of what is two days old $pruned go', async ({ days, pruned }) => {
    const { node, url, gitDirectory } = await hostWith({ GUTS_PRUNE_GRACE_DAYS: days })
    await using _node = node
    await commitFiles(10)
    expect((await push(url, 'main')).code).toBe(0)
    // Nothing that was pushed is two days old: git is told that a file of an operator is.
    const stored = new Git(gitDirectory)
    const oid = (await stored.try(['hash-object', '-w', '--stdin'], Buffer.from('left behind\n'))).stdout.trim()
    const twoDaysAgo = new Date(Date.now() - 2 * 24 * 3_600_000)
    utimesSync(join(gitDirectory, 'objects', oid.slice(0, 2), oid.slice(2)), twoDaysAgo, twoDaysAgo)
    await stored.run('repack', '--cruft', '-d', '--quiet')
    const [row] = await gutsJson<{ pruned_objects: number }[]>(['repo', 'gc', '--all'], node.environment)
    expect(row?.pruned_objects).toBe(pruned)
    expect((await stored.try(['cat-file', '-e', oid])).code === 0).toBe(pruned === 0)
    await fsck(gitDirectory)
  })
})

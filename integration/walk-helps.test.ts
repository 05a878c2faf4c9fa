/** Bitmaps and commit-graphs: written beside a node at work, read by C git, and by the node, whose answers they leave alone. */
import { existsSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, it } from 'vitest'
import { guts, gutsJson } from './support/command-line.ts'
import { contentsOf, fsck, Git, temporaryFolder } from './support/git.ts'
import { importHistory } from './support/history.ts'
import { NodeHost } from './support/hosts.ts'
import { freshScrape, keyOf } from './support/metrics.ts'
import { NodeProcess } from './support/node-process.ts'

const folder = temporaryFolder('walk-helps')
const source = join(folder.path, 'source.git')
let node: NodeProcess
let site: Awaited<ReturnType<NodeHost['create']>>
let git: Git

beforeAll(async () => {
  await new Git(folder.path).run('init', '--quiet', '--bare', '--initial-branch=main', source)
  const shape = { commits: 700, filesPerCommit: 1, mergeEvery: 9, tagEvery: 100, fileBytes: 200 }
  await importHistory(source, { seed: 1, ...shape })
  git = new Git(source)
  node = await NodeProcess.start({ environment: { GUTS_RATE_LIMIT: '0' } })
  site = await (await NodeHost.on(node)).create('large')
  await git.run('push', '--quiet', '--mirror', site.url)
})
afterAll(async () => {
  await node[Symbol.asyncDispose]()
  folder[Symbol.dispose]()
})

const bitmaps = (): string[] =>
  readdirSync(join(site.gitDirectory, 'objects/pack')).filter((name) => name.endsWith('.bitmap'))
const graph = (): string => join(site.gitDirectory, 'objects/info/commit-graph')

/** As C git finds it, by our bitmaps and without. */
async function expectReachable(): Promise<void> {
  const stored = new Git(site.gitDirectory)
  await stored.run('commit-graph', 'verify')
  const list = async (...args: string[]): Promise<string[]> => {
    const text = await stored.run('rev-list', '--objects', '--no-object-names', ...args, '--all')
    return text.split('\n').sort()
  }
  expect(await list('--use-bitmap-index')).toEqual(await list())
}

async function expectClones(label: string): Promise<void> {
  const whole = join(folder.path, `${label}.git`)
  await new Git(folder.path).run('clone', '--quiet', '--mirror', site.url, whole)
  await fsck(whole)
  expect(await contentsOf(whole)).toEqual(await contentsOf(source))
  const blobless = join(folder.path, `${label}-blobless.git`)
  await new Git(folder.path).run('clone', '--quiet', '--mirror', '--filter=blob:none', site.url, blobless)
  const types = await new Git(blobless).run('cat-file', '--batch-all-objects', '--batch-check=%(objecttype)')
  const counted = Number(await git.run('rev-list', '--objects', '--filter=blob:none', '--count', '--all'))
  // What is lazily fetched by a look at everything is nothing here: batch-all-objects names what is there.
  expect(types.split('\n').filter((type) => type !== 'blob')).toHaveLength(counted)
  expect(types).not.toContain('blob')
}

it('come by themselves after a push that brought many objects', async () => {
  await expect.poll(bitmaps, { timeout: 20_000 }).toHaveLength(1)
  await expect.poll(() => existsSync(graph())).toBe(true)
  const message = 'Bitmaps and the commit-graph were written'
  await expect
    .poll(() => node.lines().find(({ msg }) => msg === message), { timeout: 20_000 })
    .toMatchObject({
      operation: 'maintenance',
      repository: 'alice/large',
    })
  const series = await freshScrape(node.ports.internal)
  for (const kind of ['bitmap', 'commit_graph']) {
    expect(series.get(keyOf('guts_maintenance_files_written_total', { kind }))).toBe(1)
  }
  await expectReachable()
  await expectClones('first')
})

it('help where more was pushed since', async () => {
  const tree = await git.run('rev-parse', 'main^{tree}')
  const next = await git.run('commit-tree', '-p', 'main', '-m', 'later', tree)
  await git.run('update-ref', 'refs/heads/main', next)
  await git.run('push', '--quiet', '--mirror', site.url)
  // A push of one commit is worth no run: what there is stays.
  expect(bitmaps()).toHaveLength(1)
  await expectClones('later')
})

it('are written anew by guts repo gc, for the one pack that it leaves', async () => {
  const [before] = bitmaps()
  await gutsJson(['repo', 'gc', 'alice/large'], node.environment)
  expect(bitmaps()).toHaveLength(1)
  expect(bitmaps()).not.toEqual([before])
  await expectReachable()
  await fsck(site.gitDirectory)
  await expectClones('gc')
})

it('are done without where they are damaged, and guts repo fsck tells of them', async () => {
  const [bitmap = ''] = bitmaps()
  const paths = [graph(), join(site.gitDirectory, 'objects/pack', bitmap)]
  for (const path of paths) {
    const bytes = readFileSync(path)
    bytes[Math.floor(bytes.length / 2)]! ^= 1
    rmSync(path)
    writeFileSync(path, bytes)
  }
  await expectClones('damaged')
  const { exitCode, stdout } = await guts(['repo', 'fsck', 'alice/large', '--json'], node.environment)
  expect(exitCode).toBe(1)
  const [{ problems }] = JSON.parse(stdout) as [{ problems: { message: string }[] }]
  expect(problems.map(({ message }) => message.split(':')[0])).toEqual([
    'objects/info/commit-graph',
    `objects/pack/${bitmap}`,
  ])
  await gutsJson(['repo', 'gc', 'alice/large'], node.environment)
  expect((await guts(['repo', 'fsck', 'alice/large'], node.environment)).exitCode).toBe(0)
})

/** Packs are brought together while people push and clone: nobody waits, nothing is lost, and metrics tell of it. */
import { createHash } from 'node:crypto'
import { readdirSync, readFileSync, statSync, utimesSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { PACKS_OUTSIDE_MAX } from '../src/transfer/maintenance/runs.ts'
import { guts, gutsJson } from './support/command-line.ts'
import { contentsOf, fsck, Git, temporaryFolder } from './support/git.ts'
import { NodeHost } from './support/hosts.ts'
import { freshScrape, keyOf, type Series } from './support/metrics.ts'
import { NodeProcess } from './support/node-process.ts'

/** So long that git sends a change of it as a delta. */
const LINES = Array.from({ length: 400 }, (_, line) => `${createHash('sha1').update(String(line)).digest('hex')}\n`)

const folder = temporaryFolder('maintenance')
afterAll(() => folder[Symbol.dispose]())

interface Site {
  readonly name: string
  readonly git: Git
  readonly url: string
  readonly gitDirectory: string
}

async function createSite(host: NodeHost, name: string): Promise<Site> {
  const { url, gitDirectory } = await host.create(name)
  const git = new Git(folder.path).in(name)
  await new Git(folder.path).run('init', '--quiet', '--initial-branch=main', name)
  return { name, git, url, gitDirectory }
}

/** One commit each, so that each brings a pack. */
async function pushChanges({ git, url }: Site, from: number, to: number): Promise<void> {
  for (let change = from; change < to; change++) {
    writeFileSync(join(git.folder, 'lines.txt'), LINES.with(change, `change ${change}\n`).join(''))
    await git.commit(`change ${change}`)
    await git.run('push', '--quiet', url, 'HEAD:refs/heads/main')
  }
}

const packsOf = ({ gitDirectory }: Site): string[] =>
  readdirSync(join(gitDirectory, 'objects/pack')).filter((name) => name.endsWith('.pack'))

async function countObjects({ gitDirectory }: Site): Promise<Record<string, number>> {
  const text = await new Git(gitDirectory).run('count-objects', '-v')
  return Object.fromEntries(text.split('\n').map((line) => [line.split(': ')[0], Number(line.split(': ')[1])]))
}

async function expectClone({ url, git, name }: Site, number: number): Promise<void> {
  const clone = new Git(folder.path).in(`${name}-${number}.git`)
  await new Git(folder.path).run('clone', '--quiet', '--mirror', url, `${name}-${number}.git`)
  await fsck(clone.folder)
  const head = await clone.run('rev-parse', 'refs/heads/main')
  // Of the moment in which it began: a state that was pushed.
  await git.run('cat-file', '-e', `${head}^{commit}`)
  const objects = await git.run('rev-list', '--objects', '--no-object-names', head)
  expect((await contentsOf(clone.folder)).objects).toBe(objects.split('\n').sort().join('\n'))
}

const moved = (before: Series, after: Series, key: string): number => (after.get(key) ?? 0) - (before.get(key) ?? 0)

describe('a repository that is pushed to', () => {
  let node: NodeProcess
  let site: Site
  beforeAll(async () => {
    node = await NodeProcess.start({ environment: { GUTS_RATE_LIMIT: '0' } })
    site = await createSite(await NodeHost.on(node), 'busy')
  })
  afterAll(() => node[Symbol.asyncDispose]())

  it('is brought into order by itself, while clones go on', async () => {
    const before = await freshScrape(node.ports.internal)
    await pushChanges(site, 0, PACKS_OUTSIDE_MAX - 1)
    expect(packsOf(site)).toHaveLength(PACKS_OUTSIDE_MAX - 1)
    expect(moved(before, await freshScrape(node.ports.internal), 'guts_storage_packs')).toBe(PACKS_OUTSIDE_MAX - 1)
    const clones = [0, 1, 2].map((number) => expectClone(site, number))
    await pushChanges(site, PACKS_OUTSIDE_MAX - 1, PACKS_OUTSIDE_MAX)
    await Promise.all([...clones, ...[3, 4, 5].map((number) => expectClone(site, number))])
    await expect.poll(() => packsOf(site).length, { timeout: 20_000 }).toBe(1)
    await expectClone(site, 6)
    await fsck(site.gitDirectory)
    // Three objects come with each push.
    const after = await freshScrape(node.ports.internal)
    const objects = 3 * PACKS_OUTSIDE_MAX
    const expected = {
      [keyOf('guts_maintenance_runs_total', { result: 'ok' })]: 1,
      guts_maintenance_duration_seconds_count: 1,
      guts_maintenance_packs_replaced_total: PACKS_OUTSIDE_MAX,
      guts_maintenance_objects_total: objects,
      guts_storage_packs: 1,
      [keyOf('guts_storage_objects_total', { type: 'commit' })]: PACKS_OUTSIDE_MAX,
      [keyOf('guts_storage_objects_total', { type: 'tree' })]: PACKS_OUTSIDE_MAX,
      [keyOf('guts_storage_objects_total', { type: 'blob' })]: PACKS_OUTSIDE_MAX,
    }
    const changed = Object.keys(expected).map((key) => [key, moved(before, after, key)])
    expect(Object.fromEntries(changed)).toEqual(expected)
    expect(await countObjects(site)).toMatchObject({ count: 0, packs: 1, 'in-pack': objects, garbage: 0 })
    const line = node.lines().find(({ msg }) => msg === 'Packs were brought together')
    expect(line).toMatchObject({
      operation: 'maintenance',
      repository: 'alice/busy',
      packs: PACKS_OUTSIDE_MAX,
      objects,
    })
    // The deltas that the pushes brought are kept: a version of the file costs a few bytes, not a copy.
    expect(Number(line?.['bytes_after'])).toBeLessThan(Number(line?.['bytes_before']) / 5)
  })

  it('costs what changed: a large pack stays as it is', async () => {
    const [large] = packsOf(site)
    const before = await freshScrape(node.ports.internal)
    await pushChanges(site, 100, 100 + 5)
    // Few as they are, nothing happens by itself.
    expect(packsOf(site)).toHaveLength(6)
    expect(packsOf(site)).toContain(large)
    const after = await freshScrape(node.ports.internal)
    expect(moved(before, after, 'guts_maintenance_objects_total')).toBe(0)
  })

  it('is brought into one pack where guts repo gc asks the running node, and stays usable', async () => {
    const rows = await gutsJson<object[]>(['repo', 'gc', 'alice/busy'], node.environment)
    expect(rows).toEqual([expect.objectContaining({ owner: 'alice', name: 'busy', packs: 6 })])
    expect(packsOf(site)).toHaveLength(1)
    await expectClone(site, 7)
    await pushChanges(site, 200, 201)
    await expectClone(site, 8)
    const [stats] = await gutsJson<object[]>(['repo', 'stats', 'alice/busy'], node.environment)
    // The base of the change came along with it.
    expect(stats).toMatchObject({ packs: 2, refs: 1, objects: 79, packs_outside: 0 })
    const [report] = await gutsJson<object[]>(['repo', 'fsck', '--all'], node.environment)
    expect(report).toEqual({ owner: 'alice', name: 'busy', refs: 1, objects: 78, problems: [] })
  })
})

describe('guts repo gc', () => {
  it('does it without a node as well, and leaves a pack alone that somebody keeps', async () => {
    const dataDirectory = join(folder.path, 'without')
    await using node = await NodeProcess.start({ dataDirectory })
    const site = await createSite(await NodeHost.on(node), 'quiet')
    await pushChanges(site, 0, 1)
    const [kept = ''] = packsOf(site)
    await pushChanges(site, 1, 4)
    const keep = join(site.gitDirectory, 'objects/pack', kept.replace(/pack$/, 'keep'))
    writeFileSync(keep, 'for a while\n')
    const before = await contentsOf(site.gitDirectory)
    await node.stop()
    const rows = await gutsJson<object[]>(['repo', 'gc', '--all'], node.environment)
    expect(rows).toEqual([expect.objectContaining({ name: 'quiet', packs: 3 })])
    expect(packsOf(site)).toHaveLength(2)
    expect(packsOf(site)).toContain(kept)
    expect(await contentsOf(site.gitDirectory)).toEqual(before)
    await fsck(site.gitDirectory)
    const again = await gutsJson<object[]>(['repo', 'gc', 'alice/quiet'], node.environment)
    expect(again).toEqual([expect.objectContaining({ packs: 0 })])
    expect(readdirSync(join(dataDirectory, 'quarantine'))).toEqual([])
  })

  it('leaves everything as it is where something is damaged, and guts repo fsck says what', async () => {
    await using node = await NodeProcess.start({ damaged: true })
    const site = await createSite(await NodeHost.on(node), 'broken')
    await pushChanges(site, 0, 1)
    const path = join(site.gitDirectory, 'objects/pack', packsOf(site)[0] ?? '')
    await pushChanges(site, 1, 2)
    const before = packsOf(site)
    const bytes = readFileSync(path)
    const damaged = Buffer.from(bytes)
    damaged[Math.floor(damaged.length / 2)]! ^= 0xff
    const { atime, mtime } = statSync(path)
    writeFileSync(path, damaged)
    // As a disk does it: nobody is told.
    utimesSync(path, atime, mtime)
    const { exitCode, stdout, stderr } = await guts(['repo', 'gc', 'alice/broken'], node.environment)
    expect({ exitCode, stdout }).toEqual({ exitCode: 1, stdout: '' })
    expect(stderr).toMatch(/^guts: .*(damaged|compressed|pack)/)
    expect(packsOf(site)).toEqual(before)
    expect(readdirSync(join(node.dataDirectory, 'quarantine'))).toEqual([])
    const failed = keyOf('guts_maintenance_runs_total', { result: 'failed' })
    expect((await freshScrape(node.ports.internal)).get(failed)).toBe(1)
    const report = await guts(['repo', 'fsck', 'alice/broken', '--json'], node.environment)
    expect(report.exitCode).toBe(1)
    const [row] = JSON.parse(report.stdout) as { problems: { oid: string; message: string }[] }[]
    expect(row?.problems[0]).toEqual({
      oid: expect.stringMatching(/^[0-9a-f]{40}$/),
      message: expect.stringContaining('damaged'),
    })
    writeFileSync(path, bytes)
    expect((await guts(['repo', 'fsck', 'alice/broken'], node.environment)).exitCode).toBe(0)
  })
})

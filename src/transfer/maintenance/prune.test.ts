import { cpSync, existsSync, readdirSync, readFileSync, rmSync, utimesSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it, vi } from 'vitest'
import { fsck, Git, temporaryFolder } from '../../../integration/support/git.ts'
import { blob, commit, type MadeObject, tree } from '../../../integration/support/pack-maker.ts'
import { NO_FILTER } from '../../git/object-graph/filter.ts'
import { diskFileSystem } from '../../storage/file-system.ts'
import { GitWorkers } from '../workers/pool.ts'
import { type MaintainedSite, openMaintainedSite, packsIn, SITE, writePackOf } from './testing.ts'
import { NO_TAGS } from '../named-objects.ts'

const GRACE_S = 1_000
const NOW_S = 1_700_000_000

/** A commit of one file, with what it needs. */
function change(text: string, parents: readonly string[] = []): { readonly oid: string; readonly all: MadeObject[] } {
  const file = blob(text)
  const top = tree(['100644', 'file', file.oid])
  const made = commit(top.oid, parents, `${text}\n`)
  return { oid: made.oid, all: [file, top, made] }
}

const FIRST = change('first')
const SECOND = change('second', [FIRST.oid])
const SIDE = change('side', [FIRST.oid])
const sideOids = SIDE.all.map(({ oid }) => oid).sort()

let workers: GitWorkers
let site: MaintainedSite
beforeAll(() => void (workers = new GitWorkers()))
afterAll(() => workers.close())
const at = (afterS: number): void => void vi.setSystemTime((NOW_S + afterS) * 1_000)

beforeEach(async () => {
  vi.useFakeTimers({ toFake: ['Date'] })
  at(0)
  site = await openMaintainedSite(GRACE_S, workers)
  for (const { all } of [FIRST, SECOND, SIDE]) writePackOf(site.path, all)
  await setMain()
})
afterEach(async () => {
  vi.useRealTimers()
  await site[Symbol.asyncDispose]()
})

/** And the others of these. */
const setMain = (...others: readonly (readonly [string, string])[]): Promise<void> =>
  site.setRefs(new Map([['refs/heads/main', SECOND.oid], ...others]))
const git = (): Git => new Git(site.path)
const has = async ({ oid }: { readonly oid: string }): Promise<boolean> =>
  (await git().try(['cat-file', '-e', oid])).code === 0
/** Objects of the packs with times; and those of the others. */
const unreached = (): Map<string, number | undefined> =>
  new Map([...site.packs().values()].flatMap((pack) => (isTimed(pack) ? [...pack] : [])))
const isTimed = (pack: ReadonlyMap<string, number | undefined>): boolean =>
  [...pack.values()].every((timeS) => timeS !== undefined)

describe('what no ref reaches', () => {
  it('is put apart in a pack that C git reads as its own, which chooses the same objects', async () => {
    expect(await site.prune()).toMatchObject({ packs: 3, objects: 9, unreachable: 3, prunedObjects: 0 })
    expect([...unreached()].sort()).toEqual(sideOids.map((oid) => [oid, NOW_S]))
    expect(await git().run('cat-file', '-t', SIDE.oid)).toBe('commit')
    expect((await git().run('rev-list', '--objects', SIDE.oid)).split('\n')).toHaveLength(6)
    await fsck(site.path)
    const counted = await git().run('count-objects', '-v')
    expect(counted).toMatch(/in-pack: 9\npacks: 2\n.*\nprune-packable: 0\ngarbage: 0/)
    using folder = temporaryFolder('cruft')
    const copy = join(folder.path, 'copy.git')
    cpSync(site.path, copy, { recursive: true })
    await new Git(copy).run('repack', '-d', '--cruft', '--quiet')
    const ofGit = [...packsIn(copy).values()].find(isTimed)
    expect([...(ofGit ?? [])]).toEqual([...unreached()].sort())
    // By git as well as by us, it goes when it is older than that, and not before.
    await new Git(copy).run('repack', '-d', '--cruft', '--quiet', `--cruft-expiration=${NOW_S - 1}`)
    expect([...packsIn(copy).values()].filter(isTimed)).toHaveLength(1)
    await new Git(copy).run('repack', '-d', '--cruft', '--quiet', `--cruft-expiration=${NOW_S + 1}`)
    expect([...packsIn(copy).values()].filter(isTimed)).toHaveLength(0)
    expect(await site.prune()).toBeUndefined()
  })

  it('goes when it has lain there for longer than the grace, and not a second earlier', async () => {
    await site.prune()
    await site.count()
    at(GRACE_S)
    expect(await site.prune()).toBeUndefined()
    expect(site.parts.rows.lookedAt((NOW_S + GRACE_S - GRACE_S) * 1_000)[0]).toMatchObject({ aged: false })
    at(GRACE_S + 1)
    expect(site.parts.rows.lookedAt(NOW_S * 1_000 + 1_000)[0]).toMatchObject({ aged: true })
    const [mainPack] = [...site.packs()].find(([, pack]) => !isTimed(pack)) ?? []
    const pruned = await site.prune()
    // The large pack is not written again for it.
    expect(pruned).toMatchObject({ packs: 1, objects: 0, unreachable: 0, prunedObjects: 3 })
    expect([...site.packs().keys()]).toEqual([mainPack])
    expect(await has(SIDE)).toBe(false)
    await fsck(site.path)
    expect(site.parts.files.packs.withdrawals(SITE)).toBe(1)
    const [row, ...others] = site.parts.rows.of(SITE.id)
    expect({ ...row, others }).toMatchObject({ commits: 2, trees: 2, blobs: 2, unreachableSinceMs: null, others: [] })
  })

  it('stays as long as something recent needs it', async () => {
    await site.prune()
    at(GRACE_S + 1)
    const later = change('later', [SIDE.oid])
    writePackOf(site.path, later.all)
    expect(await site.prune()).toMatchObject({ unreachable: 6, prunedObjects: 0 })
    await git().run('rev-list', '--objects', later.oid)
    at(2 * GRACE_S + 2)
    expect(await site.prune()).toMatchObject({ unreachable: 0, prunedObjects: 6 })
  })

  it('stays as long as a ref pointed to it within the grace, whoever saw that', async () => {
    await site.prune()
    at(GRACE_S)
    await setMain(['refs/heads/side', SIDE.oid])
    await setMain()
    at(2 * GRACE_S)
    expect(await site.prune()).toBeUndefined()
    at(2 * GRACE_S + 1)
    expect(await site.prune()).toMatchObject({ prunedObjects: 3 })
  })

  it('is no longer apart when a ref reaches it again', async () => {
    await site.prune()
    await setMain(['refs/heads/side', SIDE.oid])
    expect(await site.prune()).toMatchObject({ unreachable: 0, prunedObjects: 0 })
    expect(unreached().size).toBe(0)
    expect(site.packs().size).toBe(1)
  })

  it('stays where a pack that somebody keeps needs it, or an object that lies loose', async () => {
    await site.prune()
    const kept = change('kept', [SIDE.oid])
    const name = writePackOf(site.path, kept.all)
    writeFileSync(join(site.path, 'objects/pack', `pack-${name}.keep`), 'mine\n')
    at(GRACE_S + 1)
    expect(await site.prune()).toBeUndefined()
    await git().run('rev-list', '--objects', kept.oid)
    const path = join(site.path, 'objects/pack', `pack-${name}`)
    const pack = readFileSync(`${path}.pack`)
    for (const extension of ['keep', 'idx', 'pack']) rmSync(`${path}.${extension}`)
    expect(await git().try(['unpack-objects', '-q'], pack)).toMatchObject({ code: 0 })
    expect(await git().run('count-objects')).toMatch(/^3 objects/)
    expect(await site.prune()).toBeUndefined()
    await git().run('rev-list', '--objects', kept.oid)
  })

  it('of which git made a pack is as old as git says, and of several packs becomes one before it goes', async () => {
    const packs = join(site.path, 'objects/pack')
    for (const name of readdirSync(packs)) utimesSync(join(packs, name), NOW_S - 7, NOW_S - 7)
    await git().run('repack', '-d', '--cruft', '--quiet')
    expect(new Set(unreached().values())).toEqual(new Set([NOW_S - 7]))
    const other = change('other')
    writePackOf(site.path, other.all)
    await git().run('repack', '-d', '--cruft', '--quiet', `--keep-pack=${readdirSync(packs).find(isCruftPack)}`)
    at(GRACE_S + 100)
    expect([...site.packs().values()].filter(isTimed)).toHaveLength(2)
    expect(await site.prune()).toMatchObject({ packs: 2, prunedObjects: 0, unreachable: 6 })
    expect(await site.prune()).toMatchObject({ packs: 1, unreachable: 3, prunedObjects: 3 })
  })
  const isCruftPack = (name: string): boolean =>
    name.endsWith('.pack') && existsSync(join(site.path, 'objects/pack', name.replace('.pack', '.mtimes')))

  it('takes a commit-graph along that names it, and no other', async () => {
    const graph = join(site.path, 'objects/info/commit-graph')
    const writeGraph = (): Promise<string> => git().run('commit-graph', 'write', '--reachable')
    await setMain(['refs/heads/side', SIDE.oid])
    await writeGraph()
    await setMain()
    expect(await site.prune()).toMatchObject({ unreachable: 3 })
    expect(existsSync(graph)).toBe(true)
    at(GRACE_S + 1)
    expect(await site.prune()).toMatchObject({ prunedObjects: 3 })
    expect(existsSync(graph)).toBe(false)
    // Which complains of commits that only the graph knows.
    await fsck(site.path)
    const other = change('other')
    writePackOf(site.path, other.all)
    await writeGraph()
    await site.prune()
    at(2 * GRACE_S + 2)
    expect(await site.prune()).toMatchObject({ prunedObjects: 3 })
    expect(existsSync(graph)).toBe(true)
    await fsck(site.path)
  })

  it('goes with everything else where no ref is left', async () => {
    await site.setRefs(new Map())
    await site.prune()
    at(GRACE_S + 1)
    expect(await site.prune()).toMatchObject({ prunedObjects: 9 })
    expect(readdirSync(join(site.path, 'objects/pack'))).toEqual([])
    await site.count()
    expect(site.parts.rows.of(SITE.id)).toEqual([])
  })
})

it('a fetch that waited for its turn does without what a client has and we have no more', async () => {
  await site.prune()
  at(GRACE_S + 1)
  expect(await site.prune()).toMatchObject({ prunedObjects: 3 })
  const { signal } = new AbortController()
  const repositoryPath = site.path
  using folder = temporaryFolder('fetch')
  const file = await diskFileSystem.create(join(folder.path, 'made.pack'))
  const spec = {
    wants: [SECOND.oid],
    haves: [SIDE.oid],
    annotatedTags: NO_TAGS,
    shallow: [],
    filter: NO_FILTER,
    sparse: [],
  }
  const task = { repositoryPath, ...spec, features: { thinPack: true, ofsDelta: true } }
  expect(await workers.build(task, { file, onProgress() {} }, signal)).toMatchObject({ kind: 'stored', objects: 6 })
  await file.close()
  expect(await workers.negotiate({ repositoryPath, wants: [SECOND.oid], common: [SIDE.oid] }, signal)).toBe(false)
})

describe('while packs are written', () => {
  /** @param happens after each of them is */
  const pruneWhile = (happens: () => Promise<unknown>): ReturnType<typeof site.prune> =>
    site.prune('all', {
      workers: {
        planPrune: (task, signal) => workers.planPrune(task, signal),
        async repack(task, file, signal) {
          const made = await workers.repack(task, file, signal)
          await happens()
          return made
        },
      },
    })

  it.each([
    { name: 'a ref', meet: () => setMain(['refs/heads/side', SIDE.oid]), unreachable: 0 },
    { name: 'a pack', meet: async () => void writePackOf(site.path, change('more', [SIDE.oid]).all), unreachable: 6 },
  ])('$name may come that needs what was to go: then it stays', async ({ meet, unreachable }) => {
    await site.prune()
    at(GRACE_S + 1)
    // Something that stays, so that there is a pack to write.
    writePackOf(site.path, change('younger').all)
    let met = 0
    const pruned = await pruneWhile(async () => {
      if (met++ === 0) await meet()
    })
    expect(pruned).toMatchObject({ unreachable: unreachable + 3, prunedObjects: 0 })
    await git().run('rev-list', '--objects', SIDE.oid)
    await fsck(site.path)
    expect(site.parts.files.packs.withdrawals(SITE)).toBe(0)
  })

  it('refs may change all the time: then nothing goes, and packs are brought together all the same', async () => {
    await site.prune()
    at(GRACE_S + 1)
    writePackOf(site.path, change('younger').all)
    let met = 0
    const pruned = await pruneWhile(() => setMain(['refs/heads/other', met++ % 2 === 0 ? FIRST.oid : SECOND.oid]))
    expect(pruned).toMatchObject({ unreachable: 6, prunedObjects: 0 })
    expect(site.packs().size).toBe(2)
    expect(await has(SIDE)).toBe(true)
  })
})

describe('packs that an operator’s git made', () => {
  it('are counted as what they hold', async () => {
    await site.count()
    expect(site.parts.rows.totals(SITE.id)).toEqual({ commits: 3, objects: 9 })
    await setMain(['refs/heads/side', SIDE.oid])
    await git().run('repack', '-a', '-d', '--quiet')
    writePackOf(site.path, change('new').all)
    await site.count()
    const rows = site.parts.rows.of(SITE.id)
    expect(rows.map(({ name }) => `pack-${name}`).sort()).toEqual([...site.packs().keys()])
    expect(rows.map(({ commits }) => commits).sort()).toEqual([1, 3])
    expect(site.parts.rows.totals(SITE.id)).toEqual({ commits: 4, objects: 12 })
  })
})

import { existsSync, mkdirSync, readdirSync, readFileSync, rmSync, utimesSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { fsck, Git, temporaryFolder } from '../../../integration/support/git.ts'
import { openFiles } from '../../../integration/support/open-files.ts'
import { blob, pack, whole } from '../../../integration/support/pack-maker.ts'
import { encodePackIndex } from '../../git/pack/index-file.ts'
import { type DataPaths, prepareDataDirectory } from '../data-directory.ts'
import { diskFileSystem, type FileSystem } from '../file-system.ts'
import { RepositoryFiles } from './repository-files.ts'

const ALICE = { owner: 'alice', name: 'site' }
const HEAD = 'refs/heads/main'

let folder: ReturnType<typeof temporaryFolder>
let paths: DataPaths
let files: RepositoryFiles

beforeEach(async () => {
  folder = temporaryFolder('repository-files')
  paths = await prepareDataDirectory(folder.path)
  files = new RepositoryFiles(paths, diskFileSystem)
})
afterEach(() => {
  files.close()
  expect(openFiles(folder.path)).toEqual([])
  folder[Symbol.dispose]()
})

/** Fails where `isHit` says so. */
function failing(isHit: (operation: string, path: string) => boolean): FileSystem {
  const check = (operation: string, path: string): void => {
    if (isHit(operation, path)) throw Object.assign(new Error('disk failed'), { code: 'EIO' })
  }
  return {
    ...diskFileSystem,
    async rename(from, to) {
      check('rename', to)
      await diskFileSystem.rename(from, to)
    },
    async syncDirectory(path) {
      check('sync', path)
      await diskFileSystem.syncDirectory(path)
    },
  }
}

/** A pack of one blob in a quarantine of its own, as a push leaves it. */
async function quarantined(text: string): Promise<{ directory: string; packName: string; oid: Buffer }> {
  const directory = await files.openQuarantine()
  const object = blob(text)
  const oid = Buffer.from(object.oid, 'hex')
  const bytes = pack([whole(object)])
  const found = { count: 1, oids: oid, names: Int32Array.of(0), crcs: new Uint32Array(1), offsets: Float64Array.of(12) }
  const index = encodePackIndex(found, bytes.subarray(-20))
  writeFileSync(join(directory, 'incoming.pack'), bytes)
  writeFileSync(join(directory, 'incoming.idx'), index.bytes)
  return { directory, packName: index.packName, oid }
}
const packs = (): string[] => readdirSync(join(files.path(ALICE), 'objects/pack'))

describe('a repository', () => {
  it('is made as C git reads it, and gone without a trace', async () => {
    await files.create(ALICE, 'refs/heads/trunk')
    await fsck(files.path(ALICE))
    expect(await new Git(files.path(ALICE)).run('symbolic-ref', 'HEAD')).toBe('refs/heads/trunk')
    expect(await files.folders()).toEqual([ALICE])
    await files.remove(ALICE)
    await files.remove(ALICE)
    expect(await files.folders()).toEqual([])
    expect([readdirSync(paths.trash), readdirSync(paths.quarantine)]).toEqual([[], []])
  })

  it('takes the place of an unused folder that a crash left', async () => {
    await files.create(ALICE, HEAD)
    await files.create(ALICE, 'refs/heads/other')
    expect(await new Git(files.path(ALICE)).run('symbolic-ref', 'HEAD')).toBe('refs/heads/other')
  })

  it.each(['refs/heads', 'refs', 'HEAD', 'objects'])(
    'takes the place of one of which a power cut took %s',
    async (lost) => {
      await files.create(ALICE, HEAD)
      rmSync(join(files.path(ALICE), lost), { recursive: true })
      await files.create(ALICE, HEAD)
      await fsck(files.path(ALICE))
    },
  )

  it.each([
    { name: 'an object', path: 'objects/ab/cd' },
    { name: 'a pack', path: 'objects/pack/pack-1.pack' },
    { name: 'a ref', path: 'refs/heads/main' },
    { name: 'packed refs', path: 'packed-refs' },
    { name: 'a file of its own', path: 'notes.txt' },
  ])('does not take the place of a folder with $name', async ({ path }) => {
    await files.create(ALICE, HEAD)
    mkdirSync(join(files.path(ALICE), path, '..'), { recursive: true })
    writeFileSync(join(files.path(ALICE), path), 'something')
    await expect(files.create(ALICE, HEAD)).rejects.toMatchObject({ detail: { code: 'directory_in_the_way' } })
    expect(await files.removeUnused(ALICE)).toBe(false)
    expect(existsSync(join(files.path(ALICE), path))).toBe(true)
    expect(readdirSync(paths.quarantine)).toEqual([])
  })

  it('leaves nothing behind where the disk fails', async () => {
    const broken = new RepositoryFiles(
      paths,
      failing((operation, path) => operation === 'rename' && path.endsWith('site.git')),
    )
    await expect(broken.create(ALICE, HEAD)).rejects.toThrow('disk failed')
    expect(readdirSync(paths.quarantine)).toEqual([])
    expect(await broken.folders()).toEqual([])
  })
})

describe('a pack', () => {
  beforeEach(() => files.create(ALICE, HEAD))

  it('is seen by who had looked before, and by C git, and can be taken back', async () => {
    const { directory, packName, oid } = await quarantined('one')
    const store = files.packs.objects(ALICE)
    expect(store.has(oid)).toBe(false)
    const { takeBack } = await files.packs.publish(ALICE, directory, packName)
    expect(files.packs.objects(ALICE)).toBe(store)
    expect(store.read(oid)?.data.toString()).toBe('one')
    expect(await new Git(files.path(ALICE)).run('cat-file', 'blob', oid.toString('hex'))).toBe('one')
    await takeBack()
    expect(packs()).toEqual([])
    expect(store.has(oid)).toBe(false)
    await files.closeQuarantine(directory)
    expect(readdirSync(paths.quarantine)).toEqual([])
  })

  it('that was here before is not taken back', async () => {
    const first = await quarantined('one')
    await files.packs.publish(ALICE, first.directory, first.packName)
    const again = await quarantined('one')
    const published = await files.packs.publish(ALICE, again.directory, again.packName)
    await published.takeBack()
    expect(packs().filter((name) => !name.endsWith('.keep'))).toHaveLength(2)
  })

  it('is kept from an operator’s git until the refs need it, and a start ends what a crash left', async () => {
    const { directory, packName } = await quarantined('one')
    const { unkeep } = await files.packs.publish(ALICE, directory, packName)
    await new Git(files.path(ALICE)).run('gc', '--quiet', '--prune=now')
    expect(packs()).toContain(`pack-${packName}.pack`)
    await files.packs.tidy(ALICE)
    expect(packs().filter((name) => name.endsWith('.keep'))).toEqual([])
    await unkeep()
    await new Git(files.path(ALICE)).run('gc', '--quiet', '--prune=now')
    expect(packs()).not.toContain(`pack-${packName}.pack`)
  })

  it.each([
    { name: 'empty', left: '' },
    { name: 'short', left: 'guts:' },
    { name: 'zeros', left: '\0'.repeat('guts: until the refs are written\n'.length) },
  ])('is kept no longer than to a start where a power cut left its mark $name', async ({ left }) => {
    const { directory, packName } = await quarantined('one')
    await files.packs.publish(ALICE, directory, packName)
    const keep = join(files.path(ALICE), 'objects/pack', `pack-${packName}.keep`)
    expect(left.length).toBeLessThanOrEqual(readFileSync(keep).length)
    writeFileSync(keep, left)
    await files.packs.tidy(ALICE)
    expect(existsSync(keep)).toBe(false)
  })

  it('of which a power cut kept the index alone is published when it comes again', async () => {
    const first = await quarantined('one')
    await files.packs.publish(ALICE, first.directory, first.packName)
    rmSync(join(files.path(ALICE), 'objects/pack', `pack-${first.packName}.pack`))
    const again = await quarantined('one')
    await files.packs.publish(ALICE, again.directory, again.packName)
    expect(files.packs.objects(ALICE).read(again.oid)?.data.toString()).toBe('one')
    expect(await new Git(files.path(ALICE)).run('cat-file', 'blob', again.oid.toString('hex'))).toBe('one')
  })

  it('of which a crash left the file without its index is gone with the next start, once nobody can be writing it', async () => {
    const { directory, packName } = await quarantined('one')
    await (await files.packs.publish(ALICE, directory, packName)).unkeep()
    const path = join(files.path(ALICE), 'objects/pack', `pack-${packName}`)
    rmSync(`${path}.idx`)
    writeFileSync(`${path}.mtimes`, '')
    await files.packs.tidy(ALICE)
    expect(packs()).toEqual([`pack-${packName}.pack`])
    const old = new Date(Date.now() - 3_601_000)
    utimesSync(`${path}.pack`, old, old)
    await files.packs.tidy(ALICE)
    expect(packs()).toEqual([])
  })

  it('that its owner keeps stays kept', async () => {
    const { directory, packName } = await quarantined('one')
    const keep = join(files.path(ALICE), 'objects/pack', `pack-${packName}.keep`)
    writeFileSync(keep, 'mine\n')
    const { unkeep } = await files.packs.publish(ALICE, directory, packName)
    await unkeep()
    await files.packs.tidy(ALICE)
    expect(readFileSync(keep, 'utf8')).toBe('mine\n')
  })

  it.each([
    {
      name: 'the index cannot be moved',
      isHit: (operation: string, path: string) => operation === 'rename' && path.endsWith('.idx'),
    },
    {
      name: 'the names cannot be synced',
      isHit: (operation: string, path: string) => operation === 'sync' && path.endsWith('pack'),
    },
  ])('leaves nothing behind where $name', async ({ isHit }) => {
    const broken = new RepositoryFiles(paths, failing(isHit))
    const { directory, packName, oid } = await quarantined('one')
    const store = broken.packs.objects(ALICE)
    await expect(broken.packs.publish(ALICE, directory, packName)).rejects.toThrow('disk failed')
    expect(packs()).toEqual([])
    expect(store.has(oid)).toBe(false)
    broken.close()
  })

  it('stays published where another pack of the repository is damaged', async () => {
    files.packs.objects(ALICE)
    const { directory, packName, oid } = await quarantined('one')
    for (const extension of ['pack', 'idx']) {
      writeFileSync(join(files.path(ALICE), 'objects/pack', `pack-${'0'.repeat(40)}.${extension}`), 'damaged')
    }
    await files.packs.publish(ALICE, directory, packName)
    expect(packs().filter((name) => !name.endsWith('.keep'))).toHaveLength(4)
    expect(() => files.packs.objects(ALICE)).toThrow('index')
    for (const extension of ['pack', 'idx']) {
      await diskFileSystem.unlink(join(files.path(ALICE), 'objects/pack', `pack-${'0'.repeat(40)}.${extension}`))
    }
    expect(files.packs.objects(ALICE).has(oid)).toBe(true)
  })

  it('is forgotten with its repository, also where another one takes its place', async () => {
    const { directory, packName, oid } = await quarantined('one')
    await files.packs.publish(ALICE, directory, packName)
    expect(files.packs.objects(ALICE).has(oid)).toBe(true)
    await files.remove(ALICE)
    await files.create(ALICE, HEAD)
    expect(files.packs.objects(ALICE).has(oid)).toBe(false)
  })
})

describe('packs that are replaced', () => {
  let old: { packName: string; oid: Buffer }[]
  beforeEach(async () => {
    await files.create(ALICE, HEAD)
    old = []
    for (const text of ['one', 'two']) {
      const { directory, packName, oid } = await quarantined(text)
      await (await files.packs.publish(ALICE, directory, packName)).unkeep()
      old.push({ packName, oid })
    }
  })
  const replace = async (text: string, commit: () => Promise<void> = async () => {}): Promise<string> => {
    const { directory, packName } = await quarantined(text)
    const incoming = [{ quarantine: directory, packName, hasTimes: false }]
    const replaced = old.map((one) => one.packName)
    await files.packs.replace(ALICE, { incoming, replaced, areObjectsGone: false, isGraphStale: false }, commit)
    return packName
  }

  it('go with all that lies beside them, and readers see the new one', async () => {
    const [first = ''] = packs()
    for (const extension of ['rev', 'bitmap'])
      writeFileSync(join(files.path(ALICE), 'objects/pack', first.replace(/\.\w+$/, `.${extension}`)), '')
    writeFileSync(join(files.path(ALICE), 'objects/pack/multi-pack-index'), '')
    const store = files.packs.objects(ALICE)
    const packName = await replace('new')
    expect(packs().sort()).toEqual([`pack-${packName}.idx`, `pack-${packName}.pack`])
    expect(store.packs.map(({ name }) => name)).toEqual([`pack-${packName}`])
  })

  it('go where what refs reach takes the place of a pack with times, and whoever checked against what is gone is told', async () => {
    const [, same] = old.map(({ packName }) => packName)
    const times = join(files.path(ALICE), 'objects/pack', `pack-${same}.mtimes`)
    writeFileSync(times, '')
    const before = files.packs.withdrawals(ALICE)
    expect(await replace('two')).toBe(same)
    expect(existsSync(times)).toBe(false)
    expect(files.packs.withdrawals(ALICE)).toBe(before)
    await files.packs.replace(
      ALICE,
      { incoming: [], replaced: [same ?? ''], areObjectsGone: true, isGraphStale: false },
      async () => {},
    )
    expect(packs()).toEqual([])
    expect(files.packs.withdrawals(ALICE)).toBe(before + 1)
  })

  it('stay where the database does not take it', async () => {
    const replacing = replace('new', () => Promise.reject(new Error('database failed')))
    await expect(replacing).rejects.toThrow('database failed')
    expect(old.map(({ oid }) => files.packs.objects(ALICE).has(oid))).toEqual([true, true])
  })

  it('stay where somebody keeps them by now, and where the new one is one of them', async () => {
    const [kept, same] = old.map(({ packName }) => packName)
    writeFileSync(join(files.path(ALICE), 'objects/pack', `pack-${kept}.keep`), '')
    expect(await replace('two')).toBe(same)
    expect(packs().sort()).toEqual(
      [`pack-${kept}.idx`, `pack-${kept}.keep`, `pack-${kept}.pack`, `pack-${same}.idx`, `pack-${same}.pack`].sort(),
    )
  })
})

it('keeps few repositories open, however many are looked at', async () => {
  for (let number = 0; number < 70; number++) {
    const repository = { owner: 'alice', name: `r${number}` }
    await files.create(repository, HEAD)
    const { directory, packName, oid } = await quarantined(`text ${number}`)
    await files.packs.publish(repository, directory, packName)
    expect(files.packs.objects(repository).has(oid)).toBe(true)
  }
  expect(openFiles(folder.path).length).toBeLessThanOrEqual(64)
})

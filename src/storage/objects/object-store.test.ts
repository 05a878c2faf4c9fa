import { createHash } from 'node:crypto'
import fs, {
  copyFileSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  symlinkSync,
  truncateSync,
  writeFileSync,
} from 'node:fs'
import { syncBuiltinESMExports } from 'node:module'
import { join } from 'node:path'
import { deflateSync } from 'node:zlib'
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest'
import { Git, temporaryFolder } from '../../../integration/support/git.ts'
import { importHistory } from '../../../integration/support/history.ts'
import { typeNameOf } from '../../git/object/type.ts'
import { ObjectStore } from './object-store.ts'

/** Runs before a listing of packs comes back, as another process may; what it answers is what is seen. */
const beforeListing: Partial<Record<'once' | 'each', ((names: string[]) => string[] | void) | undefined>> = {}
const realListing = fs.readdirSync
const listing = (path: string): string[] => {
  let names = realListing(path)
  if (path.endsWith('/pack')) {
    names = (beforeListing.once ?? beforeListing.each)?.(names) ?? names
    beforeListing.once = undefined
  }
  // The last one to be looked at must not be left to chance.
  return names.sort()
}
/** What others import from `node:fs` changes with it. */
function setListing(to: typeof fs.readdirSync): void {
  fs.readdirSync = to
  syncBuiltinESMExports()
}

const CACHE_BYTES = 1024 * 1024
const MISSING = Buffer.from('be'.repeat(20), 'hex')

const sources = temporaryFolder('object-store')
const source = join(sources.path, 'source.git')
const descriptors = (): number => readdirSync('/proc/self/fd').length

interface Listed {
  readonly oid: string
  readonly type: string
  readonly size: number
}

async function listed(repository: string): Promise<Listed[]> {
  const text = await new Git(repository).run('cat-file', '--batch-all-objects', '--batch-check')
  return text.split('\n').map((line) => {
    const [oid = '', type = '', size = ''] = line.split(' ')
    return { oid, type, size: Number(size) }
  })
}

function expectAll(store: ObjectStore, objects: readonly Listed[]): void {
  for (const { oid, type, size } of objects) {
    const name = Buffer.from(`..${oid}`, 'latin1')
    Buffer.from(oid, 'hex').copy(name, 2)
    const object = store.mustRead(name, 2)
    expect(object.data.length).toBe(size)
    // Whatever it says it is: these are the bytes that the name stands for.
    const hash = createHash('sha1')
      .update(`${typeNameOf(object.type)} ${object.data.length}\0`)
      .update(object.data)
    expect(hash.digest('hex')).toBe(oid)
    expect(typeNameOf(store.typeOf(name, 2) ?? 0)).toBe(type)
    expect(store.has(name, 2)).toBe(true)
  }
}

beforeAll(async () => {
  setListing(listing as typeof fs.readdirSync)
  await new Git(sources.path).run('init', '--quiet', '--bare', 'source.git')
  const history = { commits: 120, filesPerCommit: 3, fileBytes: 2_000, mergeEvery: 7, tagEvery: 30 }
  await importHistory(source, { seed: 11, ...history })
})

afterAll(() => {
  setListing(realListing)
  sources[Symbol.dispose]()
})

let folder: ReturnType<typeof temporaryFolder>
let repository: string
let git: Git
let store: ObjectStore | undefined
let descriptorsBefore: number

beforeEach(async () => {
  folder = temporaryFolder('object-store')
  await new Git(folder.path).run('clone', '--quiet', '--bare', '--no-local', source, 'copy.git')
  repository = join(folder.path, 'copy.git')
  git = new Git(repository)
  descriptorsBefore = descriptors()
})

afterEach(() => {
  beforeListing.each = undefined
  store?.close()
  store = undefined
  expect(descriptors()).toBe(descriptorsBefore)
  folder[Symbol.dispose]()
})

const packFolder = (): string => join(repository, 'objects/pack')
const packPath = (extension: 'pack' | 'idx'): string =>
  join(packFolder(), readdirSync(packFolder()).find((name) => name.endsWith(extension)) ?? '')
const hashObject = async (text: string): Promise<string> =>
  (await git.try(['hash-object', '-w', '--stdin'], text)).stdout.trim()
/** A pack of these, which lie loose no more. */
async function packAlone(...oids: readonly string[]): Promise<void> {
  await git.try(['pack-objects', '--quiet', join(packFolder(), 'pack')], oids.map((oid) => `${oid}\n`).join(''))
  await git.run('prune-packed', '--quiet')
}

describe('what C git lists is read as C git reads it', () => {
  it.each([
    { name: 'in packs with bases by distance', repack: ['repack', '-adfq', '--depth=50', '--window=50'] },
    { name: 'in packs with bases by name', repack: ['-c', 'repack.useDeltaBaseOffset=false', 'repack', '-adfq'] },
    { name: 'in packs without deltas', repack: ['repack', '-adfq', '--depth=0'] },
  ])('$name', async ({ repack }) => {
    await git.run(...repack)
    store = ObjectStore.open(repository, CACHE_BYTES)
    expectAll(store, await listed(repository))
  })

  it('in several packs and in loose files', async () => {
    await git.run('repack', '-adq')
    await hashObject('one\n')
    await hashObject('')
    await git.run('repack', '-dq')
    await hashObject('two\n')
    store = ObjectStore.open(repository, CACHE_BYTES)
    expectAll(store, await listed(repository))
  })

  it('with a cache that holds next to nothing', async () => {
    await git.run('repack', '-adfq', '--depth=50')
    store = ObjectStore.open(repository, 8)
    expectAll(store, await listed(repository))
  })
})

it('says of what is not here that it is not here', () => {
  store = ObjectStore.open(repository, CACHE_BYTES)
  expect(store.has(MISSING)).toBe(false)
  expect(store.read(MISSING)).toBeUndefined()
  expect(store.typeOf(MISSING)).toBeUndefined()
  expect(() => store?.mustRead(MISSING)).toThrow(
    expect.objectContaining({ detail: { code: 'object_missing', oid: 'be'.repeat(20) } }),
  )
})

describe('of a pack that is gone', () => {
  /** What they hold lies in another one. */
  async function replacePacks(): Promise<void> {
    const before = readdirSync(packFolder())
    await git.run('repack', '-adfq', '--window=3')
    expect(readdirSync(packFolder()).filter((name) => before.includes(name))).toEqual([])
  }

  it.each([
    { what: 'that was never opened', before: () => {} },
    { what: 'that was closed', before: (one: ObjectStore) => (one.hold(), one.release()) },
  ])('$what, finds what it held', async ({ before }) => {
    const objects = await listed(repository)
    store = ObjectStore.open(repository, CACHE_BYTES)
    before(store)
    await replacePacks()
    expectAll(store, objects)
  })

  it('reads on where it is held', async () => {
    const objects = await listed(repository)
    store = ObjectStore.open(repository, CACHE_BYTES)
    store.hold()
    const { packs } = store
    await replacePacks()
    for (const pack of packs) expect(pack.source.bytes).toBeGreaterThan(0)
    expectAll(store, objects)
    expect(store.packs).toBe(packs)
  })

  it('finds what comes while it is held, and drops what went when it is released', async () => {
    const oid = Buffer.from(await hashObject('comes later\n'), 'hex')
    await git.run('prune', '--expire=now')
    const objects = await listed(repository)
    store = ObjectStore.held(repository, CACHE_BYTES)
    const [held] = store.packs
    await packAlone(await hashObject('comes later\n'))
    await git.run('repack', '-afq', '--window=3')
    rmSync(held?.path ?? '')
    rmSync(held?.path.replace(/pack$/, 'idx') ?? '')
    store.refresh()
    store.hold()
    expect(store.packs[0]).toBe(held)
    expect(store.read(oid)?.data.toString()).toBe('comes later\n')
    expectAll(store, objects)
    store.release()
    store.refresh()
    expect(store.packs).not.toContain(held)
    expectAll(store, objects)
  })

  it('counts what was packed since it looked, and no folder of loose objects that is gone', async () => {
    const oid = await hashObject('loose\n')
    store = ObjectStore.open(repository, CACHE_BYTES)
    const count = store.countMax()
    await packAlone(oid)
    for (const name of readdirSync(join(repository, 'objects'))) {
      if (name.length === 2) rmSync(join(repository, 'objects', name), { recursive: true })
    }
    expect(store.looseNames()).toEqual([])
    expect(store.countMax()).toBe(count)
    expect(store.has(Buffer.from(oid, 'hex'))).toBe(true)
  })

  it('says of what went with it that it is not here', async () => {
    const oid = await hashObject('alone\n')
    await packAlone(oid)
    store = ObjectStore.open(repository, CACHE_BYTES)
    await git.run('repack', '-adq')
    expect(store.read(Buffer.from(oid, 'hex'))).toBeUndefined()
  })
})

describe('refresh', () => {
  it('finds loose objects and packs that came, and packs in the place of others', async () => {
    store = ObjectStore.open(repository, CACHE_BYTES)
    const loose = Buffer.from(await hashObject('new\n'), 'hex')
    store.refresh()
    expect(store.read(loose)?.data.toString()).toBe('new\n')
    const before = store.packs.map((pack) => pack.name)
    await git.run('repack', '-adfq', '--window=3')
    await git.run('gc', '--quiet', '--prune=now')
    store.refresh()
    expect(store.packs.map((pack) => pack.name)).not.toEqual(before)
    expect(store.packs).toHaveLength(1)
    expectAll(store, await listed(repository))
    expect(store.has(loose)).toBe(false)
  })

  it('keeps the packs that stayed, and closes those that went', () => {
    store = ObjectStore.open(repository, CACHE_BYTES)
    const [kept] = store.packs
    store.refresh()
    expect(store.packs[0]).toBe(kept)
    rmSync(packPath('idx'))
    store.refresh()
    expect(store.packs).toEqual([])
    expect(descriptors()).toBe(descriptorsBefore)
  })

  it('looks again where a pack is replaced between two looks', async () => {
    const objects = await listed(repository)
    const aside = join(folder.path, 'aside')
    await new Git(folder.path).run('clone', '--quiet', '--bare', '--no-local', source, 'aside')
    await new Git(aside).run('repack', '-adfq', '--window=3')
    beforeListing.once = () => {
      rmSync(packFolder(), { recursive: true })
      renameSync(join(aside, 'objects/pack'), packFolder())
    }
    store = ObjectStore.open(repository, CACHE_BYTES)
    expect(beforeListing.once).toBeUndefined()
    expectAll(store, objects)
  })

  it.each([
    { what: 'a new one', look: () => ObjectStore.open(repository, CACHE_BYTES) },
    {
      what: 'one that opens what it knows',
      look: () => {
        store?.hold()
        return store
      },
    },
  ])('looks again as often as packs go, one by one: $what', async ({ look }) => {
    for (let number = 0; number < 12; number++) await packAlone(await hashObject(`${number}\n`))
    store = ObjectStore.open(repository, CACHE_BYTES)
    const objects = await listed(repository)
    const old = readdirSync(packFolder()).filter((name) => name.endsWith('.pack'))
    // As after a repack that has just begun to remove what it has replaced.
    await packAlone(...objects.map(({ oid }) => oid))
    beforeListing.each = () => {
      const name = old.shift()
      if (name === undefined) return
      for (const extension of ['idx', 'pack']) rmSync(join(packFolder(), name.replace(/pack$/, extension)))
    }
    const found = look() as ObjectStore
    expect(old.length).toBeLessThan(12)
    expectAll(found, objects)
    found.close()
  })

  it('misses nothing where a large folder changes while it is listed', async () => {
    const objects = await listed(repository)
    for (let number = 0; number < 500; number++) writeFileSync(join(packFolder(), `more-${number}`), '')
    const [old, made] = [packPath('pack').slice(0, -'.pack'.length), join(packFolder(), `pack-${'e'.repeat(40)}`)]
    beforeListing.once = (names) => {
      for (const part of ['pack', 'idx']) renameSync(`${old}.${part}`, `${made}.${part}`)
      // The new one lies where the listing had been already, the old one where it had not.
      return names.filter((name) => name.startsWith('more-'))
    }
    store = ObjectStore.open(repository, CACHE_BYTES)
    expect(beforeListing.once).toBeUndefined()
    expectAll(store, objects)
  })

  it('takes those packs alone that it is told to, in their order', async () => {
    const [first = ''] = readdirSync(packFolder()).filter((name) => name.endsWith('.pack'))
    const oid = await hashObject('loose\n')
    const name = (await git.try(['pack-objects', '--quiet', join(packFolder(), 'pack')], `${oid}\n`)).stdout.trim()
    const only = [name, first.slice('pack-'.length, -'.pack'.length), 'f'.repeat(40)]
    store = ObjectStore.open(repository, CACHE_BYTES, only)
    expect(store.packs.map((pack) => pack.name)).toEqual(only.slice(0, 2).map((one) => `pack-${one}`))
    store.close()
    store = ObjectStore.open(repository, CACHE_BYTES, only.slice(1))
    expect(store.has(Buffer.from(oid, 'hex'))).toBe(false)
  })

  it('takes no notice of an index without its pack', () => {
    copyFileSync(packPath('idx'), join(packFolder(), `pack-${'0'.repeat(40)}.idx`))
    store = ObjectStore.open(repository, CACHE_BYTES)
    expect(store.packs).toHaveLength(1)
  })

  it('leaves no descriptor behind where one of the packs is damaged, and stays as it was', async () => {
    for (const text of ['one\n', 'two\n']) await packAlone(await hashObject(text))
    const good = ObjectStore.open(repository, CACHE_BYTES)
    const objects = await listed(repository)
    writeFileSync(join(packFolder(), `pack-${'f'.repeat(40)}.idx`), 'damaged')
    copyFileSync(packPath('pack'), join(packFolder(), `pack-${'f'.repeat(40)}.pack`))
    const open = descriptors()
    for (let i = 0; i < 20; i++) expect(() => good.refresh()).toThrow('index')
    for (let i = 0; i < 20; i++) expect(() => ObjectStore.open(repository, CACHE_BYTES)).toThrow('index')
    expect(descriptors()).toBe(open)
    expectAll(good, objects)
    good.close()
  })

  it.each([
    { name: 'a pack that was cut short', damage: () => truncateSync(packPath('pack'), 400) },
    { name: 'a pack of no bytes', damage: () => truncateSync(packPath('pack'), 0) },
    {
      name: 'the index of another pack',
      damage: () => {
        const bytes = readFileSync(packPath('idx'))
        bytes.writeUInt8(bytes.readUInt8(bytes.length - 40) ^ 1, bytes.length - 40)
        rmSync(packPath('idx'))
        writeFileSync(packPath('pack').replace(/pack$/, 'idx'), bytes)
      },
    },
  ])('refuses $name', async ({ damage }) => {
    const [{ oid } = { oid: '' }] = await listed(repository)
    damage()
    store = ObjectStore.open(repository, CACHE_BYTES)
    for (let i = 0; i < 3; i++) {
      expect(() => store?.hold()).toThrow('does not match its index')
      expect(() => store?.read(Buffer.from(oid, 'hex'))).toThrow(expect.objectContaining({ name: 'StorageError' }))
    }
    expect(descriptors()).toBe(descriptorsBefore)
  })

  it('reads an index anew that was mended', async () => {
    const objects = await listed(repository)
    const bytes = readFileSync(packPath('idx'))
    bytes.writeUInt8(bytes.readUInt8(bytes.length - 40) ^ 1, bytes.length - 40)
    rmSync(packPath('idx'))
    writeFileSync(packPath('pack').replace(/pack$/, 'idx'), bytes)
    store = ObjectStore.open(repository, CACHE_BYTES)
    expect(() => expectAll(store as ObjectStore, objects)).toThrow('damaged')
    rmSync(packPath('idx'))
    await git.run('index-pack', packPath('pack'))
    store.refresh()
    expectAll(store, objects)
  })

  it('of a name that leads nowhere says so', () => {
    rmSync(packPath('idx'))
    symlinkSync('nowhere', packPath('pack').replace(/pack$/, 'idx'))
    expect(() => ObjectStore.open(repository, CACHE_BYTES)).toThrow('ENOENT')
  })
})

it('says of a damaged pack which object it could not read, whichever byte is wrong', async () => {
  await git.run('repack', '-adfq', '--depth=50')
  const objects = await listed(repository)
  const pack = packPath('pack')
  const bytes = readFileSync(pack)
  const damaged = Buffer.from(bytes)
  for (let at = 12; at < bytes.length - 20; at += 97) damaged.writeUInt8(damaged.readUInt8(at) ^ 0x55, at)
  rmSync(pack)
  writeFileSync(pack, damaged)
  store = ObjectStore.open(repository, CACHE_BYTES)
  let failures = 0
  for (const { oid } of objects) {
    const name = Buffer.from(oid, 'hex')
    for (const read of [() => store?.read(name), () => store?.typeOf(name)]) {
      try {
        read()
      } catch (error) {
        failures++
        expect(error).toMatchObject({ name: 'StorageError', detail: { code: 'object_damaged', oid } })
      }
    }
  }
  expect(failures).toBeGreaterThan(objects.length / 2)
})

describe('a loose object that is damaged is not taken for another one', () => {
  it.each([
    { name: 'no zlib stream', bytes: Buffer.from('blob 3\0abc') },
    { name: 'no bytes at all', bytes: Buffer.alloc(0) },
    { name: 'a stream cut short', bytes: deflateSync('blob 3\0abc').subarray(0, -6) },
    { name: 'a type that is none', bytes: deflateSync('blot 3\0abc') },
    { name: 'a type of the language', bytes: deflateSync('constructor 3\0abc') },
    { name: 'no type', bytes: deflateSync('3\0abc') },
    { name: 'no end of its header', bytes: deflateSync('blob 3') },
    { name: 'fewer bytes than it says', bytes: deflateSync('blob 4\0abc') },
    { name: 'more bytes than it says', bytes: deflateSync('blob 2\0abc') },
    { name: 'a size that is no number', bytes: deflateSync('blob x\0abc') },
  ])('$name', ({ bytes }) => {
    const objectFolder = join(repository, 'objects/be')
    mkdirSync(objectFolder)
    writeFileSync(join(objectFolder, 'be'.repeat(19)), bytes)
    store = ObjectStore.open(repository, CACHE_BYTES)
    const damaged = expect.objectContaining({ detail: { code: 'object_damaged', oid: 'be'.repeat(20) } })
    expect(() => store?.read(MISSING)).toThrow(damaged)
    expect(() => store?.typeOf(MISSING)).toThrow(damaged)
  })
})

import { mkdtempSync, readdirSync, rmSync, truncateSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, expect, it, vi } from 'vitest'
import { NO_FILTER } from '../git/object-graph/filter.ts'
import { diskFileSystem } from '../storage/file-system.ts'
import { PackCache, type PackSpec, type ReadyPack } from './pack-cache.ts'
import { readPack } from './pack-reader.ts'
import { NO_TAGS } from './named-objects.ts'

type Build = Parameters<PackCache['open']>[2]

const SPEC: PackSpec = {
  wants: ['a'.repeat(40), 'b'.repeat(40)],
  haves: ['c'.repeat(40)],
  annotatedTags: NO_TAGS,
  shallow: [],
  filter: NO_FILTER,
  sparse: [],
  features: { thinPack: true, ofsDelta: true },
}

let folder: string
let builds: number
let errors: unknown[]
let cache: PackCache

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'guts-pack-cache-'))
  builds = 0
  const own: unknown[] = []
  errors = own
  // What the removal of a test's folder came before is no error of the next test.
  cache = new PackCache(diskFileSystem, folder, (error) => own.push(error))
})

afterEach(() => {
  rmSync(folder, { recursive: true })
  expect(errors).toEqual([])
})

const building =
  (text: string, bytes = text.length): Build =>
  async (file) => {
    builds++
    await file.write(Buffer.from(text), 0)
    return { kind: 'built', objects: 1, bytes }
  }

async function textOf({ reader, bytes }: ReadyPack): Promise<string> {
  const [first, rest] = [Buffer.alloc(1), Buffer.alloc(bytes - 1)]
  try {
    await readPack(reader, [first, rest], bytes, 0)
    return Buffer.concat([first, rest]).toString()
  } finally {
    await reader.close()
  }
}

it('builds once for many that ask at the same time', async () => {
  const packs = await Promise.all(Array.from({ length: 8 }, () => cache.open('repository', SPEC, building('pack'))))
  expect(await Promise.all(packs.map(textOf))).toEqual(Array.from({ length: 8 }, () => 'pack'))
  expect(builds).toBe(1)
})

it('serves a kept pack to whoever asks the same in another order', async () => {
  await textOf(await cache.open('repository', SPEC, building('pack')))
  const turned = { ...SPEC, wants: [...SPEC.wants, ...SPEC.wants].toReversed() }
  expect(await textOf(await cache.open('repository', turned, building('other')))).toBe('pack')
  expect(builds).toBe(1)
})

it.each<{ name: string; repository?: string; spec?: Partial<PackSpec> }>([
  { name: 'another repository', repository: 'other' },
  { name: 'a want more', spec: { wants: [...SPEC.wants, 'd'.repeat(40)] } },
  { name: 'something more that is had', spec: { haves: [...SPEC.haves, 'd'.repeat(40)] } },
  { name: 'what was wanted is had', spec: { wants: SPEC.haves, haves: SPEC.wants } },
  { name: 'a tag to include', spec: { annotatedTags: Buffer.alloc(20, 'e') } },
  { name: 'an end of history', spec: { shallow: ['f'.repeat(40)] } },
  { name: 'a filter', spec: { filter: { ...NO_FILTER, blobBytes: 0 } } },
  { name: 'another filter', spec: { filter: { ...NO_FILTER, treeDepth: 0 } } },
  { name: 'no thin packs', spec: { features: { thinPack: false, ofsDelta: true } } },
  { name: 'no deltas by offset', spec: { features: { thinPack: true, ofsDelta: false } } },
])('builds anew for $name', async ({ repository = 'repository', spec }) => {
  await textOf(await cache.open('repository', SPEC, building('pack')))
  expect(await textOf(await cache.open(repository, { ...SPEC, ...spec }, building('other')))).toBe('other')
})

it('lets those who waited for a build that failed build themselves, and leaves nothing of it', async () => {
  const failing: Build = async (file) => {
    await file.write(Buffer.from('half a pa'), 0)
    throw new Error('client left')
  }
  const first = cache.open('repository', SPEC, failing)
  const second = cache.open('repository', SPEC, building('pack'))
  await expect(first).rejects.toThrow('client left')
  expect(await textOf(await second)).toBe('pack')
  expect(readdirSync(folder)).toHaveLength(1)
})

it('names a stored pack without a copy of it, and asks again when that is gone', async () => {
  const stored = join(folder, 'stored')
  const storing: Build = async () => {
    builds++
    writeFileSync(stored, 'pack')
    return { kind: 'stored', packPath: stored, objects: 1, bytes: 4 }
  }
  for (let i = 0; i < 2; i++) expect(await textOf(await cache.open('repository', SPEC, storing))).toBe('pack')
  expect(builds).toBe(1)
  expect(readdirSync(folder)).toEqual(['stored'])
  rmSync(stored)
  expect(await textOf(await cache.open('repository', SPEC, storing))).toBe('pack')
  expect(builds).toBe(2)
})

it('looks again where maintenance takes a stored pack in the moment in which it is found', async () => {
  const stored = join(folder, 'stored')
  const storing: Build = async () => {
    // The first one is gone already.
    if (++builds > 1) writeFileSync(stored, 'pack')
    return { kind: 'stored', packPath: stored, objects: 1, bytes: 4 }
  }
  expect(await textOf(await cache.open('repository', SPEC, storing))).toBe('pack')
  expect(builds).toBe(2)
})

it('does not serve a file of another size than the one it knows', async () => {
  const pack = await cache.open('repository', SPEC, building('pack'))
  await pack.reader.close()
  truncateSync(join(folder, readdirSync(folder)[0] ?? ''), 3)
  expect(await textOf(await cache.open('repository', SPEC, building('again')))).toBe('again')
})

it('keeps no pack that is larger than all it may keep, and one that is read stays readable', async () => {
  const pack = await cache.open('repository', SPEC, async (file) => {
    await file.write(Buffer.of(1), 2 ** 30)
    return { kind: 'built', objects: 1, bytes: 2 ** 30 + 1 }
  })
  await vi.waitFor(() => expect(readdirSync(folder)).toEqual([]))
  const byte = Buffer.alloc(1)
  await readPack(pack.reader, [byte], 1, 2 ** 30)
  await pack.reader.close()
  expect(byte).toEqual(Buffer.of(1))
})

it('makes room for a new pack by forgetting the one that was asked for longest ago', async () => {
  const large = 2 ** 29
  const open = async (want: string): Promise<void> => {
    const sparse: Build = async (file) => {
      builds++
      await file.write(Buffer.of(1), large - 1)
      return { kind: 'built', objects: 1, bytes: large }
    }
    await (await cache.open('repository', { ...SPEC, wants: [want] }, sparse)).reader.close()
  }
  for (const want of ['a', 'b', 'a', 'c', 'a']) await open(want)
  expect(builds).toBe(3)
  await open('b')
  expect(builds).toBe(4)
  await vi.waitFor(() => expect(readdirSync(folder)).toHaveLength(2))
})

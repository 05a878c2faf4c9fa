import { createHash } from 'node:crypto'
import { spawnSync } from 'node:child_process'
import { readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { Git, temporaryFolder } from '../../../integration/support/git.ts'
import { importHistory } from '../../../integration/support/history.ts'
import {
  blob,
  delta,
  ofsDelta,
  pack,
  rawEntry,
  refDelta,
  whole,
  withChecksum,
} from '../../../integration/support/pack-maker.ts'
import { ObjectStore } from '../../storage/objects/object-store.ts'
import { encodePackIndex } from './index-file.ts'
import { indexPack } from './indexer.ts'
import type { IndexerHooks } from './name-object.ts'
import { detail, index, LIMITS, memory, NO_HOOKS, noise } from './testing.ts'

const folder = temporaryFolder('indexer')
const source = join(folder.path, 'source.git')
const git = new Git(source)
beforeAll(async () => {
  await new Git(folder.path).run('init', '--quiet', '--bare', '--initial-branch=main', 'source.git')
  const history = { seed: 9, commits: 150, filesPerCommit: 3, fileBytes: 3_000, mergeEvery: 9, tagEvery: 20 }
  await importHistory(source, history)
})
afterAll(() => folder[Symbol.dispose]())

describe('packs that git made are indexed byte for byte as git does', () => {
  it.each([
    { name: 'bases by distance', options: ['--delta-base-offset', '--depth=40', '--window=40'] },
    { name: 'bases by name', options: ['--depth=40', '--window=40'] },
    { name: 'no deltas', options: ['--depth=0'] },
    { name: 'entries that are hardly compressed', options: ['--compression=0'] },
  ])('$name', async ({ options }) => {
    const objects = await git.run('rev-list', '--objects', '--no-object-names', '--all')
    const made = join(folder.path, 'made')
    const { stdout } = await git.try(['pack-objects', '--quiet', '--no-reuse-delta', ...options, made], `${objects}\n`)
    const bytes = readFileSync(`${made}-${stdout.trim()}.pack`)
    const { entries, externalBases, entriesEnd, names } = index(bytes)
    expect(externalBases).toEqual([])
    expect(entriesEnd).toBe(bytes.length - 20)
    expect(names.sort()).toEqual(objects.split('\n').sort())
    const { bytes: ours, packName } = encodePackIndex(entries, bytes.subarray(-20))
    expect(ours.equals(readFileSync(`${made}-${stdout.trim()}.idx`))).toBe(true)
    expect(packName).toBe(stdout.trim())
  })

  it('a pack of nothing', () => {
    expect(index(pack([]))).toMatchObject({ names: [], entriesEnd: 12, externalBases: [] })
  })
})

it('takes from outside what C git takes from outside for a thin pack, and nothing more', async () => {
  const young = await git.run('rev-list', '-1', '--skip=40', 'main')
  const options = ['--quiet', '--revs', '--thin', '--stdout', '--delta-base-offset', '--no-reuse-delta']
  const input = `${await git.run('rev-parse', 'main')}\n^${young}\n`
  const bytes = spawnSync('git', ['pack-objects', ...options], { cwd: source, input }).stdout
  expect(() => index(bytes)).toThrow(detail('delta_base_missing'))
  const store = ObjectStore.open(source, 2 ** 20)
  const { externalBases, names } = index(bytes, {}, (oid) => store.read(oid))
  store.close()
  await new Git(folder.path).run('clone', '--quiet', '--bare', source, 'receiver.git')
  const completed = spawnSync('git', ['index-pack', '--fix-thin', '--stdin'], {
    cwd: join(folder.path, 'receiver.git'),
    input: bytes,
  })
  const packName = completed.stdout.toString().trim().replace('\t', '-')
  const idx = readFileSync(join(folder.path, 'receiver.git/objects/pack', `${packName}.idx`))
  const theirs = await new Git(folder.path).try(['show-index'], idx)
  const objects = theirs.stdout
    .trim()
    .split('\n')
    .map((line) => line.split(' ')[1])
  const ours = [...names, ...externalBases.map((oid) => oid.toString('hex'))]
  expect(externalBases.length).toBeGreaterThan(0)
  expect(ours.sort()).toEqual(objects.sort())
})

describe('deltas in any order', () => {
  const base = blob('the base of them all')
  const middle = blob('a middle one')
  const top = blob('the top')
  const [toMiddle, toTop] = [delta(base.data.length, middle.data), delta(middle.data.length, top.data)]
  it.each([
    { name: 'bases before', entries: [whole(base), refDelta(base.oid, toMiddle), refDelta(middle.oid, toTop)] },
    { name: 'bases after', entries: [refDelta(middle.oid, toTop), refDelta(base.oid, toMiddle), whole(base)] },
    {
      name: 'both ways of naming',
      entries: [whole(base), ofsDelta(whole(base).length, toMiddle), refDelta(middle.oid, toTop)],
    },
  ])('$name', ({ entries }) => {
    expect(index(pack(entries)).names.sort()).toEqual([base.oid, middle.oid, top.oid].sort())
  })

  it('a base from outside that is asked for before its own base is resolved', () => {
    const entries = [refDelta(middle.oid, toTop), refDelta(base.oid, toMiddle)]
    const { names, externalBases } = index(pack(entries), {}, (oid) =>
      oid.toString('hex') === base.oid ? { type: 3, data: base.data } : undefined,
    )
    expect(names.sort()).toEqual([middle.oid, top.oid].sort())
    expect(externalBases.map((oid) => oid.toString('hex'))).toEqual([base.oid])
  })

  // The tables' order is another one in each process: of 32 lines of deltas the chance is nil that it was the right one.
  it('what is made before it is a base is not taken from outside, where it is as well', () => {
    const lines = Array.from({ length: 32 }, (_, at) => [blob(`base ${at}`), blob(`middle ${at}`), blob(`top ${at}`)])
    const outside = new Map(lines.flatMap(([one, two]) => [one!, two!]).map(({ oid, data }) => [oid, data]))
    const entries = lines.flatMap(([one, two, three]) => [
      refDelta(one!.oid, delta(one!.data.length, two!.data)),
      refDelta(two!.oid, delta(two!.data.length, three!.data)),
    ])
    const { externalBases } = index(pack(entries), {}, (oid) => ({ type: 3, data: outside.get(oid.toString('hex'))! }))
    expect(externalBases.map((oid) => oid.toString('hex'))).toEqual(lines.map(([one]) => one!.oid))
  })

  it('bases that came by so long ago that they are read again', () => {
    // More than the scan remembers, of bytes that make no long strings in the pack.
    const fillers = Array.from({ length: 12 }, (_, at) => blob(Buffer.alloc(500_000, `filler ${at}`)))
    const first = [whole(base), ofsDelta(whole(base).length, toMiddle)]
    const between = fillers.map((filler) => whole(filler))
    const distance = Buffer.concat([first[1] as Buffer, ...between]).length
    const again = blob('another top')
    const late = [
      ofsDelta(distance, toTop),
      refDelta(middle.oid, delta(middle.data.length, again.data)),
      // On one that is made only when the pack was read.
      refDelta(top.oid, delta(top.data.length, 'below the top')),
    ]
    const bytes = pack([...first, ...between, ...late])
    const names = [base, middle, top, again, blob('below the top'), ...fillers].map((one) => one.oid)
    expect(index(bytes).names.sort()).toEqual(names.sort())
    expect(index(bytes, { deltaDepthMax: 3 }).names).toHaveLength(names.length)
    expect(() => index(bytes, { deltaDepthMax: 2 })).toThrow(detail('delta_too_deep'))
  })
})

it('asks now and then whether the rest of a pack is wanted, also while all that it looks at is there', () => {
  const small = Array.from({ length: 1_000 }, (_, at) => blob(`number ${at}`))
  const bytes = pack(small.map((one) => whole(one)))
  let objects = 0
  const hooks: IndexerHooks = {
    ...NO_HOOKS,
    onObject: () => (objects += 1),
  }
  const reach = (): void => {
    if (objects > 100) throw new Error('not wanted')
  }
  expect(() => indexPack({ ...memory(bytes), reach }, LIMITS, hooks)).toThrow('not wanted')
  expect(objects).toBeLessThan(200)
})

describe('a pack that declares', () => {
  /** @returns whether anything was made ready for so many objects */
  function isBelieved(bytes: Buffer): boolean {
    let declared = 0
    const hooks: IndexerHooks = {
      ...NO_HOOKS,
      onDeclared: () => (declared += 1),
    }
    try {
      indexPack(memory(bytes), LIMITS, hooks)
    } catch (error) {
      expect(error).toEqual(detail('pack_truncated'))
    }
    return declared > 0
  }

  it('as many objects as it has room for is believed, at nine bytes each, and none that declares more', () => {
    const nothing = whole(blob(''))
    expect(nothing).toHaveLength(9)
    expect(isBelieved(pack([nothing]))).toBe(true)
    expect(isBelieved(pack([nothing, nothing]))).toBe(true)
    expect(isBelieved(pack([Buffer.concat([nothing, Buffer.alloc(8)])], 2))).toBe(false)
    expect(isBelieved(pack([nothing], 2))).toBe(false)
    expect(isBelieved(pack([], 1))).toBe(false)
  })
})

describe('what is to be there is waited for', () => {
  it('before it is read, and after every 64 entries it is asked whether it is still wanted', () => {
    const entries = Array.from({ length: 130 }, (_, at) => whole(blob(`number ${at}`)))
    const bytes = pack(entries)
    const placeOf = (entry: number): number => 12 + Buffer.concat(entries.slice(0, entry)).length
    const reached: number[] = []
    const reach = (end: number): void => void reached.push(end)
    indexPack({ ...memory(bytes), reach }, LIMITS, NO_HOOKS)
    const window = 2 ** 20 + 20
    expect(reached.filter((end) => end < window || end === Number.POSITIVE_INFINITY)).toEqual([
      12,
      12,
      placeOf(64),
      placeOf(128),
      Number.POSITIVE_INFINITY,
      bytes.length,
    ])
  })
})

describe('large blobs, which nobody holds', () => {
  const large = noise(5, 3_000_001)
  const even = blob(Buffer.alloc(2 ** 20, 'even'))
  const onLarge = blob('made of a large one')
  const entries = [whole(large), refDelta(large.oid, delta(large.data.length, onLarge.data)), whole(even)]
  const seen = (bytes: Buffer) => {
    const blobs: string[] = []
    const hooks: IndexerHooks = {
      ...NO_HOOKS,
      onObject: (_type, _data, oids, oidAt) => blobs.push(oids.toString('hex', oidAt, oidAt + 20)),
      onLargeBlob(size, oids, oidAt, forEachPiece) {
        for (let time = 0; time < 2; time++) {
          const hash = createHash('sha1').update(`blob ${size}\0`)
          forEachPiece((piece) => hash.update(piece))
          blobs.push(`large ${hash.digest('hex')}`)
        }
        expect(blobs.at(-1)).toBe(`large ${oids.toString('hex', oidAt, oidAt + 20)}`)
      },
    }
    return { ...indexPack(memory(bytes), LIMITS, hooks), blobs }
  }

  it('come by as often as one likes, and are bases all the same', async () => {
    const bytes = pack(entries)
    const { entries: table, blobs } = seen(bytes)
    const twice = [large, even].flatMap(({ oid }) => [`large ${oid}`, `large ${oid}`])
    expect(blobs.sort()).toEqual([onLarge.oid, ...twice].sort())
    const input = join(folder.path, 'large.pack')
    writeFileSync(input, bytes)
    await git.run('index-pack', input)
    expect(encodePackIndex(table, bytes.subarray(-20)).bytes.equals(readFileSync(input.replace(/pack$/, 'idx')))).toBe(
      true,
    )
  })

  const entry = whole(large)
  const damaged = Buffer.from(entry)
  damaged.writeUInt8(damaged.readUInt8(entry.length - 1) ^ 1, entry.length - 1)
  it.each([
    {
      name: 'a byte less than declared',
      bytes: pack([whole(large, large.data.length + 1)]),
      code: 'entry_size_mismatch',
    },
    {
      name: 'a byte more than declared',
      bytes: pack([whole(large, large.data.length - 1)]),
      code: 'entry_size_mismatch',
    },
    { name: 'a wrong checksum', bytes: pack([damaged, whole(even)]), code: 'entry_inflate_failed' },
    { name: 'a stream cut short', bytes: pack([entry.subarray(0, -1)]), code: 'entry_inflate_failed' },
    {
      name: 'what could only be a bomb',
      bytes: pack([rawEntry(3, Buffer.from('few'), 2 ** 24)]),
      code: 'entry_size_mismatch',
    },
  ])('are refused with $name', ({ bytes, code }) => {
    expect(() => seen(bytes)).toThrow(detail(code))
    expect(() => index(bytes)).toThrow(detail(code))
  })
})

describe('limits, each met and gone over by one', () => {
  const base = blob('0')
  /** base ← 1 ← 2 ← 3 */
  const chain = [1, 2, 3].map((depth) => blob(String(depth).repeat(depth)))
  const chained = pack([
    whole(base),
    ...chain.map((one, at) => refDelta(at === 0 ? base.oid : chain[at - 1]!.oid, delta([1, 1, 2][at] ?? 0, one.data))),
  ])
  // Each delta is two sizes, an insertion's length and its bytes, and makes an object.
  const inflated = 1 + (4 + 1) + (5 + 2) + (6 + 3)
  it.each([
    { name: 'objects', limit: 'objectsMax', value: 4, code: 'pack_objects_over_limit' },
    { name: 'depth', limit: 'deltaDepthMax', value: 3, code: 'delta_too_deep' },
    { name: 'bytes of one object', limit: 'objectBytesMax', value: 6, code: 'object_over_limit' },
    { name: 'bytes in all', limit: 'inflatedBytesMax', value: inflated, code: 'pack_inflated_over_limit' },
  ] as const)('$name', ({ limit, value, code }) => {
    expect(index(chained, { [limit]: value }).names).toHaveLength(4)
    expect(() => index(chained, { [limit]: value - 1 })).toThrow(detail(code))
  })

  it('a base that has to be made again for each of its deltas counts each time', () => {
    const large = blob(Buffer.alloc(97 * 2 ** 20))
    const leaves = Array.from({ length: 6 }, (_, at) => blob(`leaf ${at}`))
    // Each leaf has a delta of its own, so that it is kept, and the large one has to go.
    const entries = leaves.flatMap((leaf) => [
      refDelta(large.oid, delta(large.data.length, leaf.data)),
      refDelta(leaf.oid, delta(leaf.data.length, `below ${leaf.oid}`)),
    ])
    const limits = { objectBytesMax: 2 ** 30, inflatedBytesMax: 4 * large.data.length }
    expect(() => index(pack([whole(large), ...entries]), limits)).toThrow(detail('pack_inflated_over_limit'))
    const enough = { ...limits, inflatedBytesMax: 8 * large.data.length }
    expect(index(pack([whole(large), ...entries]), enough).names).toHaveLength(13)
  })
})

describe('what is no pack', () => {
  const one = blob('one')
  const good = pack([whole(one)])
  const changed = (at: number): Buffer => {
    const bytes = Buffer.from(good)
    bytes.writeUInt8(bytes.readUInt8(at < 0 ? bytes.length + at : at) ^ 1, at < 0 ? bytes.length + at : at)
    return bytes
  }
  const loop = [blob('a'), blob('b')]
  it.each([
    { name: 'fewer bytes than a header', bytes: good.subarray(0, 11), code: 'pack_truncated' },
    { name: 'no checksum', bytes: good.subarray(0, 20), code: 'pack_truncated' },
    { name: 'an entry cut short', bytes: withChecksum(good.subarray(0, -21)), code: 'entry_inflate_failed' },
    { name: 'fewer objects than it declares', bytes: pack([whole(one)], 2), code: 'pack_truncated' },
    { name: 'four thousand million objects', bytes: pack([], 2 ** 32 - 1), code: 'pack_objects_over_limit' },
    {
      name: 'more objects than it declares',
      bytes: pack([whole(one), whole(blob('2'))], 1),
      code: 'pack_trailing_bytes',
    },
    { name: 'bytes behind its checksum', bytes: Buffer.concat([good, Buffer.of(0)]), code: 'pack_trailing_bytes' },
    { name: 'another checksum', bytes: changed(-1), code: 'pack_checksum_mismatch' },
    { name: 'an object shorter than it declares', bytes: pack([whole(one, 4)]), code: 'entry_size_mismatch' },
    { name: 'an object longer than it declares', bytes: pack([whole(one, 2)]), code: 'entry_size_mismatch' },
    { name: 'an unknown type', bytes: pack([rawEntry(5, one.data)]), code: 'entry_type_invalid' },
    {
      name: 'a base at distance 0',
      bytes: pack([whole(one), ofsDelta(0, delta(3, 'x'))]),
      code: 'delta_base_offset_invalid',
    },
    {
      name: 'a base before the pack',
      bytes: pack([ofsDelta(2 ** 40, delta(3, 'x'))]),
      code: 'delta_base_offset_invalid',
    },
    {
      name: 'a base inside an entry',
      bytes: pack([whole(one), ofsDelta(1, delta(3, 'x'))]),
      code: 'delta_base_offset_invalid',
    },
    {
      name: 'a base that is nowhere',
      bytes: pack([refDelta('ab'.repeat(20), delta(3, 'x'))]),
      code: 'delta_base_missing',
    },
    {
      name: 'two that are each the base of the other',
      bytes: pack([refDelta(loop[1]!.oid, delta(1, 'a')), refDelta(loop[0]!.oid, delta(1, 'b'))]),
      code: 'delta_base_missing',
    },
    {
      name: 'a delta on another base',
      bytes: pack([whole(one), refDelta(one.oid, delta(9, 'x'))]),
      code: 'delta_invalid',
    },
  ])('$name is refused', ({ bytes, code }) => {
    expect(() => index(bytes)).toThrow(detail(code))
  })

  it('the same object twice is refused where the index is made', () => {
    const { entries } = index(pack([whole(one), refDelta(one.oid, delta(3, one.data))]))
    expect(() => encodePackIndex(entries, Buffer.alloc(20))).toThrow(detail('object_duplicate'))
  })
})

/** Entries as they come by: in which memory they are inflated, and what is remembered of them. */
import { describe, expect, it } from 'vitest'
import {
  blob,
  delta,
  type MadeObject,
  ofsDelta,
  pack,
  refDelta,
  varint,
  whole,
} from '../../../integration/support/pack-maker.ts'
import { indexPack } from './indexer.ts'
import type { IndexerHooks } from './name-object.ts'
import { index, LIMITS, memory, NO_HOOKS, noise, rereadable } from './testing.ts'

/** Where each object was when it was told, by its size. */
function memoryOf(bytes: Buffer, more: Partial<IndexerHooks> = {}): ReadonlyMap<number, ArrayBufferLike> {
  const seen = new Map<number, ArrayBufferLike>()
  const hooks: IndexerHooks = {
    ...NO_HOOKS,
    onObject: (_type, data) => void seen.set(data.length, data.buffer),
    ...more,
  }
  indexPack(memory(bytes), { ...LIMITS, objectBytesMax: 2 ** 26 }, hooks)
  return seen
}

describe('objects', () => {
  const MIB = 2 ** 20
  it('of up to four megabytes are inflated one after the other in the same memory, but for small ones', () => {
    const sizes = [4 * MIB - 1, 1_000, 3 * MIB, 4 * MIB, 4 * MIB + 1, 1_001, 2 * MIB]
    const seen = memoryOf(pack(sizes.map((bytes) => whole(blob(Buffer.alloc(bytes, 'x'))))))
    expect(seen.size).toBe(sizes.length)
    const of = (bytes: number): ArrayBufferLike => seen.get(bytes) as ArrayBufferLike
    expect(of(3 * MIB)).toBe(of(4 * MIB - 1))
    // It wants one byte more than it had before.
    expect(of(4 * MIB)).not.toBe(of(3 * MIB))
    expect(of(2 * MIB)).toBe(of(4 * MIB))
    expect(of(4 * MIB + 1)).not.toBe(of(4 * MIB))
    expect(of(1_001)).toBe(of(1_000))
    expect(of(1_000)).not.toBe(of(3 * MIB))
  })

  it('that fit into the memory to the last byte do not take more of it', () => {
    const seen = memoryOf(pack([700_000, 700_000 - 1].map((bytes) => whole(blob(Buffer.alloc(bytes, 'x'))))))
    expect(seen.get(700_000)).toBe(seen.get(700_000 - 1))
    expect(seen.get(700_000)?.byteLength).toBe(700_001)
  })
})

describe('blobs that nobody holds', () => {
  const large = 512 * 1024
  const told: number[] = []
  const onLargeBlob = (bytes: number): void => void told.push(bytes)

  it('are those of half a megabyte, and no other objects', () => {
    const objects: MadeObject[] = [
      blob(Buffer.alloc(large - 1, 'a')),
      blob(Buffer.alloc(large, 'b')),
      blob(Buffer.alloc(large + 1, 'c')),
      { ...blob(Buffer.alloc(large + 2, 'd')), type: 'commit' },
    ]
    const seen = memoryOf(pack(objects.map((one) => whole(one))), { onLargeBlob })
    expect(told).toEqual([large, large + 1])
    expect([...seen.keys()]).toEqual([large - 1, large + 2])
  })
})

describe('deltas', () => {
  const base = blob('the base')
  /** One that copies a byte in eight bytes, as often as there is room: it is much longer than what it makes. */
  function wordy(bytes: number): { readonly change: Buffer; readonly object: MadeObject } {
    const copies = Math.floor((bytes - 8) / 8)
    const made = Buffer.alloc(copies, base.data[0])
    const head = Buffer.concat([varint(base.data.length), varint(made.length)])
    const one = Buffer.from('ff00000000010000', 'hex')
    return { change: Buffer.concat([head, ...Array<Buffer>(copies).fill(one)]), object: blob(made) }
  }

  it.each([1_000, 262_136, 262_144, 262_152, 1_000_000])('of %i bytes are applied', (bytes) => {
    const { change, object } = wordy(bytes)
    expect(index(pack([whole(base), refDelta(base.oid, change)])).names).toEqual([base.oid, object.oid])
  })

  it('of exactly as many bytes as there is room for are applied, and of one more', () => {
    for (const bytes of [262_143, 262_144, 262_145]) {
      // Insertions of 127 bytes, and one of what is left.
      let made = Buffer.alloc(bytes - 5 - Math.ceil((bytes - 5) / 128), 'insert')
      for (; delta(base.data.length, made).length < bytes;) made = Buffer.concat([made, Buffer.of(1)])
      for (; delta(base.data.length, made).length > bytes;) made = made.subarray(1)
      const change = delta(base.data.length, made)
      expect(change).toHaveLength(bytes)
      expect(index(pack([whole(base), refDelta(base.oid, change)])).names).toContain(blob(made).oid)
    }
  })

  it.each([
    { name: 'that name their base', isByName: true },
    { name: 'that say how far it is away', isByName: false },
  ])('$name take no room from the objects that are remembered', ({ isByName }) => {
    const entries: Buffer[] = []
    let distance = whole(base).length
    for (let at = 0; at < 40; at++) {
      const { change } = wordy(200_000 + at * 8)
      const entry = isByName ? refDelta(base.oid, change) : ofsDelta(distance, change)
      entries.push(entry)
      distance += entry.length
    }
    const last = ofsDelta(Buffer.concat([whole(base), ...entries]).length, delta(base.data.length, 'the last'))
    // As much is remembered as a pack is long: what does not compress makes it long.
    const { source, rereads } = rereadable(pack([whole(base), ...entries, last, whole(noise(5, 600_000))]))
    expect(index(source).names).toHaveLength(43)
    expect(rereads).toEqual([])
  })

  it('on what is too large to be remembered are applied later', () => {
    const large = noise(3, 600_000)
    const small = blob('made of a large one')
    const bytes = pack([whole(large), refDelta(large.oid, delta(large.data.length, small.data)), whole(base)])
    const { source, rereads } = rereadable(bytes)
    expect(index(source).names).toEqual([large.oid, base.oid, small.oid])
    expect(rereads.length).toBeGreaterThan(0)
  })

  it('that make too much to be remembered are applied later', () => {
    const large = noise(4, 600_000)
    const { source } = rereadable(
      pack([whole(base), refDelta(base.oid, delta(base.data.length, large.data)), whole(blob('x'))]),
    )
    expect(index(source).names).toEqual([base.oid, blob('x').oid, large.oid])
  })

  it('on deltas that wait for their base wait with them', () => {
    const [middle, top] = [blob('a middle one'), blob('the top')]
    const first = refDelta(base.oid, delta(base.data.length, middle.data))
    const bytes = pack([first, ofsDelta(first.length, delta(middle.data.length, top.data)), whole(base)])
    expect(index(bytes).names).toEqual([base.oid, middle.oid, top.oid])
  })
})

/** Deltas that the scan cannot apply, as their base comes later or is not here. */
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
import { detail, index, noise, rereadable } from './testing.ts'

/** Each as a delta on the one before, and the first whole. */
const chainOf = (objects: readonly MadeObject[]): Buffer[] =>
  objects.map((object, at) => {
    const base = objects[at - 1]
    return base === undefined ? whole(object) : refDelta(base.oid, delta(base.data.length, object.data))
  })
const namesOf = (objects: readonly MadeObject[]): string[] => objects.map(({ oid }) => oid).sort()
const numbered = (count: number, what: string): MadeObject[] =>
  Array.from({ length: count }, (_, at) => blob(`${what} ${at}`))

describe('a line of deltas, each before its base', () => {
  const objects = numbered(6, 'number')
  const entries = chainOf(objects).toReversed()

  it('is named', () => {
    expect(index(pack(entries)).names.sort()).toEqual(namesOf(objects))
  })

  it('is as long as the limit says, and not longer', () => {
    expect(index(pack(entries), { deltaDepthMax: 5 }).names).toHaveLength(6)
    // The deepest one is the first in the pack.
    expect(() => index(pack(entries), { deltaDepthMax: 4 })).toThrow(
      expect.objectContaining({ detail: { code: 'delta_too_deep', limitDepth: 4, packOffset: 12 } }),
    )
  })

  it('counts what the entries hold, and what is made of them', () => {
    const deltas = objects
      .slice(1)
      .map(({ data }, at) => delta(objects[at]?.data.length ?? 0, data).length + data.length)
    const inflatedBytesMax = deltas.reduce((sum, one) => sum + one, objects[0]?.data.length ?? 0)
    expect(index(pack(entries), { inflatedBytesMax }).names).toHaveLength(6)
    expect(() => index(pack(entries), { inflatedBytesMax: inflatedBytesMax - 1 })).toThrow(
      detail('pack_inflated_over_limit'),
    )
  })
})

describe('bases that have many deltas', () => {
  const [base, other] = [blob('the base'), blob('another base')]
  const leaves = numbered(4, 'leaf')
  const twigs = numbered(4, 'twig')
  const onto = (below: MadeObject, object: MadeObject): Buffer =>
    refDelta(below.oid, delta(below.data.length, object.data))

  it('are bases of all of them, and so are those', () => {
    const entries = [
      ...twigs.map((twig, at) => onto(leaves[at] as MadeObject, twig)),
      ...leaves.map((leaf, at) => onto(at < 2 ? base : other, leaf)),
      whole(base),
      whole(other),
    ]
    const { names, externalBases } = index(pack(entries))
    expect(names.sort()).toEqual(namesOf([base, other, ...leaves, ...twigs]))
    expect(externalBases).toEqual([])
  })

  it('come from outside, if they are there, once each', () => {
    const entries = [...leaves.map((leaf) => onto(base, leaf)), ...twigs.map((twig) => onto(other, twig))]
    const asked: string[] = []
    const { names, externalBases } = index(pack(entries), {}, (oid) => {
      asked.push(oid.toString('hex'))
      const found = [base, other].find((one) => one.oid === oid.toString('hex'))
      return found === undefined ? undefined : { type: 3, data: found.data }
    })
    expect(names.sort()).toEqual(namesOf([...leaves, ...twigs]))
    expect(asked).toEqual([base.oid, other.oid])
    expect(externalBases.map((oid) => oid.toString('hex'))).toEqual([base.oid, other.oid])
  })

  it('have the type that those outside have', () => {
    const entries = [refDelta(base.oid, delta(base.data.length, 'no tree')), whole(blob('x'))]
    const { entries: table } = index(pack(entries), {}, () => ({ type: 2, data: base.data }))
    expect(Array.from(table.types)).toEqual([2, 3])
  })
})

describe('how far it came is told', () => {
  const [base, middle, top] = [blob('the base'), blob('the middle'), blob('the top')]
  const [toMiddle, toTop] = [delta(base.data.length, middle.data), delta(middle.data.length, top.data)]
  it.each([
    {
      name: 'all bases before',
      entries: [whole(base), refDelta(base.oid, toMiddle), refDelta(middle.oid, toTop)],
      progress: ['3 declared', 'resolving 3/3'],
    },
    {
      name: 'bases behind',
      entries: [refDelta(middle.oid, toTop), refDelta(base.oid, toMiddle), whole(base)],
      progress: ['3 declared', 'resolving 3/3', 'resolving 3/3'],
    },
    {
      name: 'a base outside',
      entries: [refDelta(base.oid, toMiddle), whole(top)],
      progress: ['2 declared', 'resolving 2/2', 'resolving 2/2'],
    },
    {
      name: 'two bases',
      entries: [refDelta(base.oid, toMiddle), refDelta(top.oid, delta(top.data.length, 'x')), whole(top), whole(base)],
      progress: ['4 declared', 'resolving 3/4', 'resolving 4/4', 'resolving 4/4'],
    },
  ])('with $name', ({ entries, progress }) => {
    const outside = (oid: Buffer) => (oid.toString('hex') === base.oid ? { type: 3, data: base.data } : undefined)
    expect(index(pack(entries), {}, outside).progress).toEqual(progress)
  })

  it('now and then while a pack is read', () => {
    const many = numbered(8_200, 'number')
    expect(index(pack(many.map((one) => whole(one)))).progress).toEqual([
      '8200 declared',
      'receiving 4096/8200',
      'receiving 8192/8200',
      'resolving 8200/8200',
    ])
  })
})

describe('nothing is looked at again that has all of its deltas', () => {
  // As large as a window, so that each entry is read by itself.
  const [early, late] = [noise(1, 1_200_000), noise(2, 1_200_000)]
  const [base, middle, top] = [blob('the base'), blob('the middle'), blob('the top')]
  const toMiddle = delta(base.data.length, middle.data)
  const toTop = refDelta(middle.oid, delta(middle.data.length, top.data))

  it('where the scan applied them', () => {
    const bytes = pack([whole(early), whole(base), ofsDelta(whole(base).length, toMiddle), toTop, whole(late)])
    const { source, rereads } = rereadable(bytes)
    expect(index(source).names).toHaveLength(5)
    expect(rereads).toEqual([])
  })

  it('but what a delta waits for is, and what that is made of', () => {
    const first = [toTop, whole(base), ofsDelta(whole(base).length, toMiddle)]
    // Another one on the same base, which was applied, lies far behind.
    const done = blob('done already')
    const onBase = refDelta(base.oid, delta(base.data.length, done.data))
    const bytes = pack([...first, whole(early), onBase, whole(late)])
    const { source, rereads } = rereadable(bytes)
    const { names } = index(source)
    // Each is named once, also what is made a second time.
    expect(names.sort()).toEqual(namesOf([base, middle, top, done, early, late]))
    // All of them lie in one window: from the base's stream on, and then from that of the first delta.
    expect(rereads).toEqual([12 + toTop.length + 1, 12 + 21])
  })

  it('and a base whose deltas were applied is none of those', () => {
    const onEarly = refDelta(early.oid, delta(early.data.length, 'on the early one'))
    const second = blob('another base')
    const waiting = refDelta(second.oid, delta(second.data.length, 'x'))
    const bytes = pack([
      whole(early),
      onEarly,
      waiting,
      whole(base),
      ofsDelta(whole(base).length, toMiddle),
      whole(late),
      whole(second),
    ])
    const { source, rereads } = rereadable(bytes)
    expect(index(source).names).toHaveLength(7)
    const earlyEnd = 12 + whole(early).length
    const lateAt = bytes.length - 20 - whole(second).length - whole(late).length
    // The delta on the early one could not be applied at once, as that is too large to be remembered.
    expect(rereads.filter((at) => at > earlyEnd + onEarly.length + waiting.length && at < lateAt)).toEqual([])
  })
})

/** Copies of all of the base, and a byte more. */
function grown(from: MadeObject, byte: number): { readonly change: Buffer; readonly object: MadeObject } {
  const copies: Buffer[] = []
  for (let at = 0; at < from.data.length; at += 2 ** 16) {
    const copy = Buffer.from('bf000000000000', 'hex')
    copy.writeUInt32LE(at, 1)
    copy.writeUInt16LE(Math.min(2 ** 16, from.data.length - at) & 0xffff, 5)
    copies.push(copy)
  }
  const sizes = [varint(from.data.length), varint(from.data.length + 1)]
  return {
    change: Buffer.concat([...sizes, ...copies, Buffer.of(1, byte)]),
    object: blob(Buffer.concat([from.data, Buffer.of(byte)])),
  }
}

describe('bases that are too large to be kept all at a time', () => {
  const HALF = 50 * 2 ** 20
  const base = blob(Buffer.alloc(HALF, 7))

  const [one, other] = [grown(base, 1), grown(base, 2)]
  const [first, second] = [grown(one.object, 3), grown(one.object, 4)]
  const leaves = [grown(first.object, 5), grown(second.object, 6), grown(other.object, 7)]
  const made = [one, other, first, second, ...leaves]
  const upper = [
    ...leaves.map(({ change }, at) => refDelta([first, second, other][at]?.object.oid ?? '', change)),
    refDelta(one.object.oid, first.change),
    refDelta(one.object.oid, second.change),
    refDelta(base.oid, one.change),
    refDelta(base.oid, other.change),
  ]
  // What the entries hold, and what is made of them.
  const once = made.reduce((sum, { change, object }) => sum + change.length + object.data.length, 0)
  const outside = (oid: Buffer) => (oid.toString('hex') === base.oid ? { type: 3, data: base.data } : undefined)

  // The two deltas on the base the other way round: when the second is taken, nobody asks for the base itself again.
  const turned = [...upper.slice(0, -2), ...upper.slice(-2).toReversed()]
  const oneAgain = one.change.length + one.object.data.length

  it.each([
    // Its entry, and then for its second delta, and for the second one on what the first of them makes.
    { name: 'in the pack', entries: [...upper, whole(base)], again: 3 * HALF + oneAgain },
    // What is from outside cannot be made from the pack, and is kept.
    { name: 'outside', entries: upper, again: oneAgain },
    { name: 'in the pack, the largest part last', entries: [...turned, whole(base)], again: 3 * HALF + oneAgain },
    { name: 'outside, the largest part last', entries: turned, again: oneAgain },
  ])('are made again as often as must be: $name', ({ entries, again }) => {
    const limits = { objectBytesMax: 2 ** 26, inflatedBytesMax: once + again }
    const { names } = index(pack(entries), limits, outside)
    expect(names.filter((name) => name !== base.oid).sort()).toEqual(namesOf(made.map(({ object }) => object)))
    expect(() => index(pack(entries), { ...limits, inflatedBytesMax: once + again - 1 }, outside)).toThrow(
      detail('pack_inflated_over_limit'),
    )
  })
})

describe('bases for which there is room are not made again', () => {
  const PART = 20 * 2 ** 20
  const base = blob(Buffer.alloc(PART, 9))
  type Grown = ReturnType<typeof grown>
  const onto = (below: MadeObject, { change }: Grown): Buffer => refDelta(below.oid, change)

  it.each([
    { name: 'in a long line, of which the last two are held', depth: 6, width: 2 },
    { name: 'with many deltas, of which one is held at a time', depth: 0, width: 8 },
  ])('$name', ({ depth, width }) => {
    const entries: Buffer[] = []
    const made: Grown[] = []
    let below = base
    for (let level = 1; level <= depth; level++) {
      const next = grown(below, level)
      entries.unshift(onto(below, next))
      made.push(next)
      below = next.object
    }
    for (let at = 0; at < width; at++) {
      const branch = grown(below, 100 + at)
      const leaf = { change: delta(branch.object.data.length, `leaf ${at}`), object: blob(`leaf ${at}`) }
      entries.unshift(onto(branch.object, leaf), onto(below, branch))
      made.push(branch, leaf)
    }
    const inflatedBytesMax = made.reduce((sum, { change, object }) => sum + change.length + object.data.length, PART)
    const { names } = index(pack([...entries, whole(base)]), { objectBytesMax: 2 ** 26, inflatedBytesMax })
    expect(names.sort()).toEqual(namesOf([base, ...made.map(({ object }) => object)]))
  })
})

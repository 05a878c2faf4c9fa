import { describe, expect, it } from 'vitest'
import { blob, type MadeObject, tree } from '../../../integration/support/pack-maker.ts'
import { OBJECT_TYPE } from '../object/type.ts'
import { NO_FILTER } from './filter.ts'
import { fromHex } from './object-reader.ts'
import { selectObjects } from './select.ts'
import { SparsePatterns, SparseBudget } from './sparse-patterns.ts'

/** Of these objects, those that are sent where the last is wanted. */
function select(objects: readonly MadeObject[], lists: readonly string[], limits = {}, filter = NO_FILTER): string[] {
  const byName = new Map(objects.map((one) => [one.oid, one]))
  const read = (oid: Buffer, at: number): { type: number; data: Buffer } => {
    const found = byName.get(oid.toString('hex', at, at + 20))
    if (found === undefined) throw new Error('missing')
    return { type: OBJECT_TYPE[found.type], data: found.data }
  }
  const budget = new SparseBudget(limits)
  const { oids, count } = selectObjects(
    { read, sizeOf: (oid, at) => read(oid, at).data.length },
    {
      wants: [fromHex(objects.at(-1)?.oid ?? '')],
      haves: [],
      filter: { ...filter, sparse: lists },
      sparse: { lists: lists.map((text) => new SparsePatterns(Buffer.from(text), budget)), budget },
    },
  )
  return Array.from({ length: count }, (_, at) => oids.toString('hex', at * 20, at * 20 + 20)).sort()
}

const over = (limit: string) => expect.objectContaining({ detail: { code: 'over_limit', limit } }) as Error
const oids = (...objects: MadeObject[]): string[] => objects.map(({ oid }) => oid).sort()

describe('a sparse filter', () => {
  const [one, two, large] = [blob('one'), blob('two'), blob('l'.repeat(100))]
  const inner = tree(['100644', 'large', large.oid], ['100644', 'one', one.oid], ['100644', 'two', two.oid])
  const root = tree(['40000', 'a', inner.oid], ['40000', 'b', inner.oid])
  const all = [one, two, large, inner, root]

  it('sends what lies somewhere where it is wanted, and all trees', () => {
    expect(select(all, ['/a/one\n/b/two\n'])).toEqual(oids(one, two, inner, root))
    expect(select(all, [''])).toEqual(oids(inner, root))
  })

  it('sends with another filter what both let through', () => {
    expect(select(all, ['*'], {}, { ...NO_FILTER, blobBytes: 50 })).toEqual(oids(one, two, inner, root))
    expect(select(all, ['one', 'o*'])).toEqual(oids(one, inner, root))
    expect(select(all, ['one', 'two'])).toEqual(oids(inner, root))
    expect(select(all, ['*'], {}, { ...NO_FILTER, treeDepth: 1 })).toEqual(oids(inner, root))
    expect(select(all, ['*'], {}, { ...NO_FILTER, type: 3 })).toEqual(oids(one, two, large, root))
  })

  it('ends at its budget where a few trees have very many paths', () => {
    const bomb = [one, tree(['100644', 'x', one.oid])]
    for (let depth = 0; depth < 40; depth++) {
      const below = bomb.at(-1)?.oid ?? ''
      bomb.push(tree(['40000', 'a', below], ['40000', 'b', below]))
    }
    expect(() => select(bomb, ['nothing'], { places: 10_000 })).toThrow(over('sparse_filter_places'))
  })

  it('looks at as many places as it may, and not at one more', () => {
    // Each folder is walked and judged, the root too; each file is judged at every path, but for one that is sent already.
    const places = 2 * 3 + 2 * 3 - 1
    expect(select(all, ['/a/one\n'], { places })).toEqual(oids(one, inner, root))
    expect(() => select(all, ['/a/one\n'], { places: places - 1 })).toThrow(over('sparse_filter_places'))
  })

  it('ends at its budget where patterns take long, however they are made', () => {
    const named = tree(['100644', 'a'.repeat(4_000), one.oid])
    const pattern = `${'*a'.repeat(2_000)}b\n`
    // The entry; then the path, each of its bytes with each part of the pattern; and the same for the root, which has none.
    const steps = 1 + 4_000 + (1 + 1 + 4_002 * 4_001) + (1 + 1 + 4_002)
    expect(select([one, named], [pattern], { steps })).toEqual(oids(named))
    expect(() => select([one, named], [pattern], { steps: steps - 1 })).toThrow(over('sparse_filter_steps'))
  })
})

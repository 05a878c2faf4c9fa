/** What a fetch says of how much it wants: filters, depths and where its history ends. */
import assert from 'node:assert/strict'
import { spawnSync } from 'node:child_process'
import { fc } from '@fast-check/vitest'
import { INFINITE_DEPTH } from '../src/git/object-graph/deepen.ts'
import type { ObjectFilter } from '../src/git/object-graph/filter.ts'
import { OBJECT_TYPE } from '../src/git/object/type.ts'
import { ProtocolError } from '../src/git/protocol/error.ts'
import { parseFilterSpec } from '../src/git/protocol/filter-spec.ts'
import { HistoryArguments } from '../src/git/protocol/history-arguments.ts'
import { oidHex } from './arbitraries.ts'
import { prop } from './prop.ts'

const UNITS = { '': 1, k: 2 ** 10, M: 2 ** 20, g: 2 ** 30 }

interface Said {
  readonly text: string
  readonly means: Partial<ObjectFilter>
}

const one: fc.Arbitrary<Said> = fc.oneof(
  fc.constant({ text: 'blob:none', means: { blobBytes: 0 } }),
  fc.tuple(fc.nat(2 ** 20), fc.constantFrom(...(Object.keys(UNITS) as (keyof typeof UNITS)[]))).map(([bytes, unit]) => {
    return { text: `blob:limit=${bytes}${unit}`, means: { blobBytes: bytes * UNITS[unit] } }
  }),
  fc.nat(9).map((treeDepth) => ({ text: `tree:${treeDepth}`, means: { treeDepth } })),
  fc.constantFrom(...(Object.keys(OBJECT_TYPE) as (keyof typeof OBJECT_TYPE)[])).map((type) => {
    return { text: `object:type=${type}`, means: { type: OBJECT_TYPE[type] } }
  }),
  fc.stringMatching(/^[a-zé+:% /]{1,12}$/).map((name) => ({ text: `sparse:oid=${name}`, means: { sparse: [name] } })),
)

/** `%` and `+` have a meaning of their own in there; any other byte may be written by its number, too. */
const combined = (specs: readonly string[]): string =>
  `combine:${specs.map((spec) => encodeURIComponent(spec)).join('+')}`

function meaningOf(all: readonly Said[]): ObjectFilter {
  const least = (numbers: readonly (number | undefined)[]): number | undefined => {
    const known = numbers.filter((number) => number !== undefined)
    return known.length === 0 ? undefined : Math.min(...known)
  }
  const types = new Set(all.flatMap(({ means }) => means.type ?? []))
  return {
    blobBytes: least(all.map(({ means }) => means.blobBytes)),
    treeDepth: least(all.map(({ means }) => means.treeDepth)),
    // Nothing is of two types.
    type: types.size > 1 ? 0 : [...types][0],
    sparse: all.flatMap(({ means }) => means.sparse ?? []),
  }
}

const sorted = (filter: ObjectFilter): ObjectFilter => ({ ...filter, sparse: filter.sparse.toSorted() })

prop([fc.array(one, { minLength: 1, maxLength: 5 }), fc.nat(5)])(
  'a filter means all that is combined in it, in any order, however it is nested',
  (all, place) => {
    const expected = sorted(meaningOf(all))
    const texts = all.map(({ text }) => text)
    if (all.length === 1) assert.deepEqual(parseFilterSpec(texts[0] ?? ''), expected)
    assert.deepEqual(sorted(parseFilterSpec(combined(texts))), expected)
    assert.deepEqual(sorted(parseFilterSpec(combined(texts.toReversed()))), expected)
    const inner = texts.slice(place % texts.length)
    assert.deepEqual(
      sorted(parseFilterSpec(combined([...texts.slice(0, place % texts.length), combined(inner)]))),
      expected,
    )
    // Said twice, it is the same but for its patterns, which are only read twice.
    const twice = parseFilterSpec(combined([...texts, ...texts]))
    assert.deepEqual({ ...twice, sparse: new Set(twice.sparse) }, { ...expected, sparse: new Set(expected.sparse) })
  },
)

/** Of numbers as people write them, and nearly so. */
const numberText = fc
  .tuple(
    fc.constantFrom('', '', '+', ' ', '\t+', '-', '+ '),
    fc.oneof(
      fc.nat(2 ** 20).map(String),
      fc.nat(2 ** 20).map((number) => `0${number.toString(8)}`),
      fc.nat(2 ** 20).map((number) => `0x${number.toString(16)}`),
      fc.stringMatching(/^0{0,2}[xX]?[0-9a-fA-F]{0,3}$/),
      fc.bigInt({ min: 2n ** 53n, max: 2n ** 63n - 1n }).map(String),
    ),
    fc.constantFrom('', '', 'k', 'K', 'm', 'G', 'x', ' '),
  )
  .map((parts) => parts.join(''))

/** What C git reads the texts as; undefined: as no number. Its signed numbers are written as those of filters are. */
function readByGit(texts: readonly string[]): (bigint | undefined)[] {
  const script = 'for text; do git -c "a.b=$text" config --type=int a.b 2>/dev/null || echo none; done'
  const { stdout } = spawnSync('sh', ['-c', script, 'sh', ...texts], { encoding: 'utf8' })
  return stdout
    .trimEnd()
    .split('\n')
    .map((line) => (line === 'none' ? undefined : BigInt(line)))
}

prop([fc.array(numberText, { minLength: 1, maxLength: 8 })], { numRuns: 60 })(
  'the numbers of filters are those that C git reads in the same text',
  (texts) => {
    for (const [at, theirs] of readByGit(texts).entries()) {
      const text = texts[at] ?? ''
      let ours: number | undefined
      try {
        ours = parseFilterSpec(`tree:${text}`).treeDepth
      } catch (error) {
        assert.ok(error instanceof ProtocolError)
      }
      // Those of filters have one bit more, and no sign.
      if (theirs === undefined && ours === Number.MAX_SAFE_INTEGER) continue
      const expected = theirs === undefined || text.includes('-') ? undefined : theirs
      const known = BigInt(Number.MAX_SAFE_INTEGER)
      assert.equal(ours, expected === undefined ? undefined : Number(expected < known ? expected : known), text)
    }
  },
)

const noise = fc.array(
  fc.constantFrom(
    'blob:',
    'none',
    'limit=',
    'tree:',
    'object:type=',
    'sparse:',
    'oid=',
    'path=',
    'combine:',
    '+',
    '%',
    '%2',
    '%2B',
    '1',
    'k',
    '-',
    ' ',
    'tag',
    '\0',
    '9'.repeat(20),
  ),
  {
    maxLength: 8,
  },
)

/** Of noise alone hardly any is a filter: three of 1,000. */
const nearly = fc.oneof(
  noise,
  fc
    .tuple(fc.array(one, { minLength: 1, maxLength: 3 }), noise, fc.nat(), fc.boolean())
    .map(([all, [some = ''], place, isFlawed]) => {
      const whole = combined(all.map(({ text }) => text))
      const at = place % (whole.length + 1)
      return isFlawed ? [whole.slice(0, at), some, whole.slice(at + 1)] : [whole]
    }),
)

prop([nearly])('any text is a filter of whole numbers, or refused in words', (parts) => {
  let filter: ObjectFilter
  try {
    filter = parseFilterSpec(parts.join(''))
  } catch (error) {
    assert.ok(error instanceof ProtocolError)
    return
  }
  for (const number of [filter.blobBytes, filter.treeDepth]) {
    assert.ok(number === undefined || (Number.isSafeInteger(number) && number >= 0))
  }
})

const LIMITS = { wantsMax: 4, havesMax: 6 }
const whole = fc.oneof(fc.integer({ min: 1, max: 100 }), fc.integer({ min: 2 ** 31, max: 2 ** 40 }))

prop([
  fc.array(oidHex, { maxLength: 8 }),
  fc.option(whole, { nil: undefined }),
  fc.option(whole, { nil: undefined }),
  fc.array(fc.stringMatching(/^[a-z/ ]{1,10}$/), { maxLength: 6 }),
  fc.boolean(),
  fc.nat(),
])(
  'how much of history a fetch wants is read as it was said, in any order of kinds, and one more than the limit is refused',
  (shallows, depth, sinceS, not, relative, turn) => {
    const groups = [
      shallows.map((oid) => `shallow ${oid}`),
      depth === undefined ? [] : [`deepen ${depth}`],
      sinceS === undefined ? [] : [`deepen-since ${sinceS}`],
      not.map((name) => `deepen-not ${name}`),
    ]
    const at = turn % groups.length
    const lines = [...groups.slice(at), ...groups.slice(0, at)].flat()
    const args = new HistoryArguments(LIMITS)
    const read = (): void => lines.forEach((line) => assert.ok(args.take(line)))
    if (shallows.length > LIMITS.havesMax || not.length > LIMITS.wantsMax) {
      assert.throws(read, (error) => error instanceof ProtocolError && /limit/.test(error.message))
      return
    }
    read()
    const isDeepening = depth !== undefined || sinceS !== undefined || not.length > 0
    const known = depth === undefined ? undefined : Math.min(depth, INFINITE_DEPTH)
    const { deepen, ...rest } = args.request(relative)
    assert.deepEqual(deepen, isDeepening ? { depth: known, relative, sinceS, not } : undefined)
    assert.deepEqual(rest.shallows, shallows)
    assert.equal(args.take(`want ${'a'.repeat(40)}`), false)
  },
)

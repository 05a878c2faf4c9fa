/** Parts of histories: where they end, and what filters leave out, as C git has it. */
import assert from 'node:assert/strict'
import { cpSync, mkdtempSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import { fc } from '@fast-check/vitest'
import { afterAll, beforeAll } from 'vitest'
import { temporaryFolder } from '../integration/support/git.ts'
import { type Deepening, findBoundary, INFINITE_DEPTH } from '../src/git/object-graph/deepen.ts'
import { fromHex } from '../src/git/object-graph/object-reader.ts'
import { selectObjects } from '../src/git/object-graph/select.ts'
import { encodePktLine, FLUSH } from '../src/git/pkt-line.ts'
import { parseFilterSpec } from '../src/git/protocol/filter-spec.ts'
import { ObjectStore } from '../src/storage/objects/object-store.ts'
import { readerOf } from '../src/transfer/workers/open-stores.ts'
import { type Commit, history, type Made, makeHistory, run } from './histories.ts'
import { namesOf } from './names-of.ts'
import { prop } from './prop.ts'

const folder = temporaryFolder('partial')
beforeAll(() => {
  run(folder.path, ['init', '--quiet', '--bare', 'empty.git'])
})
afterAll(() => folder[Symbol.dispose]())

interface Place {
  readonly path: string
  readonly made: Made
  readonly store: ObjectStore
}

/** In a repository with that history, some of it in deltas. */
function inHistory(commits: readonly Commit[], bitmaps: boolean, work: (place: Place) => void): void {
  const path = mkdtempSync(join(folder.path, 'repository-'))
  cpSync(join(folder.path, 'empty.git'), path, { recursive: true })
  const made = makeHistory(path, commits)
  run(path, ['-c', `repack.writeBitmaps=${bitmaps}`, 'repack', '-adfq', '--window=20'])
  const store = ObjectStore.open(path, 2 ** 20)
  try {
    work({ path, made, store })
  } finally {
    store.close()
    rmSync(path, { recursive: true })
  }
}

const places = (minLength: number): fc.Arbitrary<number[]> => fc.array(fc.nat(1_000), { minLength, maxLength: 3 })
const at = (names: readonly string[], place: number): string => names[place % names.length] ?? ''

const simple = fc.oneof(
  fc.constantFrom('blob:none', 'object:type=commit', 'object:type=tree', 'object:type=blob', 'object:type=tag'),
  // Files have about 1,000 bytes, which their deltas do not have.
  fc.integer({ min: 990, max: 1_010 }).map((bytes) => `blob:limit=${bytes}`),
  fc.nat(4).map((depth) => `tree:${depth}`),
)
/** One filter, or two together. */
const filters = fc.oneof({ weight: 3, arbitrary: fc.tuple(simple) }, { weight: 1, arbitrary: fc.tuple(simple, simple) })

prop([history('right'), places(1), fc.array(filters, { minLength: 4, maxLength: 4 }), fc.boolean()], { numRuns: 12 })(
  'a filter leaves out what C git leaves out',
  (commits, wants, lists, bitmaps) =>
    inHistory(commits, bitmaps, ({ path, made, store }) => {
      const wanted = wants.map((place) => at([...made.commits, ...made.tags.keys()], place))
      for (const specs of lists) {
        const spec = specs.length === 1 ? specs[0] : `combine:${specs.map(encodeURIComponent).join('+')}`
        const filter = parseFilterSpec(spec)
        const selection = selectObjects(readerOf(store), { wants: wanted.map(fromHex), haves: [], filter })
        const selected = namesOf(store, selection)
        assert.equal(new Set(selected).size, selected.length, 'each object once')
        // By each of them alone, as C git forgets a root tree that it met somewhere below another one, where two are
        // combined of which one does not look so deep.
        const theirs = specs.map((one) => new Set(listOf(path, one, wanted)))
        const [first = new Set<string>(), second = first] = theirs
        assert.deepEqual(selected.sort(), [...first].filter((oid) => second.has(oid)).sort(), spec)
        assert.deepEqual(
          listOf(path, spec, wanted).filter((oid) => !selected.includes(oid)),
          [],
          spec,
        )
      }
    }),
)

/** What C git would send. */
function listOf(path: string, filter: string, wanted: readonly string[]): string[] {
  const args = ['rev-list', '--objects', '--no-object-names', `--filter=${filter}`, '--stdin']
  const listed = run(path, args, `${wanted.join('\n')}\n`)
    .toString()
    .trim()
    .split('\n')
  return listed.filter((oid) => oid !== '')
}

interface Question {
  readonly wants: readonly number[]
  readonly shallows: readonly number[]
  readonly depth: number | undefined
  readonly relative: boolean
  /** By place: when that commit was made. */
  readonly since: number | undefined
  readonly not: readonly number[]
}
const byDepth = fc.record({
  depth: fc.oneof(fc.integer({ min: 1, max: 8 }), fc.constantFrom(1_000, INFINITE_DEPTH)),
  relative: fc.boolean(),
  since: fc.constant(undefined),
  not: fc.constant([]),
})
const bySelection = fc
  .record({
    depth: fc.constant(undefined),
    relative: fc.constant(false),
    since: fc.option(fc.nat(1_000), { nil: undefined }),
    not: places(0),
  })
  .filter(({ since, not }) => since !== undefined || not.length > 0)
/** From where the client's history ends, and not so deep that it matters nowhere: of 60 drawn as they come, 5 did. */
const deeper = fc.record({
  wants: places(1),
  shallows: places(1),
  depth: fc.integer({ min: 1, max: 3 }),
  relative: fc.constant(true),
  since: fc.constant(undefined),
  not: fc.constant([]),
})
const question: fc.Arbitrary<Question> = fc.oneof(
  deeper,
  ...[byDepth, bySelection].map((how) =>
    fc.tuple(fc.record({ wants: places(1), shallows: places(0) }), how).map(([client, one]): Question => {
      return { ...client, ...one }
    }),
  ),
)

prop([history('right'), fc.array(question, { minLength: 9, maxLength: 9 }), fc.boolean()], { numRuns: 12 })(
  'history ends where C git ends it',
  (commits, questions, bitmaps) =>
    inHistory(commits, bitmaps, (place) => {
      for (const one of questions) assert.deepEqual(ourEnds(place, one), theirEnds(place, one), JSON.stringify(one))
    }),
)

const timeOf = ({ path, made }: Place, since: number): number =>
  Number(run(path, ['log', '-1', '--format=%ct', at(made.commits, since)]).toString())

function shallowsOf({ made }: Place, { shallows }: Question): string[] {
  return Array.from(new Set(shallows.map((place) => at(made.commits, place))))
}

function ourEnds(place: Place, one: Question): string[] | 'nothing' {
  const { made, store } = place
  const deepening: Deepening = {
    depth: one.depth,
    relative: one.relative,
    sinceS: one.since === undefined ? undefined : timeOf(place, one.since),
    not: one.not.map((commit) => fromHex(at(made.commits, commit))),
  }
  const wants = one.wants.map((commit) => fromHex(at(made.commits, commit)))
  const found = findBoundary(readerOf(store), wants, shallowsOf(place, one).map(fromHex), deepening)
  if (found === undefined) return 'nothing'
  const lines = (word: string, oids: readonly Buffer[]): string[] => oids.map((oid) => `${word} ${oid.toString('hex')}`)
  return [...lines('shallow', found.shallow), ...lines('unshallow', found.unshallow)].sort()
}

function theirEnds(place: Place, one: Question): string[] | 'nothing' {
  const { path, made } = place
  const words = one.relative ? ' deepen-relative' : ''
  const lines = [
    ...one.wants.map((commit, number) => `want ${at(made.commits, commit)}${number === 0 ? words : ''}`),
    ...shallowsOf(place, one).map((oid) => `shallow ${oid}`),
    ...(one.depth === undefined ? [] : [`deepen ${one.depth}`]),
    ...(one.since === undefined ? [] : [`deepen-since ${timeOf(place, one.since)}`]),
    ...one.not.map((commit) => `deepen-not refs/heads/at/${(commit % made.commits.length) + 1}`),
  ]
  const body = Buffer.concat([...lines.map((line) => encodePktLine(`${line}\n`)), FLUSH])
  const args = ['-c', 'uploadpack.allowAnySHA1InWant=true', 'upload-pack', '--stateless-rpc', '.']
  try {
    const text = run(path, args, body).toString()
    return Array.from(text.matchAll(/(?:un)?shallow [0-9a-f]{40}/g), ([line]) => line).sort()
  } catch (error) {
    if (!String(error).includes('no commits selected')) throw error
    return 'nothing'
  }
}

import { expect, it } from 'vitest'
import { NO_FILTER } from '../git/object-graph/filter.ts'
import type { RefSnapshot } from '../storage/repositories/ref-store.ts'
import { type KnownFetch, KnownFetches } from './known-fetches.ts'
import { annotatedTagsOf, NO_TAGS } from './named-objects.ts'

const refsOf = (sequence: number): RefSnapshot => ({
  sequence,
  head: 'refs/heads/main',
  headUnborn: false,
  refs: [],
  byName: new Map(),
})
const fetchOf = (tagBytes = 0): KnownFetch => ({
  spec: {
    wants: ['a'.repeat(40)],
    haves: [],
    annotatedTags: tagBytes === 0 ? NO_TAGS : new Uint8Array(tagBytes),
    shallow: [],
    filter: NO_FILTER,
    sparse: [],
    features: { thinPack: true, ofsDelta: true },
  },
  capabilities: new Map(),
  answer: Buffer.alloc(0),
  sidebandAll: false,
})
const REFS = refsOf(1)
const BODY = Buffer.from('the words')

it('knows what was asked of the same refs in the same words', () => {
  const known = new KnownFetches()
  const fetch = fetchOf()
  expect(known.find('one', () => REFS, BODY)).toBeUndefined()
  known.remember('one', REFS, BODY, fetch)
  expect(known.find('one', () => REFS, Buffer.from(BODY))).toMatchObject(fetch)
  expect(known.find('one', () => REFS, BODY)?.spec).toBe(fetch.spec)
})

it.each([
  { what: 'another repository', repository: 'two', refs: REFS, body: BODY },
  { what: 'other refs', repository: 'one', refs: refsOf(1), body: BODY },
  { what: 'other words', repository: 'one', refs: REFS, body: Buffer.from('the wordz') },
  { what: 'bytes that are no text', repository: 'one', refs: REFS, body: Buffer.from([0x80, 0xff]) },
])('knows nothing of $what', ({ repository, refs, body }) => {
  const known = new KnownFetches()
  known.remember('one', REFS, BODY, fetchOf())
  known.remember('one', REFS, Buffer.from([0xff, 0x80]), fetchOf())
  expect(known.find(repository, () => refs, body)).toBeUndefined()
  expect(known.find('one', () => REFS, BODY)).toBeDefined()
})

it.each([
  { bytes: 4_096, isKept: true },
  { bytes: 4_097, isKept: false },
])('of $bytes bytes of words: kept $isKept', ({ bytes, isKept }) => {
  const known = new KnownFetches()
  known.remember('one', REFS, Buffer.alloc(bytes, 'a'), fetchOf())
  expect(known.find('one', () => REFS, Buffer.alloc(bytes, 'a')) !== undefined).toBe(isKept)
})

it('asks for the refs only where the words are known', () => {
  const known = new KnownFetches()
  const unread = (): RefSnapshot => {
    throw new Error('They were read')
  }
  expect(known.find('one', unread, BODY)).toBeUndefined()
  known.remember('one', REFS, BODY, fetchOf())
  expect(() => known.find('one', unread, BODY)).toThrow('They were read')
})

it('keeps nothing of what small buffers are cut from', () => {
  const known = new KnownFetches()
  known.remember('one', REFS, BODY, { ...fetchOf(), answer: Buffer.concat([Buffer.from('answer')]) })
  const answer = known.find('one', () => REFS, BODY)?.answer
  expect(answer?.toString()).toBe('answer')
  expect(answer?.buffer.byteLength).toBe(6)
  const oid = 'a'.repeat(40)
  const refs = [{ name: 'refs/tags/one', oid, peeled: oid }]
  expect(annotatedTagsOf({ ...REFS, refs }).buffer.byteLength).toBe(20)
})

it('keeps eight megabytes at most, and what was asked last', () => {
  const known = new KnownFetches()
  const body = (number: number): Buffer => Buffer.from(`${number}`)
  for (let number = 0; number < 40; number++) known.remember('one', REFS, body(number), fetchOf(2 ** 20))
  const kept = Array.from({ length: 40 }, (_, number) => known.find('one', () => REFS, body(number)) !== undefined)
  expect(kept).toEqual(Array.from({ length: 40 }, (_, number) => number >= 33))
})

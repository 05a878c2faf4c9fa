/** Pages of lists: who follows the links sees each item once, and can go back. */
import assert from 'node:assert/strict'
import { fc } from '@fast-check/vitest'
import * as z from 'zod'
import { linkHeader, PAGE_MAX, pagination, PER_PAGE_DEFAULT, PER_PAGE_MAX } from '../src/validation/pagination.ts'
import { prop } from './prop.ts'

const ORIGIN = 'https://guts.example'
const schema = z.object(pagination)

/** By relation (RFC 8288). */
function linksOf(header: string | undefined): ReadonlyMap<string, URL> {
  const links = Array.from((header ?? '').matchAll(/<([^<>]+)>; rel="(\w+)"(?:, |$)/g), ([, to = '', rel = '']) => {
    return [rel, new URL(to)] as const
  })
  assert.equal(links.map(([rel, to]) => `<${to.href}>; rel="${rel}"`).join(', '), header ?? '')
  return new Map(links)
}

/** As a route reads it. */
function pageOf(url: URL): { readonly page: number; readonly per_page: number } {
  return schema.parse(Object.fromEntries(url.searchParams))
}

const rest = fc.array(
  fc.tuple(fc.constantFrom('owner', 'path', 'ref', 'q'), fc.string({ unit: 'binary', maxLength: 12 })),
  {
    maxLength: 3,
  },
)

/** The first page of a list, with the rest of the query. */
function firstOf(others: readonly (readonly [string, string])[], perPage: number | undefined): URL {
  const url = new URL('/api/repos', ORIGIN)
  for (const [name, value] of others) url.searchParams.append(name, value)
  if (perPage !== undefined) url.searchParams.set('per_page', String(perPage))
  return url
}

const perPage = fc.option(fc.oneof(fc.integer({ min: 1, max: 4 }), fc.integer({ min: 1, max: PER_PAGE_MAX })), {
  nil: undefined,
})

prop([fc.nat(300), perPage, rest, fc.boolean()])(
  'the links of a list lead through each item once, to the last page, and back to the first',
  (total, per, others, isCounted) => {
    const items = Array.from({ length: total }, (_, at) => at)
    const seen: number[] = []
    const way: URL[] = []
    let last: string | undefined
    for (let url: URL | undefined = firstOf(others, per); url !== undefined;) {
      const { page, per_page } = pageOf(url)
      assert.equal(per_page, per ?? PER_PAGE_DEFAULT)
      const shown = items.slice((page - 1) * per_page, page * per_page)
      seen.push(...shown)
      way.push(url)
      const links = linksOf(
        linkHeader(url, { page, per_page }, isCounted ? total : { hasMore: page * per_page < total }),
      )
      const kept = (one: URL): [string, string][] =>
        Array.from(one.searchParams).filter(([name]) => !name.endsWith('page'))
      for (const link of links.values()) assert.deepEqual(kept(link), kept(url))
      const before = way.at(-2)
      assert.equal(links.get('prev')?.searchParams.get('page'), before && String(pageOf(before).page))
      assert.equal(links.has('first'), page > 1)
      last = links.get('last')?.searchParams.get('page') ?? last
      url = links.get('next')
    }
    assert.deepEqual(seen, items)
    // Not told where counting would be the work itself.
    assert.equal(last, isCounted && way.length > 1 ? String(way.length) : undefined)
  },
)

prop([fc.nat(1_000), fc.integer({ min: 1, max: PER_PAGE_MAX }), fc.integer({ min: 1, max: PAGE_MAX })])(
  'from a page that is not there, a link leads back to one that is',
  (total, per_page, page) => {
    const pages = Math.max(1, Math.ceil(total / per_page))
    const url = firstOf([], per_page)
    url.searchParams.set('page', String(page))
    const links = linksOf(linkHeader(url, pageOf(url), total))
    assert.deepEqual([links.has('next'), links.has('last')], [page < pages, page < pages])
    const before = links.get('prev')
    if (page === 1) assert.equal(before, undefined)
    else assert.equal(before && pageOf(before).page, Math.min(page - 1, pages))
  },
)

const text = fc.oneof(
  fc.integer({ min: -2, max: PAGE_MAX + 2 }).map(String),
  fc.constantFrom(
    '',
    '0',
    '01',
    '1e2',
    '0x10',
    ' 7',
    '7 ',
    '+7',
    '-1',
    '1.0',
    '１',
    String(PAGE_MAX),
    String(PAGE_MAX + 1),
  ),
  fc.string(),
)

prop([text])('a page is a whole number within its bounds, in the one spelling that it has', (page) => {
  const { success, data, error } = schema.safeParse({ page })
  const number = Number(page)
  assert.equal(success, String(number) === page && Number.isInteger(number) && number >= 1 && number <= PAGE_MAX)
  if (success) assert.equal(data.page, number)
  else
    assert.deepEqual(
      error.issues.map(({ path }) => path),
      [['page']],
    )
})

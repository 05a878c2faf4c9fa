import assert from 'node:assert/strict'
import * as z from 'zod'
import { linkHeader, PAGE_MAX, pagination, PER_PAGE_DEFAULT, PER_PAGE_MAX } from '../../src/validation/pagination.ts'
import { Cursor } from '../grammar/cursor.ts'
import { textSeeds } from '../seeds/texts.ts'
import type { FuzzTarget } from '../target.ts'

const query = z.object(pagination)
const ORIGIN = 'https://guts.example'

export const target = {
  reads: 'pages of lists, and the links between them',
  drives: { 'src/validation/pagination.ts': ['linkHeader', 'add'] },
  inputBytesMax: 256,
  words: ['page=', 'per_page=', '&', '100', '101', '1000000', '0', '%3E', '%22', ';', ',', '+', 'q=a%20b'],
  makesObjects: false,
  goalPerS: 3_000,
  planted: {
    'page-of-nothing': {
      why: 'behind the end of an empty list the page before is said to be page 0, which is refused',
      file: 'src/validation/pagination.ts',
      from: 'Math.max(1, Math.ceil(total / per_page))',
      to: 'Math.ceil(total / per_page)',
    },
  },
  // Two bytes of how many items there are, then a query.
  seeds: () =>
    textSeeds({
      'nothing asked, nothing there': '\0\0',
      'the first of some': '\0\x64',
      'one in the middle': '\x01\0page=2&per_page=10',
      'the last one': '\0\x20page=2&per_page=16',
      'one beyond': '\0\x01page=9',
      'more than there may be': '\0\x40per_page=101',
      'a page of nothing': '\0\x40page=0',
      'a number that is none': '\0\x40page=1e2',
      'other words': '\x02\0state=open&page=3&labels=a%2Cb%20c%3E%22&labels=d',
      'not counted': '\x80\0page=3',
      'not counted, and more': '\xc0\0page=3',
    }),
} satisfies FuzzTarget

/**
 * Two bytes say how many items there are (the lower 14 bits), whether they were counted (bit 15: not), and if not whether
 * more follow (bit 14); the rest is a query.
 *
 * Oracle: a page is taken if it is a whole number within its bounds; the links are those of RFC 8288, point to pages that
 * there are, keep the rest of the query, and lead from the first page to the last through each once.
 */
export function fuzz(data: Buffer): void {
  const input = new Cursor(data)
  const items = (input.byte() << 8) | input.byte()
  const url = new URL(`/api/repos?${input.rest().toString('latin1')}`, ORIGIN)
  const [asked, perAsked] = [url.searchParams.get('page'), url.searchParams.get('per_page')]
  const given = { ...(asked === null ? {} : { page: asked }), ...(perAsked === null ? {} : { per_page: perAsked }) }
  const { data: page } = query.safeParse(given)
  const [number, perPage] = [wholeNumber(asked, 1, PAGE_MAX), wholeNumber(perAsked, PER_PAGE_DEFAULT, PER_PAGE_MAX)]
  const expected = number === undefined || perPage === undefined ? undefined : { page: number, per_page: perPage }
  assert.deepEqual(page, expected)
  if (page === undefined) return
  const total = (items & 0x8000) === 0 ? items & 0x3fff : { hasMore: (items & 0x4000) !== 0 }
  const links = readLinks(linkHeader(url, page, total))
  const last = typeof total === 'number' ? Math.max(1, Math.ceil(total / page.per_page)) : undefined
  const hasNext = typeof total === 'number' ? page.page < (last ?? 1) : total.hasMore
  assert.deepEqual(
    Array.from(links, ([rel, link]) => [rel, Number(link.searchParams.get('page'))]),
    [
      ...(page.page > 1
        ? [
            ['first', 1],
            ['prev', Math.min(page.page - 1, last ?? page.page)],
          ]
        : []),
      ...(hasNext ? [['next', page.page + 1]] : []),
      ...(hasNext && last !== undefined ? [['last', last]] : []),
    ],
  )
  for (const link of links.values()) checkRest(link, url, page.per_page)
}

function wholeNumber(text: string | null, otherwise: number, max: number): number | undefined {
  if (text === null) return otherwise
  const number = Number(text)
  return String(number) === text && Number.isInteger(number) && number >= 1 && number <= max ? number : undefined
}

/** A target in angle brackets, and a relation in quotes (RFC 8288, 3). */
function readLinks(header: string | undefined): ReadonlyMap<string, URL> {
  const links = new Map<string, URL>()
  for (const link of header?.split(', ') ?? []) {
    const [, to = '', rel = ''] = /^<([^<>\s"]+)>; rel="([a-z]+)"$/.exec(link) ?? []
    assert(to !== '' && !links.has(rel), `no link: ${link}`)
    links.set(rel, new URL(to))
  }
  return links
}

function checkRest(link: URL, { origin, pathname, searchParams }: URL, perPage: number): void {
  assert.equal(`${link.origin}${link.pathname}`, `${origin}${pathname}`)
  assert.equal(link.searchParams.get('per_page'), String(perPage))
  const rest = (params: URLSearchParams): string[][] =>
    Array.from(params).filter(([name]) => name !== 'page' && name !== 'per_page')
  assert.deepEqual(rest(link.searchParams), rest(searchParams))
}

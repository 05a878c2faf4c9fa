import * as z from 'zod'

export const PAGE_MAX = 1_000_000
export const PER_PAGE_MAX = 100
export const PER_PAGE_DEFAULT = 30

/** A query's whole number: digits only, so that `1e2`, ` 7` and `0x10` are mistakes and not numbers. */
const queryInteger = (max: number, otherwise: number) =>
  z
    .string()
    .regex(/^[1-9][0-9]{0,15}$/, 'Must be a whole number from 1')
    .transform(Number)
    .pipe(z.number().max(max, `Must be at most ${max}`))
    .meta({
      override: ({ jsonSchema }) => {
        // Text on the wire, a number to whoever reads the description; and what is taken without it, which belongs to
        // the number alone and is not described by itself.
        delete jsonSchema.pattern
        const described = { type: 'integer', minimum: 1, maximum: max, default: otherwise, examples: [otherwise] }
        Object.assign(jsonSchema, described)
      },
    })
    .default(otherwise)

/** The query of every list; add filters with `z.strictObject({ ...pagination, … })`. */
export const pagination = {
  page: queryInteger(PAGE_MAX, 1),
  per_page: queryInteger(PER_PAGE_MAX, PER_PAGE_DEFAULT),
}

export interface Page {
  readonly page: number
  readonly per_page: number
}

/**
 * The `Link` header of one page (RFC 8288), with the rest of the query kept.
 * @param url path and query of the request, as the client sees them
 * @param total of all items; or only whether more follow, where counting would be the work itself
 */
export function linkHeader(
  url: URL,
  { page, per_page }: Page,
  total: number | { readonly hasMore: boolean },
): string | undefined {
  const last = typeof total === 'number' ? Math.max(1, Math.ceil(total / per_page)) : undefined
  const hasNext = typeof total === 'number' ? page * per_page < total : total.hasMore
  const links: string[] = []
  const add = (rel: string, target: number): void => {
    const query = new URLSearchParams(url.searchParams)
    query.set('page', String(target))
    query.set('per_page', String(per_page))
    links.push(`<${url.origin}${url.pathname}?${query.toString()}>; rel="${rel}"`)
  }
  if (page > 1) {
    add('first', 1)
    add('prev', Math.min(page - 1, last ?? page))
  }
  if (hasNext) add('next', page + 1)
  if (hasNext && last !== undefined) add('last', last)
  return links.length === 0 ? undefined : links.join(', ')
}

/** What the API takes: each schema of each route, by generators for each kind of field. */
import assert from 'node:assert/strict'
import { fc } from '@fast-check/vitest'
import * as z from 'zod'
import { restRoutes } from '../src/http/routes/rest.ts'
import { toFieldProblems } from '../src/validation/error-body.ts'
import { DESCRIPTION_LENGTH_MAX, NAME_LENGTH_MAX } from '../src/validation/names.ts'
import { PAGE_MAX, PER_PAGE_MAX } from '../src/validation/pagination.ts'
import { prop } from './prop.ts'

interface FieldKind {
  /** As a client writes it. */
  readonly right: fc.Arbitrary<unknown>
  /** One more than is allowed; undefined where there is no limit. */
  readonly tooMuch?: unknown
}

const name: FieldKind = {
  right: fc.stringMatching(/^[a-z0-9][a-z0-9-]{0,97}[a-z0-9]$/),
  tooMuch: 'a'.repeat(NAME_LENGTH_MAX + 1),
}
const numberText = (max: number): FieldKind => {
  return { right: fc.integer({ min: 1, max }).map(String), tooMuch: String(max + 1) }
}
const YEARS_10_S = 10 * 365 * 24 * 3_600
const branch = fc.stringMatching(/^[a-z0-9]([a-z0-9-]|é){0,30}$/)

/** By the field's name, or by its place where one name has two meanings. */
const KINDS: Readonly<Record<string, FieldKind>> = {
  name,
  owner: name,
  username: name,
  description: { right: fc.string({ maxLength: 40 }), tooMuch: 'é'.repeat(DESCRIPTION_LENGTH_MAX + 1) },
  private: { right: fc.boolean() },
  default_branch: { right: branch, tooMuch: 'a'.repeat(1_014) },
  page: numberText(PAGE_MAX),
  per_page: numberText(PER_PAGE_MAX),
  ref: { right: branch, tooMuch: 'a'.repeat(1_025) },
  path: {
    right: fc.array(branch, { minLength: 1, maxLength: 4 }).map((parts) => parts.join('/')),
    tooMuch: 'a'.repeat(4_097),
  },
  id: { right: fc.uuid() },
  'post /api/user/tokens name': {
    right: fc.string({ minLength: 1, maxLength: NAME_LENGTH_MAX }),
    tooMuch: 'é'.repeat(NAME_LENGTH_MAX + 1),
  },
  expires_in_s: { right: fc.integer({ min: 1, max: YEARS_10_S }), tooMuch: YEARS_10_S + 1 },
}

interface Part {
  readonly route: string
  readonly schema: z.ZodObject
  readonly kinds: Readonly<Record<string, FieldKind>>
  readonly isText: boolean
  /** For the failure: a schema written out fills pages. */
  readonly [fc.toStringMethod]: () => string
}

/** Every part of every route in which something is sent; a field without a kind fails all of them, by its name. */
const PARTS: readonly Part[] = restRoutes.flatMap(({ method, path, params, query, body }) =>
  [params, query, body].flatMap((schema, place) => {
    if (!(schema instanceof z.ZodObject) || Object.keys(schema.shape).length === 0) return []
    const route = `${method} ${path}`
    const kinds = Object.keys(schema.shape).map((field) => {
      const kind = KINDS[`${route} ${field}`] ?? KINDS[field]
      assert.ok(kind !== undefined, `${route}: no generator for ${field}`)
      return [field, kind] as const
    })
    return { route, schema, kinds: Object.fromEntries(kinds), isText: place < 2, [fc.toStringMethod]: () => route }
  }),
)

type Fields = Record<string, unknown>

/** A part with what a client may send: all that must be there, and some of the rest. */
const sent: fc.Arbitrary<{ readonly part: Part; readonly fields: Fields }> = fc.constantFrom(...PARTS).chain((part) => {
  const { schema, kinds } = part
  const needed = Object.keys(kinds).filter((field) => !(schema.shape[field] as z.ZodType).safeParse(undefined).success)
  const arbitraries = Object.fromEntries(Object.entries(kinds).map(([field, { right }]) => [field, right]))
  return fc.record(arbitraries, { requiredKeys: needed, noNullPrototype: true }).map((fields) => ({ part, fields }))
})

function problemsOf(
  { schema }: Part,
  fields: Fields,
): { readonly field: string; readonly code: string; readonly message: string }[] {
  const parsed = schema.safeParse(fields)
  return parsed.success ? [] : toFieldProblems(parsed.error, fields)
}

prop([sent])('what is taken is taken again as it was understood, and means the same', ({ part, fields }) => {
  const understood = part.schema.parse(fields) as Fields
  for (const [field, value] of Object.entries(fields)) assert.equal(String(understood[field]), String(value), field)
  // On the wire a query has only text.
  const again = part.isText
    ? Object.fromEntries(Object.entries(understood).map(([key, one]) => [key, String(one)]))
    : understood
  assert.deepEqual(part.schema.parse(again), understood)
})

const unknown = fc.oneof(
  fc.stringMatching(/^[A-Za-z_]{1,40}$/),
  fc.constantFrom('__proto__', 'constructor', 'toString', 'name ', 'Name'),
  fc.string({ minLength: 1 }),
)

prop([sent, unknown, fc.anything()])(
  'a key that is not known is refused, by its name where that can be no secret',
  ({ part, fields }, key, value) => {
    if (Object.hasOwn(part.kinds, key)) return
    const given = Object.defineProperty({ ...fields }, key, {
      value,
      enumerable: true,
      configurable: true,
      writable: true,
    })
    const shown = /^[A-Za-z_]{1,40}$/.test(key) ? key : '(not shown)'
    assert.deepEqual(problemsOf(part, given), [
      { field: shown, code: 'unknown_field', message: 'This field is not known' },
    ])
  },
)

const foreign = fc.oneof(
  fc.constantFrom<unknown>(null, 0, 1.5, -1, true, 'text', Number.NaN, 2 ** 53),
  fc.array(fc.string(), { maxLength: 2 }),
  fc.dictionary(fc.string(), fc.string(), { maxKeys: 2 }),
)

prop([sent, fc.nat(), foreign])(
  'a field of another type is refused by its name, and what it was is not quoted',
  ({ part, fields }, place, value) => {
    const names = Object.keys(part.kinds)
    const field = names[place % names.length] ?? ''
    const right =
      fields[field] ?? fc.sample(part.kinds[field]?.right ?? fc.constant(''), { numRuns: 1, seed: place })[0]
    if (typeof value === typeof right && value !== null && !Array.isArray(value)) return
    const problems = problemsOf(part, { ...fields, [field]: value })
    // An empty list is too short as well, as far as a text must not be empty.
    assert.equal(problems[0]?.code, 'invalid_type')
    assert.ok(problems.every((one) => one.field === field))
    assert.match(problems[0]?.message ?? '', /^Must be of type (string|boolean|number|int)$/)
  },
)

prop([sent, fc.nat()])(
  'one more than the limit is refused by the name of the field, with the limit in words',
  ({ part, fields }, place) => {
    const limited = Object.entries(part.kinds).filter(([, { tooMuch }]) => tooMuch !== undefined)
    const [field = '', kind] = limited[place % Math.max(1, limited.length)] ?? []
    if (kind === undefined) return
    const problems = problemsOf(part, { ...fields, [field]: kind.tooMuch })
    assert.ok(problems.length > 0 && problems.every((one) => one.field === field))
    assert.match(problems[0]?.code ?? '', /^too_(long|large)$/)
    const limit =
      typeof kind.tooMuch === 'number' || /^[0-9]+$/.test(String(kind.tooMuch))
        ? Number(kind.tooMuch) - 1
        : String(kind.tooMuch).length - 1
    if (field !== 'default_branch') assert.match(problems[0]?.message ?? '', new RegExp(`\\b${limit}\\b`))
  },
)

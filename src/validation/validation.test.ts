import { describe, expect, it } from 'vitest'
import * as z from 'zod'
import { createSchema } from 'zod-openapi'
import { errorBody, toFieldProblems } from './error-body.ts'
import { description, isUuid, oid, ownerName, repositoryName, username } from './names.ts'
import { linkHeader, pagination } from './pagination.ts'

const text = (length: number): string => 'a'.repeat(length)

describe('names', () => {
  it.each([
    { value: 'ab', valid: true },
    { value: 'a-b-1', valid: true },
    { value: text(100), valid: true },
    { value: '', valid: false },
    { value: 'a', valid: false },
    { value: text(101), valid: false },
    { value: '-ab', valid: false },
    { value: 'ab-', valid: false },
    { value: 'Ab', valid: false },
    { value: 'a_b', valid: false },
    { value: 'a.git', valid: false },
    { value: '..', valid: false },
    { value: 'a/b', valid: false },
    { value: 'ab\n', valid: false },
    { value: 'äb', valid: false },
  ])('takes $value: $valid', ({ value, valid }) => {
    for (const schema of [repositoryName, ownerName, username]) expect(schema.safeParse(value).success).toBe(valid)
  })

  it('takes ids and descriptions at their limit and not beyond', () => {
    expect(description.safeParse(text(500)).success).toBe(true)
    expect(description.safeParse(text(501)).success).toBe(false)
    expect(oid.safeParse(text(40)).success).toBe(true)
    for (const wrong of [text(39), text(41), text(40).toUpperCase(), `${text(40)}\n`]) {
      expect(oid.safeParse(wrong).success).toBe(false)
    }
  })

  it.each([
    { value: '0192f0c1-1111-7abc-8abc-0123456789ab', valid: true },
    { value: '0192F0C1-1111-4ABC-9ABC-0123456789AB', valid: true },
    { value: '00000000-0000-0000-0000-000000000000', valid: false },
    { value: 'x0192f0c1-1111-7abc-8abc-0123456789ab', valid: false },
    { value: '0192f0c1-1111-7abc-8abc-0123456789ab\r\nX: y', valid: false },
    { value: 'x', valid: false },
  ])('uuid $value: $valid', ({ value, valid }) => expect(isUuid(value)).toBe(valid))
})

describe('what a client reads', () => {
  it.each([
    { schema: repositoryName, input: '', messages: ['Name must not be empty', /^Name must contain only/] },
    { schema: ownerName, input: text(101), messages: ['Owner must have at most 100 characters'] },
    {
      schema: username,
      input: 'A B',
      messages: ['Username must contain only lowercase letters, numbers, and hyphens'],
    },
    { schema: description, input: text(501), messages: ['Description must have at most 500 characters'] },
    { schema: oid, input: 'HEAD', messages: ['Object id must be 40 lowercase hexadecimal digits'] },
    { schema: pagination.page, input: 'x', messages: ['Must be a whole number from 1'] },
    { schema: pagination.per_page, input: '101', messages: ['Must be at most 100'] },
    { schema: z.strictObject({}), input: { x: 1 }, messages: ['This field is not known'] },
    { schema: z.object({ a: z.string() }), input: {}, messages: ['This field is required'] },
    { schema: z.object({ a: z.string() }), input: { a: 1 }, messages: ['Must be of type string'] },
  ])('says $messages', ({ schema, input, messages }) => {
    const { error } = schema.safeParse(input)
    const said = error === undefined ? [] : toFieldProblems(error, input).map(({ message }) => message)
    expect(said).toEqual(
      messages.map((message) => (typeof message === 'string' ? message : expect.stringMatching(message))),
    )
  })

  it.each([
    { schema: repositoryName, described: { description: 'Name of a repository', examples: ['site'] } },
    { schema: ownerName, described: { description: 'User or organization', examples: ['alice'] } },
    { schema: username, described: { description: 'Name of a user', examples: ['alice'] } },
    { schema: oid, described: { description: 'Object id', examples: [expect.stringMatching(/^[0-9a-f]{40}$/)] } },
    {
      schema: errorBody,
      described: {
        description: 'The body of every failure',
        properties: { details: { description: 'Each wrong field of the request' } },
      },
    },
    {
      schema: z.strictObject(pagination),
      described: {
        properties: {
          page: { type: 'integer', minimum: 1, maximum: 1_000_000, default: 1, examples: [1] },
          per_page: { type: 'integer', minimum: 1, maximum: 100, default: 30, examples: [30] },
        },
      },
    },
  ])('is told before: $described', ({ schema, described }) => {
    const { schema: json, components } = createSchema(schema, { io: 'input' })
    // What has a name is told once for all who refer to it.
    expect(components['Error'] ?? json).toMatchObject(described)
    expect(JSON.stringify(json)).not.toContain('[1-9]')
  })
})

describe('pagination', () => {
  const schema = z.strictObject(pagination)
  it.each([
    { query: {}, page: { page: 1, per_page: 30 } },
    { query: { page: '7', per_page: '100' }, page: { page: 7, per_page: 100 } },
    { query: { per_page: '101' }, page: undefined },
    { query: { page: '0' }, page: undefined },
    { query: { page: '1e2' }, page: undefined },
    { query: { page: '0x10' }, page: undefined },
    { query: { page: '-1' }, page: undefined },
    { query: { page: '' }, page: undefined },
    { query: { page: ['1', '2'] }, page: undefined },
  ])('reads $query', ({ query, page }) => expect(schema.safeParse(query).data).toEqual(page))

  it.each([
    { name: 'one page', page: 1, total: 30, rels: [] },
    { name: 'no items', page: 1, total: 0, rels: [] },
    { name: 'the first of three', page: 1, total: 61, rels: ['next 2', 'last 3'] },
    { name: 'the middle', page: 2, total: 61, rels: ['first 1', 'prev 1', 'next 3', 'last 3'] },
    { name: 'the last', page: 3, total: 61, rels: ['first 1', 'prev 2'] },
    { name: 'far behind the last', page: 9, total: 61, rels: ['first 1', 'prev 3'] },
    { name: 'the first of nobody knows how many', page: 1, total: { hasMore: true }, rels: ['next 2'] },
    { name: 'the last of those', page: 3, total: { hasMore: false }, rels: ['first 1', 'prev 2'] },
  ])('links from $name', ({ page, total, rels }) => {
    const header = linkHeader(new URL('http://host/api/repos?state=open&page=9'), { page, per_page: 30 }, total)
    const found = (header?.split(', ') ?? []).map((link) => {
      const [, url = '', rel = ''] = /^<(.+)>; rel="(\w+)"$/.exec(link) ?? []
      expect(new URL(url).searchParams.get('state')).toBe('open')
      expect(new URL(url).searchParams.get('per_page')).toBe('30')
      return `${rel} ${new URL(url).searchParams.get('page')}`
    })
    expect(found).toEqual(rels)
  })
})

describe('toFieldProblems', () => {
  const schema = z.strictObject({
    name: repositoryName,
    description: description.optional(),
    private: z.boolean(),
    labels: z.array(z.string().min(2)).max(2).optional(),
    count: z.number().min(2).max(5).optional(),
    state: z.enum(['open', 'closed']).optional(),
  })
  const good = { name: 'site', private: false }
  it.each([
    { name: 'a bad name', input: { ...good, name: 'My Site' }, problems: ['name invalid_format'] },
    { name: 'a long name', input: { ...good, name: text(101) }, problems: ['name too_long'] },
    { name: 'an empty name', input: { ...good, name: '' }, problems: ['name too_short', 'name invalid_format'] },
    { name: 'no name', input: { private: true }, problems: ['name required'] },
    { name: 'a null name', input: { ...good, name: null }, problems: ['name invalid_type'] },
    {
      name: 'two mistakes',
      input: { name: 3, private: 'no' },
      problems: ['name invalid_type', 'private invalid_type'],
    },
    {
      name: 'a key too many',
      input: { ...good, admin: true, x: 1 },
      problems: ['admin unknown_field', 'x unknown_field'],
    },
    { name: 'a list', input: { ...good, labels: ['ok', 'x'] }, problems: ['labels.1 too_short'] },
    { name: 'a long list', input: { ...good, labels: ['aa', 'bb', 'cc'] }, problems: ['labels too_long'] },
    { name: 'a small number', input: { ...good, count: 1 }, problems: ['count too_small'] },
    { name: 'a large number', input: { ...good, count: 6 }, problems: ['count too_large'] },
    { name: 'no such choice', input: { ...good, state: 'lost' }, problems: ['state invalid_value'] },
    { name: 'no object', input: [], problems: ['body invalid_type'] },
    { name: 'nothing', input: undefined, problems: ['body required'] },
  ])('names what is wrong with $name', ({ input, problems }) => {
    const { error } = schema.safeParse(input)
    const found = error === undefined ? [] : toFieldProblems(error, input)
    expect(found.map(({ field, code }) => `${field} ${code}`)).toEqual(problems)
    expect(
      errorBody.safeParse({ error: 'validation_error', message: 'x', details: found, request_id: 'x' }).success,
    ).toBe(true)
  })

  it.each([
    { name: 'a number that is too small for a bigint', schema: z.bigint().min(2n), input: 1n, code: 'too_small' },
    { name: 'a set', schema: z.set(z.string()).max(1), input: new Set(['a', 'b']), code: 'too_long' },
    { name: 'what every object inherits', schema: z.object({ constructor: z.string() }), input: {}, code: 'required' },
  ])('knows $name: $code', ({ schema: other, input, code }) => {
    const { error } = other.safeParse(input)
    expect(error && toFieldProblems(error, input)).toMatchObject([{ code }])
  })

  it.each([{ a: 'text' }, { a: null }, { a: { c: 1 } }, {}])('takes for missing what has no place in %j', (input) => {
    // As of a schema that looks at something else than what came.
    const error = new z.ZodError([{ code: 'invalid_type', expected: 'string', path: ['a', 'b'], message: '' }])
    expect(toFieldProblems(error, input)).toMatchObject([{ field: 'a.b', code: 'required' }])
  })

  it('shows of a long path its beginning', () => {
    const path = Array.from({ length: 60 }, () => 'ab')
    const error = new z.ZodError([{ code: 'custom', path, message: 'no' }])
    expect(toFieldProblems(error, {})).toEqual([
      { field: path.join('.').slice(0, 100), code: 'invalid_value', message: 'no' },
    ])
  })

  it('says for the name what the contract says, and bounds what a client can make it say', () => {
    const wrong = { ...good, name: 'My Site' }
    const { error } = schema.safeParse(wrong)
    expect(error && toFieldProblems(error, wrong)).toEqual([
      {
        field: 'name',
        code: 'invalid_format',
        message: 'Name must contain only lowercase letters, numbers, and hyphens',
      },
    ])
    const flood = Object.fromEntries(Array.from({ length: 1_000 }, (_, index) => [text(index + 1), 1]))
    const { error: many } = schema.safeParse(flood)
    const problems = many === undefined ? [] : toFieldProblems(many, flood)
    expect(problems.length).toBe(50)
    // A name of forty letters may be a misspelt field; what is longer, or has other characters, may be a secret.
    const unknown = problems.filter(({ code }) => code === 'unknown_field')
    expect(unknown.map(({ field }) => field)).toEqual([
      ...Array.from({ length: 40 }, (_, index) => text(index + 1)),
      ...Array.from({ length: 8 }, () => '(not shown)'),
    ])
    const pasted = { ...good, 'CorrectHorse-9': 1 }
    const { error: one } = schema.safeParse(pasted)
    expect(one && toFieldProblems(one, pasted)).toMatchObject([{ field: '(not shown)', code: 'unknown_field' }])
  })
})

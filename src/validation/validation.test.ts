import { describe, expect, it } from 'vitest'
import * as z from 'zod'
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
    { value: '0192f0c1-1111-7abc-8abc-0123456789ab\r\nX: y', valid: false },
    { value: 'x', valid: false },
  ])('uuid $value: $valid', ({ value, valid }) => expect(isUuid(value)).toBe(valid))
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

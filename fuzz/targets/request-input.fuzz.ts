import assert from 'node:assert/strict'
import { parse as parseQuery } from 'node:querystring'
import * as z from 'zod'
import { listBranches } from '../../src/http/routes/branches.ts'
import { listCommits } from '../../src/http/routes/commits.ts'
import { contentsRoutes } from '../../src/http/routes/contents.ts'
import { repositoryRoutes } from '../../src/http/routes/repositories.ts'
import { tokenRoutes } from '../../src/http/routes/tokens.ts'
import { userRoutes } from '../../src/http/routes/users.ts'
import { errorBody, toFieldProblems } from '../../src/validation/error-body.ts'
import { Cursor } from '../grammar/cursor.ts'
import { textSeeds } from '../seeds/texts.ts'
import type { FuzzTarget } from '../target.ts'

/** All of `routes/rest.ts` that takes anything; the page about it, which that has as well, reads files of its package. */
const ROUTES = [...repositoryRoutes, listBranches, listCommits, ...contentsRoutes, ...userRoutes, ...tokenRoutes]
/** What clients fill in, by the route: the names in its path, its query, its body. */
const SCHEMAS = ROUTES.flatMap(({ method, path, params, query, body }) => [
  { route: `${method} ${path} path`, kind: 'params', schema: params },
  { route: `${method} ${path} query`, kind: 'query', schema: query },
  ...(body === undefined || body instanceof z.ZodUndefined
    ? []
    : [{ route: `${method} ${path}`, kind: 'body', schema: body }]),
])
  .filter(({ schema }) => !(schema instanceof z.ZodObject) || Object.keys(schema.shape).length > 0)
  .sort((a, b) => (a.route < b.route ? -1 : 1))

export const target = {
  reads: 'paths, queries and bodies of the REST API',
  drives: {
    'src/validation/error-body.ts': ['toFieldProblems', 'toProblems', 'fieldName', 'shownKey', 'valueAt'],
    'src/http/routes/repository-schemas.ts': [],
    'src/git/ref-name.ts': ['isPushableRefName'],
  },
  inputBytesMax: 1_024,
  words: [
    '{"name":"site"}',
    '"description":',
    '"private":true',
    '"expires_in_s":60',
    '"default_branch":"main"',
    '"__proto__":{"a":1}',
    'alice/site/',
    '../',
    'ref=main',
    'path=src',
    'page=2&per_page=10',
    '%00',
    '%2e%2e',
    'null',
    '[]',
    '1e400',
    '\xf0\x9f\x98\x80',
    '550e8400-e29b-41d4-a716-446655440000',
  ],
  makesObjects: true,
  goalPerS: 2_000,
  planted: {
    'path-to-the-folder-above': {
      why: 'a path that leads out of a tree is looked up',
      file: 'src/http/routes/repository-schemas.ts',
      from: "part !== '' && part !== '.' && part !== '..'",
      to: "part !== '' && part !== '.' && part !== '...'",
    },
  },
  seeds: () => ({
    ...Object.fromEntries(SCHEMAS.flatMap(({ route, kind }, at) => seedsOf(route, kind, at))),
    ...textSeeds({ 'no JSON': '\0{', 'a number': '\x017' }),
  }),
} satisfies FuzzTarget

const CODES = [
  'unknown_field',
  'required',
  'invalid_type',
  'too_long',
  'too_large',
  'too_short',
  'too_small',
  'invalid_format',
  'invalid_value',
]
/** In no schema's words. */
const MARK = 'Zq9'

/**
 * The first byte chooses a schema; the rest is JSON for a body, a query, or the names of a path.
 *
 * Oracle: it is taken, and then again as it was read, with no field that the schema does not have and no path that leads
 * out; or refused in an error body that is one, with words of ours alone.
 */
export function fuzz(data: Buffer): void {
  const input = new Cursor(data)
  const chosen = SCHEMAS[input.byte() % SCHEMAS.length]
  assert(chosen !== undefined)
  const value = read(chosen.kind, chosen.schema, input.rest().toString())
  if (value === undefined) return
  const parsed = chosen.schema.safeParse(value)
  if (parsed.success) checkTaken(chosen.schema, chosen.kind, parsed.data)
  else checkProblems(toFieldProblems(parsed.error, value))
  const marked = chosen.schema.safeParse(withMark(value))
  if (marked.success) return
  const problems = toFieldProblems(marked.error, withMark(value))
  for (const { message } of problems) assert(!message.includes(MARK), 'what a client sent is said back')
}

/** As body-parser, Express and the router read it. @returns undefined: it does not get as far as a schema */
function read(kind: string, schema: z.ZodType, text: string): unknown {
  if (kind === 'query') return { ...parseQuery(text) }
  if (kind === 'params') return paramsOf(schema, text)
  try {
    const value: unknown = JSON.parse(text)
    // Only objects and lists get through (`strict`).
    return typeof value === 'object' ? value : undefined
  } catch {
    return undefined
  }
}

/** The last one takes the rest. */
function paramsOf(schema: z.ZodType, text: string): Record<string, string> {
  const names = schema instanceof z.ZodObject ? Object.keys(schema.shape) : []
  const parts = text.split('/')
  return Object.fromEntries(
    names.map((name, at) => [name, at === names.length - 1 ? parts.slice(at).join('/') : (parts[at] ?? '')]),
  )
}

function checkTaken(schema: z.ZodType, kind: string, data: unknown): void {
  if (typeof data !== 'object' || data === null) return
  const known = schema instanceof z.ZodObject ? Object.keys(schema.shape) : []
  for (const [name, value] of Object.entries(data)) {
    assert(known.includes(name) && name !== '__proto__', `${name} comes through`)
    if (typeof value === 'number') assert(Number.isSafeInteger(value) && value >= 0)
    if (['owner', 'name', 'username'].includes(name) && kind === 'params')
      assert.match(String(value), /^[a-z0-9-]{2,100}$/)
    if (name === 'path') assert.doesNotMatch(`/${String(value)}/`, /\/\.{0,2}\/|\0/)
  }
  // Numbers of a query come as text, and are none when they are through.
  if (kind !== 'query') assert.deepEqual(schema.safeParse(data), { success: true, data })
}

function checkProblems(problems: ReturnType<typeof toFieldProblems>): void {
  assert(problems.length > 0 && problems.length <= 50)
  for (const { field, code } of problems) {
    assert(field.length > 0 && field.length <= 100)
    assert(CODES.includes(code), `${code} is no code of ours`)
  }
  errorBody.parse({ error: 'validation_error', message: 'Validation failed', details: problems, request_id: 'r' })
}

/** With every text in it changed, and every name that is not one of ours. */
function withMark(value: unknown): unknown {
  return JSON.parse(JSON.stringify(value), (_name, one: unknown) => (typeof one === 'string' ? `${one}${MARK}` : one))
}

function seedsOf(route: string, kind: string, at: number): [string, Buffer][] {
  const texts: Readonly<Record<string, readonly string[]>> = {
    params: ['alice/site/src/main.c', 'A/..//x'],
    query: ['page=2&per_page=10&ref=main&path=src&sort=name', 'page=0&per_page=1e2&other=x'],
    body: [
      '{"name":"site","description":"A site","private":true}',
      '{"name":"","description":7,"expires_in_s":60,"default_branch":"main","other":[]}',
    ],
  }
  const [good = '', bad = ''] = texts[kind] ?? []
  return [
    [route, Buffer.from(String.fromCharCode(at) + good, 'latin1')],
    [`${route}, badly`, Buffer.from(String.fromCharCode(at) + bad, 'latin1')],
  ]
}

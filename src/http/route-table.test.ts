import { describe, expect, it } from 'vitest'
import * as z from 'zod'
import { pagination } from '../validation/pagination.ts'
import { createOpenApi } from './openapi.ts'
import { answer, noBody, type Route, routesFor } from './route.ts'
import { createRouteTable, pathsOf } from './route-table.ts'
import { serve } from './testing.ts'

const { defineRoute, defineStreamRoute } = routesFor<undefined>()
const name = z.strictObject({ name: z.string() })
const answers = { 200: z.object({ name: z.string() }).meta({ id: 'Thing' }) }
const handle = () => answer(200, { name: 'x' })
const base = { method: 'get', summary: 'x', access: 'public', answers, handle } as const

describe('createRouteTable', () => {
  const wrong: { name: string; make: () => Route<undefined>[]; error: string }[] = [
    {
      name: 'a name without a schema',
      make: () => [defineRoute({ ...base, path: '/a/{name}' })],
      error: 'no schema for name',
    },
    {
      name: 'a schema without a name',
      make: () => [defineRoute({ ...base, path: '/a', params: name })],
      error: 'the path has no name',
    },
    {
      name: 'no answers',
      make: () => [defineRoute({ ...base, path: '/a', answers: {} as { 200: z.ZodAny } })],
      error: 'no schema for its answers',
    },
    {
      name: 'a GET with a body',
      make: () => [defineRoute({ ...base, path: '/a', body: z.string() })],
      error: 'a GET has no body',
    },
    { name: 'a path that is none', make: () => [defineRoute({ ...base, path: 'a' })], error: 'not a path' },
    {
      name: 'a wildcard in the middle',
      make: () => [defineRoute({ ...base, path: '/{name*}/a', params: name })],
      error: 'not a path',
    },
    {
      name: 'a route twice',
      make: () => [defineRoute({ ...base, path: '/a' }), defineRoute({ ...base, path: '/a' })],
      error: 'declared twice',
    },
    {
      name: 'a path that fails in two styles',
      make: () => [
        defineRoute({ ...base, path: '/a' }),
        defineStreamRoute({ method: 'post', path: '/a', summary: 'x', access: 'public', handle: async () => {} }),
      ],
      error: 'one path fails in one style',
    },
  ]
  it.each(wrong)('stops the start for $name', ({ make, error }) => {
    expect(() => createRouteTable(make())).toThrow(error)
  })

  it('translates paths and collects methods', () => {
    const routes = [
      defineRoute({ ...base, path: '/a/{name}', params: name }),
      defineRoute({
        ...base,
        method: 'delete',
        path: '/a/{name}',
        params: name,
        answers: { 204: noBody },
        handle: () => answer(204, undefined),
      }),
      defineRoute({ ...base, path: '/b/{name*}', params: name }),
    ]
    expect(createRouteTable(routes).map(({ pattern, template, allow }) => [pattern, template, allow])).toEqual([
      ['/a/:name', '/a/{name}', ['GET', 'HEAD', 'DELETE']],
      ['/b/*name', '/b/{name}', ['GET', 'HEAD']],
    ])
    expect(pathsOf(routes)).toEqual(['/a/{name}', '/b/{name}'])
  })
})

describe('OpenAPI', () => {
  const routes = [
    defineRoute({ ...base, path: '/api/things/{name}', params: name, query: z.strictObject(pagination) }),
    defineRoute({ ...base, method: 'post', access: 'write', path: '/api/things', body: name }),
    defineStreamRoute({
      method: 'post',
      path: '/git/{name}',
      summary: 'Push',
      access: 'public',
      params: name,
      handle: async () => {},
    }),
  ]

  it('describes every route, its limits, rights and failures', () => {
    const document = createOpenApi(routes, '1.2.3')
    expect(document).toMatchObject({
      openapi: '3.1.0',
      info: { version: '1.2.3' },
      paths: {
        '/api/things/{name}': {
          get: {
            operationId: 'getApiThingsName',
            parameters: expect.arrayContaining([
              expect.objectContaining({ in: 'path', name: 'name', required: true }),
              expect.objectContaining({
                in: 'query',
                name: 'per_page',
                schema: expect.objectContaining({ type: 'integer', maximum: 100 }),
              }),
            ]),
            responses: {
              200: { content: { 'application/json': { schema: { $ref: '#/components/schemas/Thing' } } } },
              default: { content: { 'application/json': { schema: { $ref: '#/components/schemas/Error' } } } },
            },
          },
        },
        '/api/things': { post: { requestBody: { required: true }, security: [{ bearer: [] }, { basic: [] }] } },
        '/git/{name}': { post: { description: expect.stringContaining('smart HTTP') } },
      },
      components: { schemas: { Error: { properties: { error: { enum: expect.arrayContaining(['not_found']) } } } } },
    })
    const parameters = JSON.stringify((document['paths'] as Record<string, unknown>)['/api/things/{name}'])
    expect(parameters).not.toContain('pattern')
  })

  it('is served, itself included', async () => {
    await using server = await serve(routes)
    const document = (await (await fetch(`${server.origin}/openapi.json`)).json()) as { paths: Record<string, unknown> }
    expect(Object.keys(document.paths)).toEqual(['/api/things/{name}', '/api/things', '/git/{name}', '/openapi.json'])
  })
})

import * as z from 'zod'
import { createDocument, type ZodOpenApiOperationObject, type ZodOpenApiResponsesObject } from 'zod-openapi'
import { errorBody } from '../validation/error-body.ts'
import { answer, type Access, type AnswerRoute, type Route, routesFor } from './route.ts'
import { templateOf } from './route-table.ts'

const STATUS_TEXT: Readonly<Record<number, string>> = { 200: 'Found', 201: 'Created', 202: 'Accepted', 204: 'Done' }
const STREAM_NOTE =
  'Speaks the smart HTTP protocol of git (gitprotocol-http), in versions 0, 1 and 2. Refusals are one plain sentence.'

const SECURITY: Readonly<Record<'none' | 'optional' | 'required', Record<string, string[]>[]>> = {
  none: [],
  optional: [{}, { bearer: [] }, { basic: [] }],
  required: [{ bearer: [] }, { basic: [] }],
}
const SECURITY_OF: Readonly<Record<Access, keyof typeof SECURITY>> = {
  open: 'none',
  public: 'optional',
  read: 'optional',
  write: 'required',
  user: 'required',
  admin: 'required',
}

/** The OpenAPI 3.1 document of these routes. */
export function createOpenApi<Services>(routes: readonly Route<Services>[], version: string): Record<string, unknown> {
  const paths: Record<string, Record<string, ZodOpenApiOperationObject>> = {}
  for (const route of routes) (paths[templateOf(route.path)] ??= {})[route.method] = toOperation(route)
  return createDocument({
    openapi: '3.1.0',
    info: { title: 'Guts', version, description: 'A git hosting node' },
    paths,
    components: {
      securitySchemes: {
        bearer: { type: 'http', scheme: 'bearer', description: 'A token' },
        basic: { type: 'http', scheme: 'basic', description: 'A token as the password' },
      },
    },
  }) as unknown as Record<string, unknown>
}

function toOperation<Services>(route: Route<Services>): ZodOpenApiOperationObject {
  const { params, query } = route
  return {
    operationId: operationId(route.method, templateOf(route.path)),
    summary: route.summary,
    tags: [tagOf(route.path)],
    ...(route.kind === 'stream' ? { description: STREAM_NOTE } : {}),
    security: SECURITY[SECURITY_OF[route.access]],
    requestParams: {
      ...(Object.keys(params.shape).length === 0 ? {} : { path: params }),
      ...(Object.keys(query.shape).length === 0 ? {} : { query }),
    },
    ...(route.kind === 'answer' && route.body !== undefined
      ? { requestBody: { required: true, content: { 'application/json': { schema: route.body } } } }
      : {}),
    responses: route.kind === 'stream' ? streamResponses() : answerResponses(route),
  }
}

/** What a path is about, for whoever reads the description in chapters: `/api/repos/{owner}/{name}` is `repos`. */
function tagOf(path: string): string {
  const [, first = '', second = ''] = /^\/([\w-]+)(?:\/([\w-]+))?/.exec(path) ?? []
  return first === 'api' ? second : first
}

/** `get /api/repos/{owner}` is `getApiReposOwner`. */
function operationId(method: string, template: string): string {
  return method + template.replace(/\W+(\w?)/g, (_, letter: string) => letter.toUpperCase())
}

function answerResponses<Services>(route: AnswerRoute<Services>): ZodOpenApiResponsesObject {
  const responses: ZodOpenApiResponsesObject = {
    default: { description: 'Failure', content: { 'application/json': { schema: errorBody } } },
  }
  for (const [status, schema] of Object.entries(route.answers)) {
    const described = { description: STATUS_TEXT[Number(status)] ?? 'Answer' }
    responses[status as '200'] =
      schema instanceof z.ZodUndefined ? described : { ...described, content: { [route.mediaType]: { schema } } }
  }
  return responses
}

function streamResponses(): ZodOpenApiResponsesObject {
  return {
    200: { description: 'The stream', content: { 'application/octet-stream': {} } },
    default: { description: 'Failure, as one sentence', content: { 'text/plain': { schema: z.string() } } },
  }
}

/** `GET /openapi.json` for these routes, itself included. */
export function openApiRoute<Services>(routes: readonly Route<Services>[], version: string): AnswerRoute<Services> {
  let document: Record<string, unknown> | undefined
  const route: AnswerRoute<Services> = routesFor<Services>().defineRoute({
    method: 'get',
    path: '/openapi.json',
    summary: 'This description of the API',
    access: 'public',
    answers: { 200: z.record(z.string(), z.unknown()) },
    handle: () => answer(200, (document ??= createOpenApi([...routes, route], version))),
  })
  return route
}

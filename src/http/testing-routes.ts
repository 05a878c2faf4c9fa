/** For tests: routes of each kind, and the requests to them. */
import * as z from 'zod'
import { RequestError } from '../errors.ts'
import { addAccessFields, annotateContext, currentContext } from '../observability/context.ts'
import { ownerName, repositoryName } from '../validation/names.ts'
import { linkHeader, pagination } from '../validation/pagination.ts'
import { answer, noBody, routesFor } from './route.ts'
import { TOKEN } from './testing.ts'

const { defineRoute, defineStreamRoute } = routesFor<undefined>()
const repository = z.object({
  owner: z.string(),
  name: z.string(),
  caller: z.string().optional(),
  request_id: z.string(),
})

export const routes = [
  defineRoute({
    method: 'get',
    path: '/api/repos/{owner}/{name}',
    summary: 'One repository',
    access: 'read',
    params: z.strictObject({ owner: ownerName, name: repositoryName }),
    answers: { 200: repository },
    async handle({ params, caller }) {
      annotateContext({ repository: `${params.owner}/${params.name}` })
      addAccessFields({ objects: 7, pack_bytes: 9 })
      await new Promise((resolve) => setImmediate(resolve))
      const request_id = currentContext()?.requestId ?? ''
      // The password must not get out: the schema does not know it.
      return answer(200, { ...params, caller: caller?.username, request_id, password: 'hunter22' })
    },
  }),
  defineRoute({
    method: 'post',
    path: '/api/repos',
    summary: 'A new repository',
    access: 'write',
    body: z.strictObject({ name: repositoryName, private: z.boolean().default(false) }),
    answers: { 201: z.object({ name: z.string(), private: z.boolean(), by: z.string() }) },
    handle: ({ body, caller }) =>
      answer(201, { ...body, by: caller.username }, { Location: `/api/repos/${body.name}` }),
  }),
  defineRoute({
    method: 'get',
    path: '/api/repos',
    summary: 'All repositories',
    access: 'public',
    query: z.strictObject(pagination),
    answers: { 200: z.array(z.int()) },
    handle: ({ query, url }) => answer(200, [query.page, query.per_page], { Link: linkHeader(url, query, 61) }),
  }),
  defineRoute({
    method: 'delete',
    path: '/api/repos',
    summary: 'No repositories',
    access: 'admin',
    answers: { 204: noBody },
    handle: () => answer(204, undefined),
  }),
  defineRoute({
    method: 'get',
    path: '/api/contents/{path*}',
    summary: 'A file',
    access: 'public',
    params: z.strictObject({ path: z.string() }),
    answers: { 200: z.object({ path: z.string() }) },
    handle: ({ params }) => answer(200, params),
  }),
  defineRoute({
    method: 'get',
    path: '/api/fail/{how}',
    summary: 'Fails',
    access: 'public',
    params: z.strictObject({ how: z.enum(['crash', 'refuse', 'hang', 'undeclared']) }),
    answers: { 200: z.object({}) },
    async handle({ params, signal }) {
      if (params.how === 'crash') throw new Error(`secret path /var/lib/guts and ${TOKEN}`)
      if (params.how === 'refuse') throw new RequestError({ code: 'unavailable', retryAfterS: 7 }, 'The disk is full')
      if (params.how === 'undeclared') return answer(202 as 200, {})
      return new Promise((_resolve, reject) => signal.addEventListener('abort', () => reject(signal.reason)))
    },
  }),
  defineStreamRoute({
    method: 'post',
    path: '/git/{owner}/{name}/git-upload-pack',
    summary: 'Fetch',
    access: 'public',
    params: z.strictObject({ owner: ownerName, name: repositoryName }),
    async handle({ params, caller, request, response, admitBody }) {
      if (caller === undefined) throw new RequestError({ code: 'unauthorized' }, 'This needs credentials')
      admitBody()
      let bytes = 0
      for await (const chunk of request) bytes += (chunk as Buffer).length
      response.setHeader('Content-Type', 'application/x-git-upload-pack-result')
      response.write(`${bytes} `)
      if (params.name === 'broken') throw new Error('the pack is broken')
      response.end('done')
    },
  }),
]

export const basic = (user: string, token: string): string =>
  `Basic ${Buffer.from(`${user}:${token}`).toString('base64')}`
export const bearer = { authorization: `Bearer ${TOKEN}` }
export const json = { 'content-type': 'application/json' }

export const post = (body: string | Uint8Array<ArrayBuffer>, headers: Record<string, string> = json): RequestInit => ({
  method: 'POST',
  body,
  headers: { ...bearer, ...headers },
})

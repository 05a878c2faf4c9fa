import * as z from 'zod'
import { linkHeader, pagination } from '../../validation/pagination.ts'
import { answer } from '../route.ts'
import { defineRoute } from '../services.ts'
import { findRepository, objectId, repositoryParams } from './repository-schemas.ts'

export const listBranches = defineRoute({
  method: 'get',
  path: '/api/repos/{owner}/{name}/branches',
  summary: 'Branches of a repository',
  access: 'read',
  params: z.strictObject(repositoryParams),
  query: z.strictObject(pagination),
  answers: {
    200: z.array(z.object({ name: z.string(), oid: objectId, default: z.boolean() }).meta({ id: 'Branch' })),
  },
  handle({ params, query, caller, url }, services) {
    const repository = findRepository(params, caller, services)
    const { items, total } = services.browse.branches(repository, { page: query.page, perPage: query.per_page })
    const body = items.map(({ name, oid, isDefault }) => ({ name, oid, default: isDefault }))
    return answer(200, body, { Link: linkHeader(url, query, total) })
  },
})

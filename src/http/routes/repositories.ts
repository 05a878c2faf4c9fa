import * as z from 'zod'
import { description, ownerName, repositoryName } from '../../validation/names.ts'
import { linkHeader, pagination } from '../../validation/pagination.ts'
import { answer, noBody } from '../route.ts'
import { defineRoute } from '../services.ts'
import {
  branchName,
  findRepository,
  repositoryAnswer,
  repositoryParams,
  toRepositoryAnswer,
} from './repository-schemas.ts'

const createRepository = defineRoute({
  method: 'post',
  path: '/api/repos',
  summary: 'Make a repository',
  access: 'write',
  body: z.strictObject({
    name: repositoryName,
    owner: ownerName.optional().meta({ description: 'Without one, the caller' }),
    description: description.default(''),
    private: z.boolean().default(false),
  }),
  answers: { 201: repositoryAnswer },
  async handle({ body, caller, url }, services) {
    const made = await services.repositories.create(body, caller)
    const place = `/api/repos/${made.owner}/${made.name}`
    return answer(201, toRepositoryAnswer(made, url, services), { Location: place })
  },
})

const listRepositories = defineRoute({
  method: 'get',
  path: '/api/repos',
  summary: 'Repositories that the caller may read',
  access: 'read',
  query: z.strictObject({ ...pagination, owner: ownerName.optional() }),
  answers: { 200: z.array(repositoryAnswer) },
  handle({ query, caller, url }, services) {
    const { page, per_page: perPage, owner } = query
    const { items, total } = services.repositories.list({ page, perPage, owner }, caller)
    const body = items.map((found) => toRepositoryAnswer(found, url, services))
    return answer(200, body, { Link: linkHeader(url, query, total) })
  },
})

const getRepository = defineRoute({
  method: 'get',
  path: '/api/repos/{owner}/{name}',
  summary: 'One repository',
  access: 'read',
  params: z.strictObject(repositoryParams),
  answers: { 200: repositoryAnswer },
  handle: ({ params, caller, url }, services) =>
    answer(200, toRepositoryAnswer(findRepository(params, caller, services), url, services)),
})

const changeRepository = defineRoute({
  method: 'patch',
  path: '/api/repos/{owner}/{name}',
  summary: 'Change a repository',
  access: 'write',
  params: z.strictObject(repositoryParams),
  body: z.strictObject({
    description: description.optional(),
    private: z.boolean().optional(),
    default_branch: branchName.optional(),
  }),
  answers: { 200: repositoryAnswer },
  async handle({ params, body, caller, url }, services) {
    const { default_branch: defaultBranch, ...rest } = body
    await services.repositories.update(findRepository(params, caller, services), { ...rest, defaultBranch })
    return answer(200, toRepositoryAnswer(findRepository(params, caller, services), url, services))
  },
})

const deleteRepository = defineRoute({
  method: 'delete',
  path: '/api/repos/{owner}/{name}',
  summary: 'Delete a repository and all that is in it',
  access: 'write',
  params: z.strictObject(repositoryParams),
  answers: { 204: noBody },
  async handle({ params, caller }, services) {
    await services.repositories.remove(findRepository(params, caller, services))
    return answer(204, undefined)
  },
})

export const repositoryRoutes = [createRepository, listRepositories, getRepository, changeRepository, deleteRepository]

import * as z from 'zod'
import type { CommitPage } from '../../collaboration/browse.ts'
import { linkHeader, pagination } from '../../validation/pagination.ts'
import { answer } from '../route.ts'
import { defineRoute } from '../services.ts'
import { findRepository, isoTime, objectId, refOrOid, repositoryParams, time, treePath } from './repository-schemas.ts'

const person = z.object({ name: z.string(), email: z.string(), time }).meta({ id: 'Person' })
const commitAnswer = z
  .object({
    oid: objectId,
    tree: objectId,
    parents: z.array(objectId),
    author: person,
    committer: person,
    message: z.string(),
  })
  .meta({ id: 'Commit' })

/** The last second that a date here can have: the year 275760. */
const TIME_S_MAX = 8_640_000_000_000

export const listCommits = defineRoute({
  method: 'get',
  path: '/api/repos/{owner}/{name}/commits',
  summary: 'History, newest first',
  access: 'read',
  params: z.strictObject(repositoryParams),
  query: z.strictObject({ ...pagination, ref: refOrOid.optional(), path: treePath.optional() }),
  answers: { 200: z.array(commitAnswer) },
  async handle({ params, query, caller, url, signal }, services) {
    const repository = findRepository(params, caller, services)
    const { page, per_page: perPage, ref, path } = query
    const { items, hasMore } = await services.browse.commits(repository, { page, perPage, ref, path }, signal)
    return answer(200, items.map(toAnswer), { Link: linkHeader(url, query, { hasMore }) })
  },
})

function toAnswer(commit: CommitPage['items'][number]): z.input<typeof commitAnswer> {
  const { oid, tree, parents, author, committer, message } = commit
  return { oid, tree, parents: [...parents], author: toPerson(author), committer: toPerson(committer), message }
}

function toPerson({ name, email, timeS }: CommitPage['items'][number]['author']): z.input<typeof person> {
  // As git shows a time that it cannot represent.
  return { name, email, time: isoTime(timeS > TIME_S_MAX ? 0 : timeS * 1_000) }
}

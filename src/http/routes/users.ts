import * as z from 'zod'
import type { User } from '../../collaboration/users.ts'
import { RequestError } from '../../errors.ts'
import { username } from '../../validation/names.ts'
import { linkHeader, pagination } from '../../validation/pagination.ts'
import { answer } from '../route.ts'
import { defineRoute } from '../services.ts'
import { isoTime, time } from './repository-schemas.ts'

const userAnswer = z.object({ id: z.string(), username, created_at: time }).meta({ id: 'User' })
const callerAnswer = z.object({ ...userAnswer.shape, admin: z.boolean() }).meta({ id: 'Caller' })

const getCaller = defineRoute({
  method: 'get',
  path: '/api/user',
  summary: 'Whose token this is',
  access: 'user',
  answers: { 200: callerAnswer },
  handle({ caller }, { users }) {
    const user = users.find(caller.username)
    if (user === undefined) throw new RequestError({ code: 'not_found' }, 'User not found')
    return answer(200, { ...toAnswer(user), admin: user.admin })
  },
})

const listUsers = defineRoute({
  method: 'get',
  path: '/api/users',
  summary: 'Users of this node',
  // Names of people are nobody's business who is not one of them.
  access: 'user',
  query: z.strictObject(pagination),
  answers: { 200: z.array(userAnswer) },
  handle({ query, url }, { users }) {
    const { items, total } = users.list({ page: query.page, perPage: query.per_page })
    return answer(200, items.map(toAnswer), { Link: linkHeader(url, query, total) })
  },
})

const getUser = defineRoute({
  method: 'get',
  path: '/api/users/{username}',
  summary: 'One user',
  access: 'user',
  params: z.strictObject({ username }),
  answers: { 200: userAnswer },
  handle({ params }, { users }) {
    const user = users.find(params.username)
    if (user === undefined) throw new RequestError({ code: 'not_found' }, 'User not found')
    return answer(200, toAnswer(user))
  },
})

export const userRoutes = [getCaller, listUsers, getUser]

function toAnswer({ id, username: name, createdAtMs }: User): z.input<typeof userAnswer> {
  return { id, username: name, created_at: isoTime(createdAtMs) }
}

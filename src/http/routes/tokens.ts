import * as z from 'zod'
import type { Token } from '../../collaboration/tokens.ts'
import { RequestError } from '../../errors.ts'
import { NAME_LENGTH_MAX } from '../../validation/names.ts'
import { linkHeader, pagination } from '../../validation/pagination.ts'
import { answer, noBody } from '../route.ts'
import { defineRoute } from '../services.ts'
import { isoTime, time } from './repository-schemas.ts'

const EXPIRES_IN_S_MAX = 10 * 365 * 24 * 3_600

const tokenAnswer = z
  .object({ id: z.string(), name: z.string(), created_at: time, expires_at: time.nullable() })
  .meta({ id: 'Token' })
const newTokenAnswer = z
  .object({ ...tokenAnswer.shape, token: z.string().meta({ description: 'Shown now and never again' }) })
  .meta({ id: 'NewToken' })

const createToken = defineRoute({
  method: 'post',
  path: '/api/user/tokens',
  summary: 'Make a token for the caller',
  access: 'user',
  body: z.strictObject({
    name: z
      .string()
      .min(1, 'Name must not be empty')
      .max(NAME_LENGTH_MAX, `Name must have at most ${NAME_LENGTH_MAX} characters`),
    expires_in_s: z
      .int()
      .min(1, 'Must be at least 1')
      .max(EXPIRES_IN_S_MAX, `Must be at most ${EXPIRES_IN_S_MAX}`)
      .optional()
      .meta({ description: 'Seconds from now; without it the token holds until it is revoked' }),
  }),
  answers: { 201: newTokenAnswer },
  async handle({ body, caller }, { tokens, writeGate }) {
    writeGate.assertWritable()
    const made = await tokens.create({ userId: caller.userId, name: body.name, expiresInS: body.expires_in_s })
    return answer(201, { ...toAnswer(made), token: made.token }, { 'Cache-Control': 'no-store' })
  },
})

const listTokens = defineRoute({
  method: 'get',
  path: '/api/user/tokens',
  summary: "The caller's tokens, without the tokens themselves",
  access: 'user',
  query: z.strictObject(pagination),
  answers: { 200: z.array(tokenAnswer) },
  handle({ query, caller, url }, { tokens }) {
    const { items, total } = tokens.list(caller.userId, { page: query.page, perPage: query.per_page })
    return answer(200, items.map(toAnswer), { Link: linkHeader(url, query, total) })
  },
})

const revokeToken = defineRoute({
  method: 'delete',
  path: '/api/user/tokens/{id}',
  summary: "Revoke one of the caller's tokens",
  access: 'user',
  params: z.strictObject({ id: z.uuid('Id must be a UUID') }),
  answers: { 204: noBody },
  async handle({ params, caller }, { tokens, writeGate }) {
    writeGate.assertWritable()
    if (await tokens.revoke(caller.userId, params.id)) return answer(204, undefined)
    throw new RequestError({ code: 'not_found' }, 'Token not found')
  },
})

export const tokenRoutes = [createToken, listTokens, revokeToken]

function toAnswer({ id, name, createdAtMs, expiresAtMs }: Token): z.input<typeof tokenAnswer> {
  const expires_at = expiresAtMs === null ? null : isoTime(expiresAtMs)
  return { id, name, created_at: isoTime(createdAtMs), expires_at }
}

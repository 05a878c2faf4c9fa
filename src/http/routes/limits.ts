import * as z from 'zod'
import { answer } from '../route.ts'
import { defineRoute } from '../services.ts'

const limitAnswer = z
  .object({ name: z.string(), value: z.number(), unit: z.string().nullable(), description: z.string() })
  .meta({ id: 'Limit' })

export const listLimits = defineRoute({
  method: 'get',
  path: '/api/limits',
  summary: 'What this node takes, and no more',
  access: 'public',
  answers: { 200: z.array(limitAnswer) },
  handle: (_input, { limits }) =>
    answer(
      200,
      limits.map(({ unit, ...limit }) => ({ ...limit, unit: unit ?? null })),
    ),
})

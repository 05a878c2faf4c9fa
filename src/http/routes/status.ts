import * as z from 'zod'
import { answer, type AnswerRoute, routesFor } from '../route.ts'

const circuit = z.enum(['closed', 'half_open', 'open'])
const statusAnswer = z
  .object({
    peer_id: z.string(),
    version: z.string(),
    uptime_s: z.int(),
    addresses: z.array(z.string()).readonly(),
    peers: z
      .array(
        z.object({
          peer_id: z.string(),
          address: z.string(),
          direction: z.enum(['inbound', 'outbound']),
          connected_s: z.int(),
          circuit,
        }),
      )
      .readonly(),
    homes: z
      .array(
        z.object({
          peer_id: z.string(),
          connected: z.boolean(),
          circuit,
          contact_age_s: z.number().nullable(),
          last_error: z.string().nullable(),
          mirrors: z
            .array(
              z.object({
                repository: z.string(),
                sequence: z.int(),
                known_sequence: z.int().nullable(),
                lag_s: z.number(),
              }),
            )
            .readonly(),
        }),
      )
      .readonly(),
  })
  .meta({ id: 'NodeStatus' })

/** `GET /status`, for the internal listener only: peers with their addresses, and what is mirrored how far. */
export function statusRoute<Services>(status: () => z.input<typeof statusAnswer>): AnswerRoute<Services> {
  return routesFor<Services>().defineRoute({
    method: 'get',
    path: '/status',
    summary: 'Peers and mirrors of this node',
    access: 'open',
    answers: { 200: statusAnswer },
    handle: () => answer(200, status(), { 'Cache-Control': 'no-store' }),
  })
}

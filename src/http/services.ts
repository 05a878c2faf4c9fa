import type { Browse } from '../collaboration/browse.ts'
import type { Repositories } from '../collaboration/repositories.ts'
import type { Tokens } from '../collaboration/tokens.ts'
import type { Users } from '../collaboration/users.ts'
import type { Limit } from './limits.ts'
import { routesFor } from './route.ts'

/** What the routes of the API call; `src/node.ts` builds it. */
export interface Services {
  readonly users: Pick<Users, 'find' | 'list'>
  readonly tokens: Pick<Tokens, 'create' | 'list' | 'revoke'>
  readonly repositories: Pick<Repositories, 'find' | 'list' | 'create' | 'update' | 'remove'>
  readonly browse: Pick<Browse, 'branches' | 'commits' | 'contents'>
  /** Asked before each change that no service above asks for itself. */
  readonly writeGate: { assertWritable(): void }
  readonly limits: readonly Limit[]
  /** What clients reach the node at, without a slash at its end; else what their requests say. */
  readonly publicUrl: string | undefined
}

export const { defineRoute } = routesFor<Services>()

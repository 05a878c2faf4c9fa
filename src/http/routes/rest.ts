import { listBranches } from './branches.ts'
import { listCommits } from './commits.ts'
import { contentsRoutes } from './contents.ts'
import { listLimits } from './limits.ts'
import { repositoryRoutes } from './repositories.ts'
import { tokenRoutes } from './tokens.ts'
import { userRoutes } from './users.ts'

/** Everything below `/api`. */
export const restRoutes = [
  ...repositoryRoutes,
  listBranches,
  listCommits,
  ...contentsRoutes,
  ...userRoutes,
  ...tokenRoutes,
  listLimits,
]

import { listBranches } from './branches.ts'
import { listCommits } from './commits.ts'
import { contentsRoutes } from './contents.ts'
import { docsRoutes } from './docs.ts'
import { listLimits } from './limits.ts'
import { repositoryRoutes } from './repositories.ts'
import { tokenRoutes } from './tokens.ts'
import { userRoutes } from './users.ts'

/** Everything below `/api`, and the page about it. */
export const restRoutes = [
  ...repositoryRoutes,
  listBranches,
  listCommits,
  ...contentsRoutes,
  ...userRoutes,
  ...tokenRoutes,
  listLimits,
  ...docsRoutes,
]

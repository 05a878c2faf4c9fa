/** What commands about repositories have in common: which ones they are for. */
import * as z from 'zod'
import { RepositoryCatalog } from '../collaboration/repository-catalog.ts'
import { RequestError } from '../errors.ts'
import type { Database } from '../storage/database/database.ts'
import type { RepositoryRow } from '../storage/repositories/pack-rows.ts'
import { allPages } from './data.ts'
import { WrongUse } from './failure.ts'
import { parseRepository } from './mirror-args.ts'

/** Whoever can read the database may see everything in it. */
export const OPERATOR = { userId: '', username: '', admin: true, tokenId: '' }

export const positionals = { repository: 'OWNER/NAME' }
export const options = [{ flags: '--all', help: 'every repository' }]
export const shape = { repository: z.string().optional(), all: z.boolean().default(false) }

export interface Chosen {
  readonly repository?: string | undefined
  readonly all: boolean
}

/** @throws WrongUse, RequestError not_found */
export function chosenRepositories(database: Database, { repository, all }: Chosen): RepositoryRow[] {
  if ((repository === undefined) !== all) throw new WrongUse('Name a repository, like alice/app, or give --all')
  const catalog = new RepositoryCatalog(database)
  const place = parseRepository(repository)
  if (place === undefined) return allPages((page) => catalog.list(page, OPERATOR))
  const found = catalog.find(place.owner, place.name, OPERATOR)
  if (found === undefined) throw new RequestError({ code: 'not_found' }, `There is no repository ${repository}`)
  return [found]
}

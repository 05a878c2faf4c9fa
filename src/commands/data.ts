import { Tokens } from '../collaboration/tokens.ts'
import { Users } from '../collaboration/users.ts'
import type { User } from '../collaboration/users.ts'
import { loadConfig } from '../config/load.ts'
import { DAY_S } from '../config/rules.ts'
import { RequestError } from '../errors.ts'
import { type DataPaths, prepareDataDirectory } from '../storage/data-directory.ts'
import { Database } from '../storage/database/database.ts'
import type { CommandContext } from './command.ts'

export interface CommandData {
  readonly paths: DataPaths
  readonly database: Database
  /** As configured: what is to be left free on the disk; undefined: what a node chooses. */
  readonly minFreeBytes: number | undefined
  /** For so long stays what no ref reaches. */
  readonly pruneGraceS: number
  readonly users: Users
  readonly tokens: Tokens
}

/** Opens the data beside a running node, or without one: the database takes turns with other processes. */
export async function withData<T>(context: CommandContext, work: (data: CommandData) => Promise<T>): Promise<T> {
  const { environment, configFile: file, configFlags: flags } = context
  const { config } = loadConfig({ environment, flags, ...(file !== undefined && { file }), requirePrivateKey: false })
  const paths = await prepareDataDirectory(config.dataDirectory)
  const database = await Database.open(paths.database)
  const { minFreeBytes } = config
  const pruneGraceS = config.pruneGraceDays * DAY_S
  try {
    return await work({
      paths,
      database,
      minFreeBytes,
      pruneGraceS,
      users: new Users(database),
      tokens: new Tokens(database),
    })
  } finally {
    await database.close()
  }
}

/** @throws RequestError not_found */
export function existingUser({ users }: CommandData, name: string): User {
  const user = users.find(name)
  if (user === undefined) throw new RequestError({ code: 'not_found' }, `There is no user ${name}`)
  return user
}

const PER_PAGE = 100

/** All pages of a list, in turn. */
export function allPages<Item>(
  list: (page: { page: number; perPage: number }) => { readonly items: readonly Item[] },
): Item[] {
  const all: Item[] = []
  for (let page = 1; ; page++) {
    const { items } = list({ page, perPage: PER_PAGE })
    all.push(...items)
    if (items.length < PER_PAGE) return all
  }
}

export function isoTime(ms: number): string {
  return new Date(ms).toISOString()
}

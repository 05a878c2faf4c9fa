import * as z from 'zod'
import { RepositoryCatalog } from '../collaboration/repository-catalog.ts'
import { ownerName } from '../validation/names.ts'
import { defineCommand } from './command.ts'
import { allPages, isoTime, withData } from './data.ts'
import { EXIT } from './exit.ts'
import { tableText } from './output.ts'
import { OPERATOR } from './repositories.ts'

export const repoList = defineCommand({
  name: 'repo list',
  summary: 'List the repositories',
  examples: ['guts repo list', 'guts repo list --owner alice --json'],
  configuration: 'data',
  options: [{ flags: '--owner <name>', help: 'only those of this user or organization' }],
  args: z.strictObject({ owner: ownerName.optional() }),
  async run({ owner }, context) {
    const all = await withData(context, async ({ database }) => {
      const catalog = new RepositoryCatalog(database)
      return allPages((page) => catalog.list({ ...page, owner }, OPERATOR))
    })
    const rows = all.map((repository) => ({
      owner: repository.owner,
      name: repository.name,
      private: repository.private,
      description: repository.description,
      empty: repository.empty,
      created_at: isoTime(repository.createdAtMs),
      pushed_at: repository.pushedAtMs === null ? null : isoTime(repository.pushedAtMs),
    }))
    const cells = rows.map((row) => [
      `${row.owner}/${row.name}`,
      row.private ? 'private' : 'public',
      row.pushed_at ?? 'never',
    ])
    context.out.result(rows, tableText(['repository', 'visibility', 'pushed'], cells))
    return EXIT.fine
  },
})

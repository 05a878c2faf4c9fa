import * as z from 'zod'
import { fsckRepository } from '../storage/repositories/fsck.ts'
import { countOf } from './backup-output.ts'
import { defineCommand } from './command.ts'
import { withData } from './data.ts'
import { EXIT } from './exit.ts'
import { tableText } from './output.ts'
import { withBar } from './progress-bar.ts'
import { chosenRepositories, options, positionals, shape } from './repositories.ts'

export const repoFsck = defineCommand({
  name: 'repo fsck',
  summary: 'Check every object that the refs of a repository need, beside a running node or without one',
  examples: ['guts repo fsck alice/app', 'guts repo fsck --all --json'],
  configuration: 'data',
  positionals,
  options,
  args: z.strictObject(shape),
  async run(args, context) {
    const rows = await withData(context, (data) => {
      const repositories = chosenRepositories(data.database, args)
      return withBar('fsck', context.out.isJson, async (show) =>
        repositories.map((repository) => {
          const { owner, name } = repository
          const onProgress = (done: number, total: number): void =>
            show(done, total, countOf(total, 'object', 'objects'))
          return { owner, name, ...fsckRepository(repository, data, onProgress) }
        }),
      )
    })
    const cells = rows.map(({ owner, name, refs, objects, problems }) => [
      `${owner}/${name}`,
      String(refs),
      String(objects),
      problems.length === 0 ? 'all is well' : countOf(problems.length, 'problem', 'problems'),
    ])
    context.out.result(rows, tableText(['repository', 'refs', 'objects', ''], cells))
    const damaged = rows.filter(({ problems }) => problems.length > 0)
    if (damaged.length === 0) return EXIT.fine
    const lines = damaged.flatMap(({ owner, name, problems }) =>
      problems.map(({ message }) => `${owner}/${name}: ${message}`),
    )
    context.out.failure('repositories_damaged', lines.join('\n'))
    return EXIT.failed
  },
})

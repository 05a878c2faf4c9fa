import * as z from 'zod'
import { gcRepository } from '../transfer/maintenance/gc.ts'
import { countOf, megabytes } from './backup-output.ts'
import { defineCommand } from './command.ts'
import { withData } from './data.ts'
import { EXIT } from './exit.ts'
import { tableText } from './output.ts'
import { withBar } from './progress-bar.ts'
import { chosenRepositories, options, positionals, shape } from './repositories.ts'

export const repoGc = defineCommand({
  name: 'repo gc',
  summary: 'Bring all packs of a repository together in one, beside a running node or without one',
  examples: ['guts repo gc alice/app', 'guts repo gc --all --json'],
  configuration: 'data',
  positionals,
  options,
  args: z.strictObject(shape),
  async run(args, context) {
    const rows = await withData(context, (data) => {
      const repositories = chosenRepositories(data.database, args)
      return withBar('gc', context.out.isJson, async (show) => {
        const done = []
        for (const repository of repositories) {
          show(done.length, repositories.length, countOf(repositories.length, 'repository', 'repositories'))
          const repacked = await gcRepository(repository, data)
          done.push({
            owner: repository.owner,
            name: repository.name,
            packs: repacked?.packs ?? 0,
            objects: repacked?.objects ?? 0,
            bytes_before: repacked?.bytesBefore ?? 0,
            bytes_after: repacked?.bytesAfter ?? 0,
          })
        }
        return done
      })
    })
    const cells = rows.map(({ owner, name, packs, objects, bytes_before: before, bytes_after: after }) => [
      `${owner}/${name}`,
      packs === 0 ? 'as it was' : `${packs} to 1`,
      String(objects),
      packs === 0 ? '' : `${megabytes(before)} to ${megabytes(after)}`,
    ])
    context.out.result(rows, tableText(['repository', 'packs', 'objects', 'size'], cells))
    return EXIT.fine
  },
})

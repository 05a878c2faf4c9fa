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
  summary: 'Bring all packs of a repository together, and prune what no ref has reached for GUTS_PRUNE_GRACE_DAYS',
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
          const pruned = await gcRepository(repository, data)
          done.push({
            owner: repository.owner,
            name: repository.name,
            packs: pruned?.packs ?? 0,
            objects: pruned?.objects ?? 0,
            bytes_before: pruned?.bytesBefore ?? 0,
            bytes_after: pruned?.bytesAfter ?? 0,
            unreachable: pruned?.unreachable ?? 0,
            pruned_objects: pruned?.prunedObjects ?? 0,
            pruned_bytes: pruned?.prunedBytes ?? 0,
          })
        }
        return done
      })
    })
    const cells = rows.map((row) => [
      `${row.owner}/${row.name}`,
      row.packs === 0 ? 'as they were' : String(row.packs),
      String(row.objects),
      row.packs === 0 ? '' : `${megabytes(row.bytes_before)} to ${megabytes(row.bytes_after)}`,
      String(row.unreachable),
      String(row.pruned_objects),
    ])
    const head = ['repository', 'packs replaced', 'objects', 'size', 'unreachable', 'pruned']
    context.out.result(rows, tableText(head, cells))
    return EXIT.fine
  },
})

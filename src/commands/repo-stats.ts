import * as z from 'zod'
import { statsOf } from '../transfer/maintenance/stats.ts'
import { megabytes } from './backup-output.ts'
import { defineCommand } from './command.ts'
import { withData } from './data.ts'
import { EXIT } from './exit.ts'
import { tableText } from './output.ts'
import { chosenRepositories, options, positionals, shape } from './repositories.ts'

export const repoStats = defineCommand({
  name: 'repo stats',
  summary: 'Packs, objects, sizes and refs of a repository, and what maintenance would do',
  examples: ['guts repo stats alice/app', 'guts repo stats --all --json'],
  configuration: 'data',
  positionals,
  options,
  args: z.strictObject(shape),
  async run(args, context) {
    const rows = await withData(context, (data) =>
      Promise.all(chosenRepositories(data.database, args).map((repository) => statsOf(repository, data))),
    )
    const cells = rows.map((row) => [
      `${row.owner}/${row.name}`,
      String(row.refs),
      String(row.packs),
      String(row.objects),
      megabytes(row.bytes),
      String(row.packs_outside),
      String(row.unreachable_objects),
    ])
    const head = ['repository', 'refs', 'packs', 'objects', 'size', 'to bring together', 'unreachable']
    context.out.result(rows, tableText(head, cells))
    return EXIT.fine
  },
})

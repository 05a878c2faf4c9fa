import * as z from 'zod'
import { Subscriptions } from '../p2p/replication/subscriptions.ts'
import { defineCommand } from './command.ts'
import { withData } from './data.ts'
import { EXIT } from './exit.ts'
import { tableText } from './output.ts'

export const mirrorList = defineCommand({
  name: 'mirror list',
  summary: 'List what is to be mirrored here; guts status shows how far it is',
  examples: ['guts mirror list', 'guts mirror list --json'],
  configuration: 'data',
  args: z.strictObject({}),
  async run(_args, context) {
    const all = await withData(context, async ({ database }) => new Subscriptions(database).list())
    const rows = all.map(({ peer, address, repository }) => ({
      peer,
      address: address ?? null,
      repository: repository === undefined ? null : `${repository.owner}/${repository.name}`,
    }))
    const cells = rows.map((row) => [row.repository ?? 'all public', row.peer, row.address ?? ''])
    context.out.result(rows, tableText(['repository', 'home', 'address'], cells))
    return EXIT.fine
  },
})

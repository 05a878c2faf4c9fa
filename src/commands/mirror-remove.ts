import * as z from 'zod'
import { RequestError } from '../errors.ts'
import { removeSubscription } from '../p2p/replication/subscriptions.ts'
import { defineCommand } from './command.ts'
import { withData } from './data.ts'
import { EXIT } from './exit.ts'
import { parseHome, parseRepository } from './mirror-args.ts'

export const mirrorRemove = defineCommand({
  name: 'mirror remove',
  summary: 'Stop following another node; what was mirrored stays as it is',
  examples: ['guts mirror remove 12D3KooW…', 'guts mirror remove 12D3KooW… --repository alice/app --json'],
  configuration: 'data',
  positionals: { home: 'id of the other node, or its address ending in /p2p/ID' },
  options: [{ flags: '--repository <owner/name>', help: 'only this one, if it was added alone' }],
  args: z.strictObject({ home: z.string(), repository: z.string().optional() }),
  async run(args, context) {
    const { peer } = parseHome(args.home)
    const repository = parseRepository(args.repository)
    const removed = await withData(context, ({ database }) => removeSubscription(database, { peer, repository }))
    if (!removed) throw new RequestError({ code: 'not_found' }, 'There is no such mirror; guts mirror list shows them')
    context.out.result({ peer, repository: args.repository ?? null }, `${peer} is not followed any more`)
    return EXIT.fine
  },
})

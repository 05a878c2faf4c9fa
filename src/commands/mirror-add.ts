import * as z from 'zod'
import { addSubscription } from '../p2p/replication/subscriptions.ts'
import { defineCommand } from './command.ts'
import { withData } from './data.ts'
import { EXIT } from './exit.ts'
import { parseHome, parseRepository } from './mirror-args.ts'

export const mirrorAdd = defineCommand({
  name: 'mirror add',
  summary: 'Mirror repositories of another node here: one of them, or all that everybody may read',
  examples: [
    'guts mirror add /ip4/192.0.2.1/tcp/9000/p2p/12D3KooW…',
    'guts mirror add /dns4/git.example.org/tcp/9000/p2p/12D3KooW… --repository alice/app',
    'guts mirror add 12D3KooW… --repository alice/app --json',
  ],
  configuration: 'data',
  positionals: { home: 'id of the other node, or its address ending in /p2p/ID' },
  options: [{ flags: '--repository <owner/name>', help: 'only this one' }],
  args: z.strictObject({ home: z.string(), repository: z.string().optional() }),
  async run(args, context) {
    const subscription = { ...parseHome(args.home), repository: parseRepository(args.repository) }
    await withData(context, ({ database }) => addSubscription(database, subscription))
    const { peer, address = null } = subscription
    const what = args.repository ?? 'every public repository'
    context.out.result(
      { peer, address, repository: args.repository ?? null },
      `Mirroring ${what} of ${peer}: a running node begins within a second`,
    )
    return EXIT.fine
  },
})

import * as z from 'zod'
import type { NodeStatus } from '../p2p/status.ts'
import { defineCommand } from './command.ts'
import { withData } from './data.ts'
import { EXIT } from './exit.ts'
import { tableText } from './output.ts'
import { runningNodeStatus } from './running-node.ts'

export const status = defineCommand({
  name: 'status',
  summary: 'What the running node is, whom it is connected to, and how far its mirrors are',
  examples: ['guts status', 'guts status --json'],
  configuration: 'data',
  args: z.strictObject({}),
  async run(_args, context) {
    const node = await withData(context, ({ database }) => runningNodeStatus(database))
    context.out.result(node, statusText(node))
    return EXIT.fine
  },
})

function statusText({ peer_id, version, uptime_s, addresses, peers, homes }: NodeStatus): string {
  const facts = [
    ['peer id', peer_id],
    ['version', version],
    ['running for', `${uptime_s} s`],
    ['peers', String(peers.length)],
    ...addresses.map((address) => ['address', address]),
  ]
  const text = [tableText(['node', ''], facts)]
  const mirrors = homes.flatMap(({ peer_id: home, mirrors: of }) =>
    of.map(({ repository, sequence, known_sequence, lag_s }) => [
      repository,
      `${sequence}${known_sequence === null ? '' : ` of ${known_sequence}`}`,
      `${lag_s} s`,
      home,
    ]),
  )
  if (mirrors.length > 0) text.push(tableText(['mirror', 'entries', 'behind', 'home'], mirrors))
  const troubles = homes.filter((home) => home.last_error !== null)
  for (const { peer_id: home, last_error } of troubles) text.push(`${home}: ${last_error}`)
  return text.join('\n\n')
}

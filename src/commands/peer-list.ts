import * as z from 'zod'
import { defineCommand } from './command.ts'
import { withData } from './data.ts'
import { EXIT } from './exit.ts'
import { tableText } from './output.ts'
import { runningNodeStatus } from './running-node.ts'

export const peerList = defineCommand({
  name: 'peer list',
  summary: 'List the nodes that the running node is connected to',
  examples: ['guts peer list', 'guts peer list --json'],
  configuration: 'data',
  args: z.strictObject({}),
  async run(_args, context) {
    const { peers } = await withData(context, ({ database }) => runningNodeStatus(database))
    const cells = peers.map((peer) => [
      peer.peer_id,
      peer.address,
      peer.direction,
      `${peer.connected_s} s`,
      peer.circuit,
    ])
    context.out.result(peers, tableText(['peer', 'address', 'direction', 'connected', 'circuit'], cells))
    return EXIT.fine
  },
})

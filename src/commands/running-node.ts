import { formatAddress } from '../config/network-values.ts'
import { RequestError } from '../errors.ts'
import type { NodeStatus } from '../p2p/status.ts'
import type { Database } from '../storage/database/database.ts'
import { internalAddress } from '../storage/internal-address.ts'

const ANSWER_MS_MAX = 5_000

/**
 * Asks the node that runs on this data.
 *
 * @throws RequestError unavailable: none answers
 */
export async function runningNodeStatus(database: Database): Promise<NodeStatus> {
  const address = internalAddress(database)
  if (address === undefined) throw noNode()
  try {
    const response = await fetch(`http://${formatAddress(address)}/status`, {
      signal: AbortSignal.timeout(ANSWER_MS_MAX),
    })
    if (!response.ok) throw new Error(`It answered ${response.status}`)
    return (await response.json()) as NodeStatus
  } catch (cause) {
    throw noNode(cause)
  }
}

function noNode(cause?: unknown): RequestError {
  const message = 'No node answers that runs on this data directory; start one (guts start, or npm start)'
  return new RequestError({ code: 'unavailable' }, message, { cause })
}

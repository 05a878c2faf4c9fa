import { parseSessionId } from '../git/protocol/capabilities.ts'
import { addAccessFields } from '../observability/context.ts'
import type { GitRequest } from './git-request.ts'
import { ProgressWatch } from './progress-watch.ts'
import { RequestReader } from './request-reader.ts'
import type { TransferParts } from './transfer.ts'

/** What a fetch and a push read their request with: nothing of it is awaited for ever. */
export interface Exchange {
  readonly watch: ProgressWatch
  readonly reader: RequestReader
}

export function openExchange({ body, signal }: GitRequest, { limits, metrics }: TransferParts): Exchange {
  const watch = new ProgressWatch(signal, limits.progressTimeoutMs, metrics)
  const reader = new RequestReader(Buffer.isBuffer(body) ? body : watch.guardEach(body), {
    bytesMax: limits.requestBytesMax,
    onPiece: () => watch.progress(),
  })
  return { watch, reader }
}

/** The access line names the client's process as the client's own traces do, where it said so. */
export function addSessionId(text: string | undefined): void {
  const sessionId = parseSessionId(text)
  if (sessionId !== undefined) addAccessFields({ client_session_id: sessionId })
}

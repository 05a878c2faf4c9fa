import { RequestError } from '../../errors.ts'
import type { P2P_REFUSALS, REPLICATION_FAILURES } from '../../observability/label-sets.ts'
import { AttemptTimeoutError, CircuitOpenError } from '../../resilience/outbound.ts'
import { LogError } from '../../storage/repositories/ref-log.ts'
import { ReplicaError } from '../../transfer/replica-rules.ts'
import { RemoteError, UnreachableError } from '../exchange-client.ts'
import { MessageError } from '../wire/messages.ts'

export type FailureReason = (typeof REPLICATION_FAILURES)[number]
export type Refusal = (typeof P2P_REFUSALS)[number]

/** Why a mirror could not be brought up to date. */
export function failureReason(error: unknown): FailureReason {
  if (error instanceof UnreachableError || error instanceof CircuitOpenError) return 'unreachable'
  if (error instanceof AttemptTimeoutError) return 'timeout'
  if (error instanceof RemoteError) return 'refused'
  if (error instanceof MessageError || refusalOf(error) !== undefined) return 'invalid'
  if (error instanceof RequestError && error.detail.code === 'timeout') return 'timeout'
  return 'storage'
}

/** What was not true in what the home sent; a message that breaks its schema was counted where it was read. */
export function refusalOf(error: unknown): Refusal | undefined {
  if (error instanceof ReplicaError) return 'contradiction'
  // The sentence of a pack that is not good (transfer/receive-pack.ts).
  if (error instanceof RequestError) return error.detail.code === 'bad_request' ? 'pack' : undefined
  if (!(error instanceof LogError)) return undefined
  const { code } = error.detail
  if (code === 'signature_wrong') return 'signature'
  if (code === 'sequence_gap') return 'sequence'
  return code === 'entry_malformed' ? 'malformed' : 'contradiction'
}

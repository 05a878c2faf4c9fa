import { RequestError } from '../errors.ts'
import type { GitService } from '../git/protocol/advertisement.ts'
import { addAccessFields } from '../observability/context.ts'
import type { GIT_RESULTS } from '../observability/label-sets.ts'
import type { Metrics } from '../observability/metrics.ts'
import { withSpan } from '../observability/tracing.ts'
import type { GitVersion } from './git-request.ts'

export type GitResult = (typeof GIT_RESULTS)[number]
type OperationMetrics = Pick<Metrics, 'gitOperations' | 'gitOperationDuration'>

export const SERVICE_LABEL = {
  'git-upload-pack': 'upload_pack',
  'git-receive-pack': 'receive_pack',
} as const satisfies Record<GitService, string>

/**
 * Runs one git operation under a span and counts how it ended.
 *
 * @param fn answers how it ended, or undefined where it is only a step of one that goes on with the next request
 */
export async function observeOperation(
  { service, version, signal }: { service: GitService; version: GitVersion; signal: AbortSignal },
  metrics: OperationMetrics,
  fn: () => Promise<GitResult | undefined>,
): Promise<void> {
  const startedAtMs = performance.now()
  addAccessFields({ git_service: service, git_version: version })
  const label = SERVICE_LABEL[service]
  const count = (result: GitResult): void => {
    addAccessFields({ git_result: result })
    metrics.gitOperations.inc({ service: label, version, result })
    metrics.gitOperationDuration.observe({ service: label }, (performance.now() - startedAtMs) / 1_000)
  }
  try {
    const result = await withSpan(service, { 'git.protocol.version': version }, fn)
    if (result !== undefined) count(result)
  } catch (error) {
    count(resultOf(error, signal))
    throw error
  }
}

function resultOf(error: unknown, signal: AbortSignal): GitResult {
  if (signal.aborted) return 'aborted'
  if (!(error instanceof RequestError)) return 'failed'
  if (error.detail.code === 'timeout') return 'timeout'
  return error.detail.code === 'internal_error' ? 'failed' : 'refused'
}

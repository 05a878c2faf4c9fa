import type { RefStore } from '../storage/repositories/ref-store.ts'
import type { RepositoryRef } from './git-request.ts'

/** What the client of a transfer reads whose repository was deleted under it. */
export const GONE = 'the repository was deleted meanwhile'

/** Asked when a transfer failed: files that are not there any more are then nobody's fault. */
export function isGone(refs: Pick<RefStore, 'isThere'>, { id }: RepositoryRef): boolean {
  return !refs.isThere(id)
}

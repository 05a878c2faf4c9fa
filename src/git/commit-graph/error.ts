import { GutsError } from '../../errors.ts'

/** Why the bytes of a commit-graph are none. */
export class CommitGraphError extends GutsError<{ readonly code: 'commit_graph_invalid'; readonly reason: string }> {}

export function commitGraphInvalid(reason: string): CommitGraphError {
  return new CommitGraphError({ code: 'commit_graph_invalid', reason }, `A commit-graph is invalid: ${reason}`)
}

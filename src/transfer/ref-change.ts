import type { PushRequest } from '../git/protocol/push-request.ts'
import type { RefReport } from '../git/protocol/report-status.ts'
import { withSpan } from '../observability/tracing.ts'
import { StorageError } from '../storage/error.ts'
import type { RefUpdate } from '../storage/repositories/ref-store.ts'
import type { GitRequest, RepositoryRef } from './git-request.ts'
import type { ReceivedPack } from './receive-pack.ts'
import { headAfter, judgeCommands, type Verdict } from './ref-rules.ts'
import type { TransferParts } from './transfer.ts'

/**
 * The end of a push, one at a time for each repository: judge the commands against the refs as they are now, publish
 * the pack, change the refs in one database transaction, and show them on disk (I1–I4).
 */
export function changeRefs(
  request: GitRequest,
  { commands, capabilities }: PushRequest,
  pack: ReceivedPack | undefined,
  { directory, signal, parts }: { directory: string; signal: AbortSignal; parts: TransferParts },
): Promise<RefReport[]> {
  const { repository, userId } = request
  return parts.locks.run(`${repository.owner}/${repository.name}`, () =>
    withSpan('git.refs.change', { commands: commands.length }, async () => {
      if (pack !== undefined && isStale(pack, repository, parts)) {
        return commands.map(({ ref }) => ({ ref, refused: STALE }))
      }
      const snapshot = parts.refs.snapshot(repository.id)
      let verdicts = judgeCommands(commands, snapshot, pack?.tips ?? new Map())
      if (capabilities.has('atomic') && verdicts.some((one) => 'refused' in one)) {
        verdicts = verdicts.map(({ command, ...rest }) => ({
          command,
          refused: 'refused' in rest ? rest.refused : 'atomic push: another ref was refused',
        }))
      }
      const updates = verdicts.flatMap((one) => ('update' in one ? one.update : []))
      if (updates.length === 0) return verdicts.map(toReport)
      // The last moment at which a client that left, or that was told it took too long, can take its push with it.
      signal.throwIfAborted()
      const head = headAfter(snapshot, updates, parts.defaultBranch)
      // Asked again: the pack may have taken long to come.
      parts.writeGate.assertWritable()
      const row = pack?.row
      const change = { repositoryId: repository.id, updates, userId, ...(head && { head }), ...(row && { pack: row }) }
      const published = { repository, directory, packName: row?.name, updates, head }
      if (!(await publishWith(published, parts, () => parts.refs.apply(change)))) {
        return commands.map(({ ref }) => ({ ref, refused: 'reference changed meanwhile; fetch first' }))
      }
      parts.onRefsChanged(repository)
      return verdicts.map(toReport)
    }),
  )
}

const STALE = 'what it builds on was taken away while it was checked; try again'

/**
 * Whether objects went from here since the pack was checked (I2): those of a push whose refs could not be changed. Under
 * the repository's lock, for then none goes any more.
 */
export function isStale(pack: ReceivedPack, repository: RepositoryRef, { files }: TransferParts): boolean {
  return files.packs.withdrawals(repository) !== pack.withdrawals
}

export interface Publication {
  readonly repository: RepositoryRef
  /** Quarantine in which the pack lies. */
  readonly directory: string
  /** undefined: nothing new came with the change */
  readonly packName: string | undefined
  readonly updates: readonly RefUpdate[]
  readonly head: string | undefined
}

/**
 * Under the repository's lock: the pack comes into sight, then the refs change, then they are shown on disk.
 *
 * @param apply the transaction; false where a ref had another value after all, and nothing was changed
 * @returns what `apply` does
 */
export async function publishWith(
  { repository, directory, packName, updates, head }: Publication,
  parts: TransferParts,
  apply: () => Promise<boolean>,
): Promise<boolean> {
  const published =
    packName === undefined ? undefined : await parts.files.packs.publish(repository, directory, packName)
  let applied: boolean
  try {
    applied = await apply()
  } catch (error) {
    // Where nobody can tell whether the refs were changed, the pack stays, as they may need it.
    if (isCertainlyUndone(error)) await published?.takeBack()
    throw error
  }
  if (!applied) await published?.takeBack()
  else {
    if (await parts.projector.show(repository, updates, head)) await published?.unkeep()
    if (published !== undefined) parts.onPackCame(repository)
  }
  return applied
}

function isCertainlyUndone(error: unknown): boolean {
  if (!(error instanceof StorageError)) return false
  const { detail } = error
  if (detail.code === 'repository_is_mirror') return true
  return detail.code === 'lease_lost' || (detail.code === 'database_failed' && detail.undone)
}

function toReport(verdict: Verdict): RefReport {
  return { ref: verdict.command.ref, refused: 'refused' in verdict ? verdict.refused : undefined }
}

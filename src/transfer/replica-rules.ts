import { GutsError } from '../errors.ts'
import type { PushCommand } from '../git/protocol/push-request.ts'
import { whyNotPushable } from '../git/ref-name.ts'
import type { VerifiedEntry } from '../storage/repositories/ref-log.ts'
import type { RefSnapshot, RefUpdate } from '../storage/repositories/ref-store.ts'
import { judgeCommands } from './ref-rules.ts'
import type { Tip } from './workers/tasks.ts'

/** A home that contradicts itself or breaks the rules of refs: nothing it said is applied. */
export class ReplicaError extends GutsError<{
  readonly code: 'history_contradicts' | 'refs_refused' | 'pack_oversize' | 'pack_changed' | 'status_endless'
}> {}

/** What a batch of entries comes to. */
export interface Folded {
  readonly commands: readonly PushCommand[]
  /** What HEAD is to point to; undefined: as before */
  readonly head: string | undefined
  /** What refs are to point to that they did not before. */
  readonly oids: readonly string[]
}

/**
 * Applies the entries in order to what is here, each with the compare of its compare-and-swap (I3).
 *
 * @throws ReplicaError history_contradicts
 */
export function foldEntries(snapshot: RefSnapshot, entries: readonly VerifiedEntry[]): Folded {
  const changed = new Map<string, string | undefined>()
  for (const { sequence, changes } of entries) {
    for (const { ref, oldOid, newOid } of changes) {
      const current = changed.has(ref) ? changed.get(ref) : snapshot.byName.get(ref)?.oid
      if (current !== oldOid) {
        throw new ReplicaError(
          { code: 'history_contradicts' },
          `Entry ${sequence} changes ${ref} from what it never was`,
        )
      }
      changed.set(ref, newOid)
    }
  }
  const commands = [...changed]
    .map(([ref, newOid]) => ({ ref, oldOid: snapshot.byName.get(ref)?.oid, newOid }))
    .filter(({ oldOid, newOid }) => oldOid !== newOid)
  const oids = Array.from(new Set(commands.flatMap(({ newOid }) => newOid ?? [])))
  return { commands, head: entries.findLast((entry) => entry.head !== undefined)?.head, oids }
}

/**
 * A mirror takes no ref that it would not take from a pusher.
 *
 * @param tips what the new object ids are
 * @throws ReplicaError refs_refused
 */
export function judgeMirrored(
  { commands, head }: Folded,
  snapshot: RefSnapshot,
  tips: ReadonlyMap<string, Tip>,
): RefUpdate[] {
  if (head !== undefined && (!head.startsWith('refs/heads/') || whyNotPushable(head) !== undefined)) {
    throw new ReplicaError({ code: 'refs_refused' }, "The home's HEAD points to what cannot be a branch")
  }
  const verdicts = judgeCommands(commands, { ...snapshot, head: head ?? snapshot.head }, tips)
  return verdicts.flatMap((verdict) => {
    if ('refused' in verdict) {
      const { ref } = verdict.command
      throw new ReplicaError({ code: 'refs_refused' }, `The home's ${ref} cannot be taken: ${verdict.refused}`)
    }
    return 'update' in verdict ? verdict.update : []
  })
}

import { setImmediate } from 'node:timers/promises'
import { GutsError } from '../errors.ts'
import type { PushCommand } from '../git/protocol/push-request.ts'
import { whyNotPushable } from '../git/ref-name.ts'
import type { Arrival } from '../storage/repositories/ref-log-store.ts'
import type { RefSnapshot, RefUpdate } from '../storage/repositories/ref-store.ts'
import type { LoggedEntry } from '../storage/repositories/staged-entries.ts'
import { judgeCommands } from './ref-rules.ts'
import type { Tip } from './workers/tasks.ts'

/** A home that contradicts itself or breaks the rules of refs: nothing it said is applied. */
export class ReplicaError extends GutsError<{
  readonly code: 'history_contradicts' | 'refs_refused' | 'pack_oversize' | 'pack_changed' | 'status_endless'
}> {}

/** What entries come to, one after the other. */
export interface Folded {
  readonly commands: readonly PushCommand[]
  /** What HEAD is to point to; undefined: as before */
  readonly head: string | undefined
  /** What refs are to point to that they did not before. */
  readonly oids: readonly string[]
  /** The last of the entries. */
  readonly to: Arrival
}

const NO_BRANCH = ''
/** The event loop is others', too. */
const CHANGES_PER_TURN = 1_000

/**
 * Applies the entries in order to what is here, each with the compare of its compare-and-swap (I3), to the last one; or to
 * the one after which more than `refsMax` refs might differ from what is here.
 *
 * @param entries at least one; read as far as it goes
 * @throws ReplicaError history_contradicts
 */
export async function foldEntries(
  snapshot: RefSnapshot,
  entries: Iterable<LoggedEntry>,
  refsMax: number,
): Promise<Folded> {
  /** Refs that differ, and no others: those that came and went may be any number. */
  const changed = new Map<string, string | undefined>()
  const now = (ref: string): string | undefined => (changed.has(ref) ? changed.get(ref) : snapshot.byName.get(ref)?.oid)
  let last: LoggedEntry | undefined
  let head: string | undefined
  let changesLeft = CHANGES_PER_TURN
  for (const entry of entries) {
    const { sequence, changes } = entry
    const added = changes.reduce((sum, { ref }) => (changed.has(ref) ? sum : sum + 1), 0)
    if (last !== undefined && changed.size + added > refsMax) break
    for (const { ref, oldOid, newOid } of changes) {
      if (now(ref) !== oldOid) {
        throw new ReplicaError(
          { code: 'history_contradicts' },
          `Entry ${sequence} changes ${ref} from what it never was`,
        )
      }
      if (newOid === snapshot.byName.get(ref)?.oid) changed.delete(ref)
      else changed.set(ref, newOid)
    }
    head = entry.head ?? head
    last = entry
    changesLeft -= changes.length + 1
    if (changesLeft > 0) continue
    changesLeft = CHANGES_PER_TURN
    await setImmediate()
  }
  if (last === undefined) throw new TypeError('A mirror goes on by an entry at least')
  const commands = [...changed].map(([ref, newOid]) => ({ ref, oldOid: snapshot.byName.get(ref)?.oid, newOid }))
  const oids = Array.from(new Set(commands.flatMap(({ newOid }) => newOid ?? [])))
  const { sequence, hash, timeMs } = last
  return { commands, head, oids, to: { sequence, hash, timeMs, head } }
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
  // Where HEAD names a branch, it always does. Else all others may go, and then HEAD may be pointed to one of those that
  // went: of what the entries come to, it looks as if the current branch had been deleted.
  const current = snapshot.byName.has(snapshot.head) ? (head ?? snapshot.head) : NO_BRANCH
  const verdicts = judgeCommands(commands, { ...snapshot, head: current }, tips)
  return verdicts.flatMap((verdict) => {
    if ('refused' in verdict) {
      const { ref } = verdict.command
      throw new ReplicaError({ code: 'refs_refused' }, `The home's ${ref} cannot be taken: ${verdict.refused}`)
    }
    return 'update' in verdict ? verdict.update : []
  })
}

import { whyNotPushable } from '../git/ref-name.ts'
import type { PushCommand } from '../git/protocol/push-request.ts'
import { OBJECT_TYPE } from '../git/object/type.ts'
import type { RefSnapshot, RefUpdate } from '../storage/repositories/ref-store.ts'
import { NamesInUse } from './names-in-use.ts'
import type { Tip } from './workers/tasks.ts'

/** What becomes of one command of a push. */
export type Verdict =
  | { readonly command: PushCommand; readonly update: RefUpdate }
  /** What is not there is to be deleted: so it is, as C git has it. */
  | { readonly command: PushCommand; readonly absent: true }
  | { readonly command: PushCommand; readonly refused: string }

const BRANCHES = 'refs/heads/'

/**
 * Judges the commands of a push against the refs as they are, by C git's rules (builtin/receive-pack.c, `update`).
 *
 * @param tips what the new object ids are
 */
export function judgeCommands(
  commands: readonly PushCommand[],
  snapshot: RefSnapshot,
  tips: ReadonlyMap<string, Tip>,
): Verdict[] {
  const seen = new Set<string>()
  const judged = commands.map((command) => {
    const refused = seen.has(command.ref) ? 'multiple updates for one ref' : refusalOf(command, snapshot, tips)
    seen.add(command.ref)
    return { command, refused }
  })
  // A deletion that is refused leaves its ref where it is: no other ref may have its place.
  const deleted = judged.filter((one) => one.refused === undefined && one.command.newOid === undefined)
  const names = new NamesInUse(snapshot, new Set(deleted.map((one) => one.command.ref)))
  return judged.map(({ command, refused: refusedAlone }) => {
    const { ref: name, oldOid, newOid } = command
    const refused = refusedAlone ?? (newOid === undefined ? undefined : names.conflictWith(name))
    if (refused !== undefined) return { command, refused }
    if (newOid !== undefined) names.add(name)
    if (oldOid === undefined && newOid === undefined) return { command, absent: true }
    const peeled = newOid === undefined ? null : (tips.get(newOid)?.peeled ?? null)
    return { command, update: { name, oldOid, newOid, peeled } }
  })
}

function refusalOf(
  { ref, oldOid, newOid }: PushCommand,
  snapshot: RefSnapshot,
  tips: ReadonlyMap<string, Tip>,
): string | undefined {
  const unusable = whyNotPushable(ref)
  if (unusable !== undefined) return unusable
  const current = snapshot.byName.get(ref)?.oid
  if (current !== oldOid) {
    // Compare-and-swap (I3): the pusher decided by what is no longer true.
    if (oldOid === undefined)
      return newOid === undefined ? 'reference changed meanwhile; fetch first' : 'reference already exists'
    return current === undefined ? 'reference does not exist any more' : 'reference changed meanwhile; fetch first'
  }
  if (newOid === undefined)
    return oldOid !== undefined && ref === snapshot.head ? 'deletion of the current branch prohibited' : undefined
  const type = tips.get(newOid)?.type
  if (type === undefined) return 'bad pack: the object is missing'
  if (ref.startsWith(BRANCHES) && type !== OBJECT_TYPE.commit) return 'a branch can only point to a commit'
  return undefined
}

/**
 * What HEAD is to point to after the first push (DESIGN §5), or undefined where it stays.
 *
 * @param preferred the configured default branch
 */
export function headAfter(
  snapshot: RefSnapshot,
  updates: readonly RefUpdate[],
  preferred: string | undefined,
): string | undefined {
  if (!snapshot.headUnborn) return undefined
  const created = updates.filter((one) => one.newOid !== undefined && one.name.startsWith(BRANCHES))
  const candidates = [preferred, 'main', 'master'].filter((name) => name !== undefined).map((name) => BRANCHES + name)
  return candidates.find((name) => created.some((one) => one.name === name)) ?? created[0]?.name
}

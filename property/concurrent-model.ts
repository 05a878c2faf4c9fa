/** What one caller alone would see of a repository to which people push, and which somebody deletes. */
import type { Sequential } from './linearizability.ts'

export interface Wish {
  readonly ref: string
  /** Number of a commit; undefined: none. */
  readonly from: number | undefined
  readonly to: number | undefined
}

export type Call =
  | {
      readonly does: 'push'
      readonly wishes: readonly Wish[]
      readonly atomic: boolean
      /** So many commits of the way to each new value are in its pack; the others must be here. */
      readonly brings: number
      /** Whether somebody else worked meanwhile. */
      readonly isBesideOthers?: boolean
    }
  | { readonly does: 'read' | 'delete' | 'maintain' }

/**
 * Of a ref in the report of a push: `missing` is an object that is named and not here, `unpackable` a pack that leans on
 * one, `stale` is one that was taken away meanwhile.
 */
export type Verdict = 'ok' | 'refused' | 'missing' | 'unpackable' | 'stale'
export type Answer =
  | { readonly is: 'done' | 'gone' | 'failed' }
  | { readonly is: 'report'; readonly verdicts: readonly Verdict[] }
  | { readonly is: 'refs'; readonly refs: Refs }

export type Refs = Readonly<Record<string, number>>
export interface State {
  readonly refs: Refs
  /** undefined: the first push that makes a branch decides */
  readonly head: string | undefined
  readonly isThere: boolean
}

/** Commits that are in the pack of a push. */
export function broughtBy(tips: readonly number[], brings: number): ReadonlySet<number> {
  const all = tips.flatMap((tip) => Array.from({ length: Math.min(brings, tip + 1) }, (_, back) => tip - back))
  return new Set(all)
}

export const MAIN = 'refs/heads/main'

/** The commit before, where there is one: each comes from the one before it. */
const reaches = (tip: number, commit: number): boolean => commit <= tip
const isReached = ({ refs }: State, commit: number): boolean => Object.values(refs).some((tip) => reaches(tip, commit))

export const REPOSITORY: Sequential<State, Call, Answer> = {
  initial: { refs: {}, head: undefined, isThere: true },
  keyOf: ({ refs, head, isThere }) => JSON.stringify([Object.entries(refs).sort(), head, isThere]),
  step(state, call, answer) {
    if (answer === undefined) return state
    if (!state.isThere)
      return answer.is === 'gone' || (call.does === 'maintain' && answer.is === 'failed') ? state : undefined
    switch (call.does) {
      case 'read':
        return answer.is === 'refs' && isSame(answer.refs, state.refs) ? state : undefined
      case 'delete':
        return answer.is === 'done' ? { ...state, isThere: false } : undefined
      case 'maintain':
        // Nobody sees it.
        return answer.is === 'done' ? state : undefined
      default:
        return answer.is === 'report' ? afterPush(state, call, answer.verdicts) : undefined
    }
  },
}

function isSame(one: Refs, other: Refs): boolean {
  const entries = Object.entries(one)
  return entries.length === Object.keys(other).length && entries.every(([name, tip]) => other[name] === tip)
}

function afterPush(
  state: State,
  { wishes, atomic, brings, isBesideOthers }: Call & { does: 'push' },
  verdicts: readonly Verdict[],
): State | undefined {
  if (verdicts.every((one) => one === 'stale')) return state
  const tips = wishes.flatMap(({ to }) => to ?? [])
  const brought = broughtBy(tips, brings)
  const mayLack = (one: number): boolean => one >= 0 && !brought.has(one) && !isReached(state, one)
  if (verdicts.includes('unpackable')) {
    // What a push brings leans on the commit before it.
    return [...brought].some((one) => mayLack(one - 1)) || tips.some(mayLack) ? state : undefined
  }
  // What a push only names must be here; each ref is judged by itself. What is here is asked with the pack, and what refs are
  // under the lock: of what somebody else brings in between, it is said that it is missing, and the push can be made again.
  const mayBeMissing = (one: number): boolean => mayLack(one) || (isBesideOthers === true && !brought.has(one))
  const isMissing = verdicts.map((one) => one === 'missing')
  if (wishes.some(({ to }, at) => isMissing[at] && !(to !== undefined && mayBeMissing(to)))) return undefined
  const refs: Record<string, number> = { ...state.refs }
  const allowed = wishes.map(
    ({ ref, from, to }, at) =>
      !isMissing[at] && refs[ref] === from && (to !== undefined || from === undefined || ref !== state.head),
  )
  for (const [at, { ref, to }] of wishes.entries()) if (allowed[at] && to === undefined) delete refs[ref]
  for (const [at, { ref, to }] of wishes.entries()) {
    if (!allowed[at] || to === undefined) continue
    if (Object.keys(refs).some((other) => other.startsWith(`${ref}/`) || ref.startsWith(`${other}/`)))
      allowed[at] = false
    else refs[ref] = to
  }
  if (atomic && allowed.includes(false)) return verdicts.includes('ok') ? undefined : state
  if (allowed.some((isAllowed, at) => isAllowed !== (verdicts[at] === 'ok'))) return undefined
  const made = wishes.filter(({ to }, at) => allowed[at] && to !== undefined).map(({ ref }) => ref)
  return { ...state, refs, head: state.head ?? (made.includes(MAIN) ? MAIN : made[0]) }
}

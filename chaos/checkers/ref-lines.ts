/**
 * From pushes and reads, the one order in which each line's pushes happened. The clock ref of a line never has a value
 * twice and each push names the one before, so acknowledged pushes and those in doubt that were seen form one path.
 */
import type { History, Push, Read, Refs } from '../history.ts'
import type { Finding } from './finding.ts'

export interface Line {
  readonly name: string
  readonly clock: string
  /** In order. */
  readonly pushes: readonly Push[]
  /** The line's refs after so many pushes; the first is before any. */
  readonly states: readonly Refs[]
  /** Where a value of the clock stands in `states`. */
  readonly positionOf: ReadonlyMap<string | undefined, number>
}

export interface RepositoryLines {
  readonly lines: readonly Line[]
  readonly lineOfRef: ReadonlyMap<string, Line>
  readonly findings: readonly Finding[]
}

export function linesOf(history: History, repository: string): RepositoryLines {
  const reads = history.reads.filter((read) => read.repository === repository)
  const pushes = Map.groupBy(
    history.pushes.filter((push) => push.repository === repository),
    (push) => push.line,
  )
  const findings: Finding[] = []
  const lines = [...pushes].map(([name, of]) => lineOf({ repository, name, pushes: of, reads, findings }))
  const lineOfRef = new Map<string, Line>()
  for (const line of lines) for (const ref of refsOf(pushes.get(line.name) ?? [])) lineOfRef.set(ref, line)
  return { lines, lineOfRef, findings }
}

interface Evidence {
  readonly repository: string
  readonly name: string
  readonly pushes: readonly Push[]
  readonly reads: readonly Read[]
  readonly findings: Finding[]
}

function lineOf({ repository, name, pushes, reads, findings }: Evidence): Line {
  const [first] = pushes
  if (first === undefined) throw new RangeError('A line has pushes')
  const clock = clockOf(first).ref
  const happened = happenedIn(pushes, reads, clock)
  const path: Push[] = []
  const states: Refs[] = [{}]
  const positionOf = new Map<string | undefined, number>([[undefined, 0]])
  const left = new Set(happened)
  const complain = (push: Push, text: string): void => {
    findings.push({ promise: 'I3', atMs: push.endedMs, text: `${repository} ${clock}: ${text}` })
  }
  for (let value: string | undefined, state: Refs = {}; ;) {
    const next = happened.filter((push) => clockOf(push).from === value && left.has(push))
    const [push, rival] = next
    if (push === undefined) break
    if (rival !== undefined) complain(rival, `${push.pusher} and ${rival.pusher} both changed it from ${short(value)}`)
    for (const one of next) left.delete(one)
    state = applied(state, push)
    value = clockOf(push).to
    positionOf.set(value, path.push(push))
    states.push(state)
  }
  for (const push of left) {
    if (push.outcome !== 'acknowledged') continue
    complain(push, `a push from ${short(clockOf(push).from)} was acknowledged, which it never was`)
  }
  return { name, clock, pushes: path, states, positionOf }
}

/** Acknowledged, or in doubt and then seen: in a read, or by a later push that was taken. */
function happenedIn(pushes: readonly Push[], reads: readonly Read[], clock: string): Push[] {
  const seen = new Set<string | undefined>(reads.map((read) => read.refs[clock]))
  const happened = new Set(pushes.filter((push) => push.outcome === 'acknowledged'))
  const isBase = (value: string | undefined): boolean => [...happened].some((push) => clockOf(push).from === value)
  for (let grew = true; grew;) {
    grew = false
    for (const push of pushes) {
      if (push.outcome !== 'unknown' || happened.has(push)) continue
      const { to } = clockOf(push)
      if (!seen.has(to) && !isBase(to)) continue
      happened.add(push)
      grew = true
    }
  }
  return pushes.filter((push) => happened.has(push))
}

export function clockOf(push: Push): Push['updates'][number] {
  const [clock] = push.updates
  if (clock === undefined) throw new RangeError('A push changes something')
  return clock
}

function applied(state: Refs, push: Push): Refs {
  const next: Record<string, string> = { ...state }
  for (const { ref, to } of push.updates) {
    if (to === undefined) delete next[ref]
    else next[ref] = to
  }
  return next
}

function refsOf(pushes: readonly Push[]): string[] {
  return pushes.flatMap((push) => push.updates.map((update) => update.ref))
}

export function short(value: string | undefined): string {
  return value === undefined ? 'nothing' : value.slice(0, 10)
}

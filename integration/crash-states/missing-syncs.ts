/** What a crash could leave if one of the syncs were missing: each of them must be needed for something. */
import { type CrashState, crashStates } from './enumerate.ts'
import { rangeOf, type Recording } from './record.ts'
import { type Step, withoutIds } from './trace.ts'

export interface MissingSync {
  /** Which it is, for people. */
  readonly what: string
  /** States that could not be with it, those nearest to the acknowledgement first. */
  readonly states: readonly CrashState[]
}

export interface MissingSyncsOptions {
  readonly seed: number
  readonly statesPerPointMax: number
}

/**
 * Plays an operation without each of its syncs, one at a time. What is thrown away afterwards, or is synced once more,
 * need not be synced, and is left out.
 */
export function* missingSyncs(
  recording: Recording,
  operation: number,
  options: MissingSyncsOptions,
): Generator<MissingSync> {
  const { steps, initial } = recording
  const [first, last] = rangeOf(recording, operation)
  const enumerated = (trace: readonly Step[], end: number): CrashState[] => [
    ...crashStates(trace, { ...options, initial, between: [first, end] }),
  ]
  const healthy = new Set(enumerated(steps, last).map(({ key }) => key))
  for (let at = first; at < last; at++) {
    const step = steps[at]
    if (step?.kind !== 'synced' || !isUsed(step.path, steps.slice(at + 1, last))) continue
    const states = enumerated(steps.toSpliced(at, 1), last - 1)
      .filter(({ key, point }) => point > at && !healthy.has(key))
      .sort((a, b) => b.point - a.point)
    yield { what: withoutIds(step.path), states }
  }
}

/** Whether something comes of what was synced. */
function isUsed(path: string, later: readonly Step[]): boolean {
  if (later.some((step) => step.kind === 'synced' && step.path === path)) return false
  if (!path.startsWith('quarantine/')) return true
  return later.some((step) => step.kind === 'rename' && (step.from === path || path.startsWith(`${step.from}/`)))
}

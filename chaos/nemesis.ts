/** Runs a schedule: each fault at its time, or as soon after it as the ones before let it, and back again. */
import type { Action, Fault } from './history.ts'
import type { PlannedFault } from './schedule.ts'

/** Something that was done, and lasts. */
export interface Injected {
  /** What shows that it was done; undefined: nothing does. Asked once, before it is taken back. */
  readonly effect: () => Promise<string | undefined>
  readonly takeBack: () => Promise<void>
}

export interface NemesisParts {
  /** Waits for what the action wants to meet. */
  readonly moment: (action: Action) => Promise<void>
  readonly inject: (action: Action) => Promise<Injected>
  readonly nowMs: () => number
  /** Rejects when the run is broken off. */
  readonly waitUntil: (atMs: number) => Promise<void>
  /** Told when a fault has begun, and when it has ended. */
  readonly onFault: (fault: Fault) => void
}

interface Moment {
  readonly atMs: number
  readonly planned: PlannedFault
  readonly what: 'begin' | 'end'
}

/**
 * One thing after another, in the order of the schedule: so the same schedule does the same to the same nodes in the
 * same order, however long each takes.
 *
 * @throws what a fault or a wait fails with. What was done is then left to who gives the cluster back.
 */
export async function runNemesis(schedule: readonly PlannedFault[], parts: NemesisParts): Promise<void> {
  const moments = schedule
    .flatMap((planned): Moment[] => [
      { atMs: planned.atMs, planned, what: 'begin' },
      { atMs: planned.atMs + planned.forMs, planned, what: 'end' },
    ])
    .sort((a, b) => a.atMs - b.atMs)
  const open = new Map<PlannedFault, { fault: Fault; injected: Injected }>()
  for (const { atMs, planned, what } of moments) {
    const begun = open.get(planned)
    // Whoever was killed late is away for as long as was planned.
    const dueMs = begun === undefined ? atMs : Math.max(atMs, begun.fault.beganMs + planned.forMs)
    await parts.waitUntil(dueMs)
    if (what === 'begin') {
      await parts.moment(planned.action)
      const fault: Fault = { action: planned.action, beganMs: parts.nowMs(), endedMs: undefined, effect: undefined }
      open.set(planned, { fault, injected: await parts.inject(planned.action) })
      parts.onFault(fault)
    } else if (begun !== undefined) {
      begun.fault.effect = await begun.injected.effect()
      await begun.injected.takeBack()
      begun.fault.endedMs = parts.nowMs()
      parts.onFault(begun.fault)
    }
  }
}

import { expect, it } from 'vitest'
import { describeAction, type Fault } from './history.ts'
import { runNemesis } from './nemesis.ts'
import { type PlannedFault, scheduleOf } from './schedule.ts'
import { SCENARIOS } from './scenarios.ts'

interface Recorded {
  readonly did: string[]
  readonly faults: Fault[]
}

/** Runs a schedule by a clock of its own, against nodes that take so long for everything that is done to them. */
async function record(schedule: readonly PlannedFault[], takesMs: (call: number) => number): Promise<Recorded> {
  const recorded: Recorded = { did: [], faults: [] }
  let nowMs = 0
  let calls = 0
  const take = async (): Promise<void> => void (nowMs += takesMs(calls++))
  await runNemesis(schedule, {
    moment: take,
    async inject(action) {
      recorded.did.push(describeAction(action))
      await take()
      return {
        effect: async () => 'seen',
        async takeBack() {
          recorded.did.push(`end of ${describeAction(action)}`)
          await take()
        },
      }
    },
    nowMs: () => nowMs,
    waitUntil: async (atMs) => void (nowMs = Math.max(nowMs, atMs)),
    onFault: (fault) => void (fault.endedMs === undefined && recorded.faults.push(fault)),
  })
  return recorded
}

it.each(SCENARIOS)('does the same in the same order, however long each takes: $name', async (scenario) => {
  const schedule = scheduleOf(scenario, 5)
  const quick = await record(schedule, () => 0)
  const slow = await record(schedule, (call) => (call * 379) % 1_500)
  expect(slow.did).toEqual(quick.did)
  expect(quick.did).toHaveLength(2 * schedule.length)
  expect(quick.faults.map(({ action }) => action)).toEqual(schedule.map(({ action }) => action))
})

it('keeps to its times where it can, and leaves who was killed late away for as long as was planned', async () => {
  const action = { kind: 'kill', node: 'home', during: 'push', afterMs: 0 } as const
  const schedule = [{ atMs: 1_000, forMs: 5_000, action }]
  const onTime = await record(schedule, () => 0)
  expect(onTime.faults).toEqual([{ action, beganMs: 1_000, endedMs: 6_000, effect: 'seen' }])
  const late = await record(schedule, (call) => (call === 0 ? 3_000 : 0))
  expect(late.faults).toEqual([{ action, beganMs: 4_000, endedMs: 9_000, effect: 'seen' }])
})

it('lets faults overlap', async () => {
  const long = { atMs: 1_000, forMs: 5_000, action: { kind: 'cut', link: 'home--mirror-1' } as const }
  const short = { atMs: 2_000, forMs: 1_000, action: { kind: 'cut', link: 'home--mirror-2' } as const }
  const { did } = await record([long, short], () => 0)
  const first = 'home--mirror-1 cut'
  const second = 'home--mirror-2 cut'
  expect(did).toEqual([first, second, `end of ${second}`, `end of ${first}`])
})

it('ends with what a fault fails with', async () => {
  const [planned] = scheduleOf(SCENARIOS[0] ?? never(), 1)
  const failing = runNemesis(planned === undefined ? [] : [planned], {
    moment: async () => {},
    inject: () => Promise.reject(new Error('no such link')),
    nowMs: () => 0,
    waitUntil: async () => {},
    onFault() {},
  })
  await expect(failing).rejects.toThrow('no such link')
})

function never(): never {
  throw new Error('There are scenarios')
}

import pino from 'pino'
import { afterEach, describe, expect, it, vi } from 'vitest'
import { RequestError } from '../errors.ts'
import { DiskSpace } from './disk-space.ts'
import { Maintenance, setMaintenance } from './maintenance.ts'
import { openTestData, type TestData } from './testing.ts'
import { WriteConditions } from './write-conditions.ts'

let lines: Record<string, unknown>[] = []
const logger = pino({ base: null }, { write: (line: string) => void lines.push(JSON.parse(line)) })

afterEach(() => {
  lines = []
  vi.useRealTimers()
})

interface Situation {
  held: boolean
  limitBytes: number
}

async function open(data: TestData, situation: Partial<Situation> = {}) {
  const { held = true, limitBytes = 0 } = situation
  const diskSpace = new DiskSpace(data.paths.root, limitBytes)
  const maintenance = new Maintenance(data.database)
  const conditions = new WriteConditions({
    maintenance,
    diskSpace,
    lease: { held },
    logger,
  })
  await conditions.start()
  return { conditions, maintenance }
}

function refusal(conditions: WriteConditions): RequestError | undefined {
  try {
    conditions.assertWritable()
    return undefined
  } catch (error) {
    if (error instanceof RequestError) return error
    throw error
  }
}

describe('the write gate', () => {
  it('is open when nothing speaks against it', async () => {
    await using data = await openTestData()
    const { conditions } = await open(data)
    conditions.assertWritable()
    conditions.stop()
  })

  it.each([
    { name: 'the lease is lost', situation: { held: false }, message: /lease/, retryAfterS: 2 },
    { name: 'the disk is short', situation: { limitBytes: 2 ** 60 }, message: /disk space/, retryAfterS: 2 },
  ])('is closed when $name', async ({ situation, message, retryAfterS }) => {
    await using data = await openTestData()
    const { conditions } = await open(data, situation)
    expect(refusal(conditions)?.detail).toEqual({ code: 'unavailable', retryAfterS })
    expect(refusal(conditions)?.message).toMatch(message)
    expect(lines).toContainEqual(expect.objectContaining({ msg: 'Changes are refused' }))
    conditions.stop()
  })

  it('notices maintenance by itself, and its end', async () => {
    await using data = await openTestData()
    const { conditions, maintenance } = await open(data)
    await setMaintenance(data.database, true)
    await vi.waitFor(() => expect(refusal(conditions)?.message).toMatch(/maintenance/), { timeout: 20_000 })
    expect(maintenance.state.on).toBe(true)
    await setMaintenance(data.database, false)
    await vi.waitFor(() => expect(refusal(conditions)).toBeUndefined(), { timeout: 20_000 })
    // The gate opens before the disk has been asked, the line is written after.
    const expected = ['Changes are refused', 'A reason to refuse changes is gone']
    await vi.waitFor(() => expect(lines.map(({ msg }) => msg)).toEqual(expected), { timeout: 20_000 })
    conditions.stop()
  })

  it('asks for as much patience as the cause has lasted, up to five minutes', async () => {
    await using data = await openTestData()
    await setMaintenance(data.database, true)
    const { conditions, maintenance } = await open(data)
    const { sinceMs } = maintenance.state
    vi.useFakeTimers({ toFake: ['Date'], now: (sinceMs ?? 0) + 90_000 })
    expect(refusal(conditions)?.detail.retryAfterS).toBe(90)
    vi.setSystemTime((sinceMs ?? 0) + 3_600_000)
    expect(refusal(conditions)?.detail.retryAfterS).toBe(300)
    conditions.stop()
  })
})

describe('maintenance', () => {
  it('keeps the time it was switched on', async () => {
    await using data = await openTestData()
    const maintenance = new Maintenance(data.database)
    await setMaintenance(data.database, true)
    const first = maintenance.look()
    await setMaintenance(data.database, true)
    expect(maintenance.look()).toEqual(first)
  })
})

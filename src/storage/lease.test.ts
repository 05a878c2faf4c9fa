import { afterEach, beforeEach, expect, it, vi } from 'vitest'
import { Lease } from './lease.ts'
import { openTestData, type TestData } from './testing.ts'

let data: TestData
const errors: unknown[] = []
beforeEach(async () => {
  errors.length = 0
  data = await openTestData()
  vi.useFakeTimers({ toFake: ['setInterval', 'clearInterval', 'Date'] })
})
afterEach(async () => {
  vi.useRealTimers()
  await data[Symbol.asyncDispose]()
})

const open = (): Lease => new Lease(data.database, (error) => errors.push(error))
const renewedAt = async (): Promise<number> =>
  (await data.database.read.selectFrom('node_lease').select('renewed_at').executeTakeFirstOrThrow()).renewed_at

it('is held from its start to its end, and not before', async () => {
  const lease = open()
  expect(lease.held).toBe(false)
  await lease.start()
  expect(lease.held).toBe(true)
  lease.stop()
  expect(lease.held).toBe(false)
})

it('is renewed every two seconds', async () => {
  const lease = open()
  await lease.start()
  const started = await renewedAt()
  for (let seconds = 2; seconds <= 30; seconds += 2) {
    vi.advanceTimersByTime(2_000)
    await vi.waitFor(
      async () => {
        expect(await renewedAt()).toBe(started + seconds * 1_000)
        // The lease learns of it a moment after everybody can read it.
        expect(lease.held).toBe(true)
      },
      { interval: 1 },
    )
  }
  lease.stop()
  expect(errors).toEqual([])
})

it('is not held for longer than it was renewed, where the database cannot be written', async () => {
  const lease = open()
  await lease.start()
  await data.database.close()
  vi.advanceTimersByTime(14_000)
  expect(lease.held).toBe(true)
  vi.advanceTimersByTime(1_000)
  expect(lease.held).toBe(false)
  await vi.waitFor(() => expect(errors).toHaveLength(7))
  expect(errors[0]).toMatchObject({ detail: { code: 'database_closed' } })
  lease.stop()
})

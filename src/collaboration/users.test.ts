import { expect, it } from 'vitest'

import { Database } from '../storage/database/database.ts'
import { failureOf, openPeople } from './testing.ts'
import { Users } from './users.ts'

it('makes, finds and lists users', async () => {
  await using people = await openPeople()
  const carol = await people.users.create({ username: 'carol', admin: true })
  await people.users.create({ username: 'alice', admin: false })
  await people.users.create({ username: 'bob-2', admin: false })
  expect(people.users.find('carol')).toEqual({
    id: carol.id,
    username: 'carol',
    admin: true,
    createdAtMs: expect.any(Number),
  })
  expect(people.users.find('alice')?.admin).toBe(false)
  expect(people.users.find('nobody')).toBeUndefined()
  const names = (page: number): string[] =>
    people.users.list({ page, perPage: 2 }).items.map(({ username }) => username)
  expect([names(1), names(2), names(3)]).toEqual([['alice', 'bob-2'], ['carol'], []])
  expect(people.users.list({ page: 3, perPage: 2 }).total).toBe(3)
})

it('gives a name once, also when it is asked for at the same time', async () => {
  await using people = await openPeople()
  const outcomes = await Promise.all(
    Array.from({ length: 5 }, () => failureOf(() => people.users.create({ username: 'alice', admin: false }))),
  )
  expect(outcomes.filter((outcome) => outcome !== undefined && 'code' in (outcome as object))).toEqual(
    Array.from({ length: 4 }, () => ({ code: 'conflict' })),
  )
  expect(people.users.count()).toBe(1)
})

it('takes no name that nobody checked: it becomes a folder', async () => {
  await using people = await openPeople()
  for (const username of ['..', 'a/b', 'A', '', 'a'.repeat(101), 'ab\0']) {
    await expect(people.users.create({ username, admin: false })).rejects.toThrow('callers check names')
  }
  expect(people.users.count()).toBe(0)
})

it('works beside a process that has the same data open', async () => {
  await using people = await openPeople()
  const database = await Database.open(people.paths.database)
  try {
    await new Users(database).create({ username: 'alice', admin: false })
    expect(people.users.find('alice')?.username).toBe('alice')
    expect(await people.lease.renew()).toBe(true)
  } finally {
    await database.close()
  }
})

it('is counted on each scrape', async () => {
  await using people = await openPeople()
  const { feedGauges } = await import('./gauges.ts')
  feedGauges(people.database, people.metrics)
  const alice = await people.join('alice')
  await people.join('bob')
  const site = { name: 'site', description: '', private: true }
  await people.repositories.create(site, alice)
  await people.metrics.collect()
  const text = await people.metrics.registry.metrics()
  expect(text).toContain('\nguts_users_total 2\n')
  expect(text).toContain('\nguts_repositories_total 1\n')
  expect(text).toContain('\nguts_organizations_total 0\n')
})
